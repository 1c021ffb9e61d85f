#!/usr/bin/env bash
# From the unpacked tree to the stored image whose digest is known: amint against the hand-made way, in one run.
#   bench/build/run.sh AMINT [RUNS]
# The hand-made way (docs/design/002-own-ext4-writer.md tells why these steps): mmdebstrap into a tar, tar to a
# tree, mke2fs -d, a FAT system partition with mtools, GRUB by grub-mkstandalone, sha256sum of the disk.
# Both make a disk of the same packages from the same mirror; only the steps after package installation count.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
amint=$(realpath "$1")
runs=${2:-3}
recipe=$here/../../examples/web/amint.toml
[ "$(id -u)" = 0 ] || { echo "bench: run as root: the hand-made way needs it" >&2; exit 7; }
for tool in mkfs.vfat mcopy mke2fs grub-mkstandalone sfdisk mmdebstrap; do
  command -v "$tool" >/dev/null || { echo "bench: $tool is missing" >&2; exit 7; }
done
work=$(mktemp -d "${AMINT_TMPDIR:-${TMPDIR:-/tmp}}/amint-bench.XXXXXX")
trap 'rm -rf --one-file-system "$work"' EXIT

median() { sort -n | awk '{v[NR]=$1} END {print v[int((NR+1)/2)]}'; }

# --- amint -----------------------------------------------------------------------------------------------------
for run in $(seq "$runs"); do
  # A new store each time: nothing is reused.
  "$amint" --home "$work/home-$run" --json build --no-test "$recipe" >"$work/events-$run"
  python3 - "$work/events-$run" "$work" <<'P'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1])]
steps = {e["step"]: e["elapsed_ms"] for e in events if e["event"] == "step_finished"}
result = [e for e in events if e["event"] == "result"][-1]
open(sys.argv[2] + "/amint.ms", "a").write("%d\n" % (steps["assemble"] + steps["store"]))
open(sys.argv[2] + "/amint.kib", "a").write("%d\n" % (result["peak_memory_bytes"] // 1024))
json.dump([p["name"] + "=" + p["version"] for p in result["report"]["packages"]], open(sys.argv[2] + "/packages", "w"))
open(sys.argv[2] + "/disk_bytes", "w").write(str(result["report"]["disk_bytes"]))
P
  "$amint" --home "$work/home-$run" export web "$work/amint.raw" --force --quiet >/dev/null
  rm -rf "$work/home-$run"
done

# --- the hand-made way -------------------------------------------------------------------------------------------
packages=$(python3 -c 'import json,sys; print(",".join(sorted(p.split("=")[0] for p in json.load(open(sys.argv[1])))))' "$work/packages")
disk_bytes=$(cat "$work/disk_bytes")
suite=$(awk -F'"' '/^debian *=/ {print $2}' "$recipe")
mirror=${AMINT_DEBIAN_MIRROR:-$(awk '/^URIs:/ {print $2; exit} /^deb / {print $2; exit}' /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null)}
security=${AMINT_DEBIAN_SECURITY_MIRROR:-${mirror%/debian}/debian-security}
printf 'deb %s %s main\ndeb %s %s-updates main\ndeb %s %s-security main\n' "$mirror" "$suite" "$mirror" "$suite" "$security" "$suite" |
  mmdebstrap --quiet --mode=root --variant=minbase --include="$packages" \
    --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io "$suite" "$work/tree.tar" - 2>"$work/mmdebstrap.log" ||
  { tail -n 5 "$work/mmdebstrap.log" >&2; exit 5; }

hand_made() {
  local out=$work/hand.raw tree=$work/hand-tree esp=$work/esp
  local root_start=$((66 * 2048)) total=$((disk_bytes / 512))
  local root_sectors=$((total - root_start - 2048))
  mkdir "$tree" && tar -C "$tree" -xpf "$work/tree.tar" --xattrs --xattrs-include='*' --numeric-owner
  truncate -s "$disk_bytes" "$out"
  sfdisk -q --no-reread --no-tell-kernel "$out" <<S
label: gpt
start=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649
start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=$root_start, size=$root_sectors, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
S
  truncate -s 64M "$esp" && mkfs.vfat -F32 -n ESP "$esp" >/dev/null
  printf 'search --no-floppy --label root --set=root\nset prefix=($root)/boot/grub\nconfigfile /boot/grub/grub.cfg\n' >"$work/embed.cfg"
  grub-mkstandalone -O x86_64-efi -o "$work/BOOTX64.EFI" "boot/grub/grub.cfg=$work/embed.cfg" 2>/dev/null
  mmd -i "$esp" ::EFI ::EFI/BOOT && mcopy -i "$esp" "$work/BOOTX64.EFI" ::EFI/BOOT/BOOTX64.EFI
  dd if="$esp" of="$out" bs=1M seek=2 conv=notrunc,sparse status=none
  mke2fs -q -t ext4 -L root -E offset=$((root_start * 512)),root_owner=0:0 -d "$tree" "$out" $((root_sectors / 2))k
  sha256sum "$out" >/dev/null
}
for run in $(seq "$runs"); do
  rm -rf "$work/hand-tree" "$work/hand.raw"
  start=$(date +%s%N)
  hand_made
  echo $((($(date +%s%N) - start) / 1000000)) >>"$work/hand.ms"
done

# --- the figures -------------------------------------------------------------------------------------------------
ours=$(median <"$work/amint.ms") theirs=$(median <"$work/hand.ms") memory=$(sort -n "$work/amint.kib" | tail -n 1)
awk -v a="$ours" -v h="$theirs" -v m="$memory" -v n="$runs" 'BEGIN {
  printf "from the tree to the stored, digest-known image (median of %d)\n", n
  printf "  amint          %6.1f s   peak memory %d MiB\n", a / 1000, m / 1024
  printf "  by hand        %6.1f s\n", h / 1000
  printf "  ratio          %6.2f     (amint / by hand)\n", a / h }'
