#!/usr/bin/env bash
# How fast secrets are looked for: amint against reading the files, against grep, and against detect-secrets, in one run.
#   bench/secrets/run.sh AMINT [RUNS]
# TREE names the folder that is searched, as it is (default: /usr of this machine, programs and libraries and all that is
# compressed in it). amint runs its secrets analyzer alone, which looks into archives too; grep looks for ten fixed words
# and finds no secret, it is the floor. detect-secrets, of the Python registry, gets a small folder of scripts, because
# it needs minutes for more. Files are in the page cache as far as they fit; runs alternate, the median counts.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
amint=$(realpath "$1")
runs=${2:-3}
tree=${TREE:-/usr}
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
export AMINT_HOME=$work/home
small=$work/small
mkdir "$small"
# A few megabytes of text: scripts of Perl and Python.
set +o pipefail # head does not wait for the end of the list.
find "$tree" -xdev -type f \( -name '*.pm' -o -name '*.py' -o -name '*.sh' \) -size -200k -print0 2>/dev/null | sort -z |
  head -z -n 600 | xargs -0 -r cp --backup=numbered -t "$small"
set -o pipefail

"$amint" --quiet scan "$small" --no-advisories --json -o "$work/all.json" || [ $? -lt 5 ]
mapfile -t others < <(python3 - "$work/all.json" <<'P'
import json, sys
for run in json.load(open(sys.argv[1]))["analyzers"]:
    if run["id"] != "secrets":
        print(f"--skip\n{run['id']}")
P
)
peer=
if python3 -m venv "$work/peer" && "$work/peer/bin/pip" install --quiet --disable-pip-version-check detect-secrets==1.5.0 >/dev/null 2>&1; then
  peer=$work/peer/bin/detect-secrets
else
  echo "bench: SKIPPED: detect-secrets cannot be fetched" >&2
fi
# A verdict against what is searched (1, 4) is a result as well, and so is grep's finding nothing (1).
measure() { python3 "$here/../measure.py" --own --ok 0,1,2,3,4,123 "$@"; }
words=(AKIA 'PRIVATE KEY' ghp_ glpat- xoxb- password= '://' eyJ sk_live_ SG.)
expressions=()
for word in "${words[@]}"; do expressions+=(-e "$word"); done
for run in $(seq "$runs"); do
  measure "$work/amint" "$amint" --quiet scan "$tree" --no-advisories "${others[@]}" --json -o "$work/found.json"
  measure "$work/read" sh -c 'find "$1" -xdev -type f -print0 | xargs -0 cat >/dev/null' _ "$tree"
  measure "$work/grep" sh -c 'tree=$1; shift; find "$tree" -xdev -type f -print0 | xargs -0 grep -aFc "$@" >/dev/null' _ "$tree" "${expressions[@]}"
  measure "$work/amint.small" "$amint" --quiet scan "$small" --no-advisories "${others[@]}" --json -o "$work/small.json"
  [ -z "$peer" ] || (cd "$small" && measure "$work/peer.small" "$peer" scan --all-files .)  >"$work/peer.json"
done
bytes=$(find "$tree" -xdev -type f -printf '%D:%i %s\n' | sort -u | awk '{sum += $2} END {printf "%.0f", sum}')
python3 - "$work" "$tree" "$bytes" "$(du -sb "$small" | cut -f 1)" <<'P'
import json, os, statistics, sys
work, tree, total, small = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
def median(name):
    rows = [list(map(float, line.split())) for line in open(f"{work}/{name}")]
    return [statistics.median(column) for column in zip(*rows)]
print(f"{tree}, {total / 1e6:.0f} MB                 wall       CPU    memory      MB/s")
rows = {name: median(name) for name in ("amint", "read", "grep")}
for name, title in (("amint", "amint, secrets alone"), ("grep", "grep for ten fixed words"), ("read", "reading the files")):
    wall, cpu, memory = rows[name]
    print(f"  {title:<26} {wall:8.2f} s {cpu:8.2f} s {memory:6.0f} MiB {total / 1e6 / wall:8.0f}")
rate = total / 1e6 / rows["amint"][0]
print(f"  search at over 500 MB/s: {'met' if rate > 500 else 'not met'}; {total / 1e6 / rows['amint'][1]:.0f} MB for each second of a processor")
print(f"scripts, {small / 1e6:.1f} MB")
own = median("amint.small")
print(f"  amint                      {own[0]:8.2f} s {own[1]:8.2f} s {own[2]:6.0f} MiB")
if os.path.exists(f"{work}/peer.small"):
    peer = median("peer.small")
    print(f"  detect-secrets 1.5.0       {peer[0]:8.2f} s {peer[1]:8.2f} s {peer[2]:6.0f} MiB")
    print(f"  ratio                      {peer[0] / own[0]:8.0f}")
P
