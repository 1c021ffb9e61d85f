#!/usr/bin/env bash
# From downloaded packages to the stored image whose digest is known: amint against mmdebstrap with assembly, in one run.
#   bench/build/run.sh AMINT [RUNS]
# Both install the very same package files of one lock and both have them on this machine; nothing is downloaded in what is
# timed. Both make the tree in memory (/dev/shm) and write the disk below TMPDIR. Runs alternate, so that both meet the same machine. Then what only amint does: one changed file, one more package.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
amint=$(realpath "$1")
runs=${2:-3}
[ "$(id -u)" = 0 ] || { echo "bench: run as root: mmdebstrap in this mode needs it" >&2; exit 7; }
for tool in mmdebstrap mkfs.vfat mcopy mke2fs sfdisk dpkg-scanpackages python3; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 7; }
done
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT
cp -r "$here/../../examples/web" "$work/web"
rm -f "$work/web/amint.lock"
recipe=$work/web/amint.toml
measure() { python3 "$here/../measure.py" "$@"; }

# Fetches everything once, and learns the size of the disk.
"$amint" --home "$work/filled" --json build --no-test "$recipe" >"$work/events"
disk_bytes=$(python3 -c 'import json,sys; print([json.loads(l) for l in open(sys.argv[1])][-1]["report"]["disk_bytes"])' "$work/events")
python3 - "$work" <<'P'
import pathlib, shutil, sys, tomllib
work = pathlib.Path(sys.argv[1])
lock = tomllib.loads((work / "web/amint.lock").read_text())
files = {p.name.split(".")[0]: p for p in (work / "filled/cache/archive/packages").rglob("*") if p.is_file()}
(work / "repo").mkdir()
for package in lock["package"]:
    shutil.copy(files[package["sha256"]], work / "repo" / package["file"].rsplit("/", 1)[-1])
(work / "packages").write_text(",".join(sorted(p["name"] for p in lock["package"])))
(work / "suite").write_text(lock["base"]["debian"])
P
suite=$(cat "$work/suite") packages=$(cat "$work/packages")
index=dists/$suite/main/binary-amd64
mkdir -p "$work/repo/$index"
(
  cd "$work/repo"
  dpkg-scanpackages -m . /dev/null >"$index/Packages" 2>/dev/null
  {
    printf 'Origin: bench\nSuite: %s\nCodename: %s\nArchitectures: amd64\nComponents: main\nDate: %s\nSHA256:\n' "$suite" "$suite" "$(date -Ru)"
    printf ' %s %s main/binary-amd64/Packages\n' "$(sha256sum "$index/Packages" | cut -d' ' -f1)" "$(stat -c %s "$index/Packages")"
  } >"dists/$suite/Release"
)

# The package that is added later is on this machine as well; the recipe then goes back to what it was.
add_package() { sed -i 's/install = \["nginx-light"/install = ["jq", "nginx-light"/' "$recipe"; }
drop_package() { sed -i 's/install = \["jq", /install = [/' "$recipe"; "$amint" --home "$1" --quiet lock "$recipe" >/dev/null; }
add_package
"$amint" --home "$work/filled" --quiet build --lock --no-test "$recipe" >/dev/null
drop_package "$work/filled"

# mkosi wants a chroot of its own, its package cache filled, and trees of an earlier run: not timed, and it needs the mirror.
# awk fails where one of the places does not exist: either is enough.
apt_uris() { awk '/^URIs:/ {print $2} /^deb / {print $2}' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null || true; }
mirror=${AMINT_DEBIAN_MIRROR:-$(apt_uris | grep '/debian/*$' | head -n 1)}
export AMINT_DEBIAN_SECURITY_MIRROR=${AMINT_DEBIAN_SECURITY_MIRROR:-$(apt_uris | grep '/debian-security/*$' | head -n 1)}
mkosi() { "$here/peer-mkosi.sh" "$work/mkosi" "$1" "$mirror" "$suite" "$packages" "$work/mkosi.raw"; }
has_mkosi=yes
{ "$here/peer-mkosi.sh" "$work/mkosi" setup "$mirror" && mkosi prime; } >"$work/mkosi.log" 2>&1 || has_mkosi=
[ "$has_mkosi" ] || { echo "bench: SKIPPED: mkosi does not run here:" >&2; tail -n 3 "$work/mkosi.log" >&2; }

for run in $(seq "$runs"); do
  # A new store with the packages and nothing else; results of steps are kept, as in daily use.
  home=$work/home
  mkdir -p "$home/cache" && cp -al "$work/filled/cache/archive" "$home/cache/archive"
  sync
  export AMINT_TMPDIR=/dev/shm
  measure "$work/nothing" "$amint" --home "$home" --quiet build --no-test --no-cache "$recipe"
  measure "$work/cold" "$amint" --home "$home" --quiet build --no-test "$recipe"
  echo "<p>change $run</p>" >>"$work/web/site/index.html"
  measure "$work/file" "$amint" --home "$home" --quiet build --lock --no-test "$recipe"
  add_package
  measure "$work/package" "$amint" --home "$home" --quiet build --lock --no-test "$recipe"
  drop_package "$home"
  rm -rf "$home"
  sync
  measure "$work/peer" "$here/peer-mmdebstrap.sh" "$work/repo" "$suite" "$packages" "$disk_bytes" "$work/peer.raw"
  rm -f "$work/peer.raw"
  if [ "$has_mkosi" ]; then
    sync
    measure "$work/warm" "$here/peer-mkosi.sh" "$work/mkosi" warm "$mirror" "$suite" "$packages" "$work/mkosi.raw"
  fi
done
if [ "$has_mkosi" ]; then
  # Last, because it removes the trees that the other way needs.
  for run in $(seq "$runs"); do
    sync
    measure "$work/mkosi.cold" "$here/peer-mkosi.sh" "$work/mkosi" cold "$mirror" "$suite" "$packages" "$work/mkosi.raw"
  done
fi

# The floor: every package decompressed once, by as many processes as there are processors.
start=$(date +%s%N)
find "$work/repo" -maxdepth 1 -name '*.deb' -print0 | xargs -0 -P "$(nproc)" -n 8 sh -c 'for f; do dpkg-deb --fsys-tarfile "$f"; done' _ >/dev/null
floor=$((($(date +%s%N) - start) / 10000000))

python3 - "$work" "$runs" "$floor" <<'P'
import pathlib, statistics, sys
work, runs, floor = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]) / 100
def read(name):
    rows = [list(map(float, line.split())) for line in (work / name).read_text().splitlines()]
    return [statistics.median(column) for column in zip(*rows)], [row[0] for row in rows]
count = len((work / "packages").read_text().split(","))
print(f"from downloaded packages to the stored image, {count} packages (median of {runs})")
print(f"{'':34}{'wall':>8}{'CPU':>9}{'memory':>10}   runs")
rows = {}
for name, title in [("nothing", "amint, only packages"), ("cold", "amint, the same, results kept"),
                    ("peer", "mmdebstrap and assembly"),
                    ("mkosi.cold", "mkosi, package files cached"),
                    ("file", "amint, one changed file"), ("package", "amint, one more package"),
                    ("warm", "mkosi, nothing changed")]:
    if not (work / name).exists():
        continue
    (wall, cpu, memory), all_runs = read(name)
    rows[name] = wall
    print(f"  {title:32}{wall:6.1f} s{cpu:7.1f} s{memory:6.0f} MiB   {' '.join(f'{run:.1f}' for run in all_runs)}")
print(f"  ratio, amint / mmdebstrap: {rows['nothing'] / rows['peer']:.2f}, with results kept {rows['cold'] / rows['peer']:.2f}")
print(f"  decompressing every package once takes {floor:.1f} s on this machine; scripts of packages and the initramfs are the rest")
P
