#!/usr/bin/env bash
# What the rules find and what they wrongly find: the corpus of flaws and decoys; then verdicts beside Lynis and OpenSCAP.
#   bench/judge/run.sh [RUNS]
# The tree for the comparison is a stock Debian that mmdebstrap makes from the sources of this machine, which must run Debian;
# AMINT_TEST_DEBIAN_TREE names another one. Needs root, and 1 GB below TMPDIR. A peer that is missing is left out, loudly.
# Exit code 1: a verdict differs, and checks.toml does not explain it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
runs=${1:-3}
[[ $runs =~ ^[1-9][0-9]*$ ]] || { echo "bench: RUNS is a number, not \`$runs\`" >&2; exit 2; }
cargo build --quiet --release --locked --manifest-path "$here/../../Cargo.toml" -p amint-corpus --examples
built=${CARGO_TARGET_DIR:-$here/../../target}/release/examples
"$built/judge"

work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
skipped() { echo "bench: SKIPPED: $1" >&2; }
tree=${AMINT_TEST_DEBIAN_TREE:-$work/tree}
if [ ! -d "$tree" ]; then
  command -v mmdebstrap >/dev/null || { skipped "mmdebstrap is missing: no comparison with peers"; exit 0; }
  # shellcheck source=/dev/null
  suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
  sources=(/etc/apt/sources.list.d/debian.sources)
  [ -e "${sources[0]}" ] || sources=(/etc/apt/sources.list)
  mmdebstrap --quiet --variant=important --include=openssh-server,sudo,cloud-init,cron,libpam-pwquality "$suite" "$tree" "${sources[@]}"
fi

# OpenSCAP: Debian's own content ends with Debian 11. The rules hold for later ones, but the benchmark would refuse to look.
content=/usr/share/xml/scap/ssg/content/ssg-debian11-ds.xml
openscap=()
if command -v oscap >/dev/null && [ -e "$content" ]; then
  sed 's|<xccdf-1.2:platform idref="cpe:/o:debian:debian_linux:11"/>||' "$content" >"$work/content.xml"
  # Findings are exit code 2.
  openscap=(env "OSCAP_PROBE_ROOT=$tree" oscap xccdf eval --profile xccdf_org.ssgproject.content_profile_anssi_np_nt28_high
    --results "$work/openscap.xml" "$work/content.xml")
else
  skipped "oscap or its content for Debian is missing (packages openscap-scanner and ssg-debian)"
fi
# Lynis looks only at the system that it runs in: it gets into a copy of the tree.
lynis=()
if command -v lynis >/dev/null; then
  cp -a "$tree" "$work/lynis"
  mkdir -p "$work/lynis/etc/lynis" "$work/lynis/usr/share/lynis"
  cp -a /etc/lynis/. "$work/lynis/etc/lynis"
  cp -a /usr/share/lynis/. "$work/lynis/usr/share/lynis"
  cp -a "$(command -v lynis)" "$work/lynis/usr/sbin/lynis"
  lynis=(unshare --mount --pid --fork --uts sh -c 'mount -t proc proc "$1/proc" && hostname localhost && exec chroot "$1" \
    lynis audit system --quick --no-colors --report-file /tmp/lynis.dat --logfile /tmp/lynis.log' _ "$work/lynis")
else
  skipped "lynis is missing"
fi

measure() { python3 "$here/../measure.py" --own "$@"; }
for _ in $(seq "$runs"); do
  measure "$work/amint.time" "$built/tree" "$tree"
  [ "${#openscap[@]}" = 0 ] || measure --ok 0,2 "$work/openscap.time" "${openscap[@]}"
  if [ "${#lynis[@]}" != 0 ]; then
    rm -f "$work/lynis/tmp/lynis.dat" "$work/lynis/tmp/lynis.log"
    measure --ok 0,1,64,78 "$work/lynis.time" "${lynis[@]}"
  fi
done
"$built/tree" "$tree" >"$work/amint.tsv"
[ "${#lynis[@]}" = 0 ] || cp "$work/lynis/tmp/lynis.dat" "$work/lynis/tmp/lynis.log" "$work"
python3 "$here/compare.py" "$here/checks.toml" "$work"
