#!/usr/bin/env bash
# The same packages made into a bootable disk by mmdebstrap and the usual tools, as a careful person would script it:
# a local repository (no network), no waiting for the disk, one initramfs, the tree in memory, nothing mounted from the disk.
#   peer-mmdebstrap.sh REPOSITORY SUITE PACKAGES(comma separated) DISK_BYTES OUT
set -euo pipefail
repository=$(realpath "$1") suite=$2 packages=$3 disk_bytes=$4 out=$(realpath -m "$5")
export LC_ALL=C SOURCE_DATE_EPOCH=1754697600
work=$(mktemp -d /dev/shm/amint-peer.XXXXXX)
cleanup() {
  awk -v w="$work/" 'index($2, w) == 1 {print $2}' /proc/mounts | tac | xargs -r umount -l
  rm -rf --one-file-system "$work"
}
trap cleanup EXIT
tree=$work/tree
mmdebstrap --quiet --mode=root --format=directory --variant=minbase --components=main --include="$packages" \
  --aptopt='APT::Install-Recommends "false"' --dpkgopt=force-unsafe-io \
  --hook-dir=/usr/share/mmdebstrap/hooks/file-mirror-automount \
  --essential-hook='chroot "$1" dpkg-divert --quiet --local --rename --add /usr/sbin/update-initramfs && ln -s /bin/true "$1/usr/sbin/update-initramfs"' \
  --customize-hook='rm "$1/usr/sbin/update-initramfs" && chroot "$1" dpkg-divert --quiet --local --rename --remove /usr/sbin/update-initramfs' \
  --customize-hook='printf "MODULES=most\nCOMPRESS=zstd\nCOMPRESSLEVEL=3\n" >"$1/etc/initramfs-tools/conf.d/bench"; chroot "$1" update-initramfs -c -k all' \
  "$suite" "$tree" "deb [trusted=yes] file://$repository $suite main"
kernel=$(cd "$tree/boot" && ls vmlinuz-* | sed 's/vmlinuz-//' | tail -n 1)
mkdir -p "$tree/boot/grub" "$tree/boot/efi"
printf 'LABEL=root / ext4 rw 0 1\n' >"$tree/etc/fstab"
printf 'set timeout=0\nmenuentry Linux {\n linux /boot/vmlinuz-%s root=LABEL=root ro console=ttyS0\n initrd /boot/initrd.img-%s\n}\n' \
  "$kernel" "$kernel" >"$tree/boot/grub/grub.cfg"
rm -f "$tree"/etc/ssh/ssh_host_* && : >"$tree/etc/machine-id"
printf 'search --no-floppy --label root --set=root\nset prefix=($root)/boot/grub\nconfigfile /boot/grub/grub.cfg\n' >"$tree/tmp/embed.cfg"
chroot "$tree" grub-mkimage -O x86_64-efi -o /tmp/BOOTX64.EFI -p /boot/grub -c /tmp/embed.cfg \
  part_gpt ext2 search search_label linux normal configfile
mv "$tree/tmp/BOOTX64.EFI" "$work/BOOTX64.EFI" && rm "$tree/tmp/embed.cfg"
find "$tree" -newermt "@$SOURCE_DATE_EPOCH" -print0 | xargs -0r touch -h -d "@$SOURCE_DATE_EPOCH"
root_start=$((66 * 2048)) root_sectors=$((disk_bytes / 512 - 66 * 2048 - 2048))
rm -f "$out" && truncate -s "$disk_bytes" "$out"
sfdisk -q --no-reread --no-tell-kernel "$out" <<S
label: gpt
start=4096, size=131072, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B
start=$root_start, size=$root_sectors, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709
S
truncate -s 64M "$work/esp" && mkfs.vfat -F32 -n ESP "$work/esp" >/dev/null
mmd -i "$work/esp" ::EFI ::EFI/BOOT && mcopy -i "$work/esp" "$work/BOOTX64.EFI" ::EFI/BOOT/BOOTX64.EFI
dd if="$work/esp" of="$out" bs=1M seek=2 conv=notrunc,sparse status=none
mke2fs -q -t ext4 -L root -E "offset=$((root_start * 512)),root_owner=0:0,nodiscard" -d "$tree" "$out" "$((root_sectors / 2))k"
sha256sum "$out" >/dev/null
