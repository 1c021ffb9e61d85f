#!/usr/bin/env bash
# The same packages made into a bootable disk by mkosi (25 or newer, from a chroot of Debian 13 that `setup` makes).
#   peer-mkosi.sh CHROOT setup MIRROR                     makes the chroot; not timed
#   peer-mkosi.sh CHROOT prime MIRROR SUITE PACKAGES OUT  fills mkosi's package cache and its incremental trees; not timed
#   peer-mkosi.sh CHROOT cold  …                          package files cached, no trees
#   peer-mkosi.sh CHROOT warm  …                          trees of an earlier run, nothing changed
# mkosi boots by systemd-boot and an initrd of its own, so it takes packages for those as well, and no others.
set -euo pipefail
chroot=$1 mode=$2 mirror=$3
if [ "$mode" = setup ]; then
  [ -e "$chroot/usr/bin/mkosi" ] || mmdebstrap --quiet --mode=root --variant=apt --format=directory \
    --include=mkosi,systemd-repart,systemd-boot,mtools,dosfstools,e2fsprogs,ca-certificates,debian-archive-keyring,cpio,zstd,kmod \
    trixie "$chroot" "deb $mirror trixie main"
  exit 0
fi
suite=$4 packages=$5 out=$(realpath -m "$6")
export SOURCE_DATE_EPOCH=1754697600
work=$chroot/bench
mkdir -p "$work"/{packages,trees,out,repart,sandbox/etc/apt/sources.list.d}
incremental=yes only=auto
case $mode in
  prime) rm -rf --one-file-system "$work/trees"; mkdir "$work/trees" ;;
  cold) incremental=no only=always; rm -rf --one-file-system "$work/trees"; mkdir "$work/trees" ;;
  warm) only=always ;;
esac
cat >"$work/mkosi.conf" <<C
[Distribution]
Distribution=debian
Release=$suite
[Output]
Format=disk
Output=image
OutputDirectory=/bench/out
RepartDirectories=/bench/repart
Seed=5d85b56e-b80f-417f-aa42-bd7fe09f7f4e
[Content]
Bootable=yes
Bootloader=systemd-boot
SourceDateEpoch=$SOURCE_DATE_EPOCH
RemoveFiles=/etc/ssh/ssh_host_*
Packages=systemd-boot,$packages
[Build]
WithNetwork=yes
SandboxTrees=/bench/sandbox
Incremental=$incremental
CacheOnly=$only
PackageCacheDirectory=/bench/packages
CacheDirectory=/bench/trees
WorkspaceDirectory=/wk
C
# mkosi's own list of archives has ones that a mirror need not have.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
printf 'Types: deb\nURIs: %s\nSuites: %s %s-updates\nComponents: main\nSigned-By: %s\n\nTypes: deb\nURIs: %s\nSuites: %s-security\nComponents: main\nSigned-By: %s\n' \
  "$mirror" "$suite" "$suite" $keyring "${AMINT_DEBIAN_SECURITY_MIRROR:-${mirror%/debian}/debian-security}" "$suite" $keyring \
  >"$work/sandbox/etc/apt/sources.list.d/mkosi.sources"
printf '[Partition]\nType=esp\nFormat=vfat\nCopyFiles=/boot:/\nCopyFiles=/efi:/\nSizeMinBytes=512M\nSizeMaxBytes=512M\n' >"$work/repart/00-esp.conf"
printf '[Partition]\nType=root\nFormat=ext4\nCopyFiles=/\nSizeMinBytes=1534M\nSizeMaxBytes=1534M\n' >"$work/repart/10-root.conf"
memory=$(mktemp -d /dev/shm/amint-mkosi.XXXXXX)
trap 'rm -rf --one-file-system "$memory"' EXIT
export chroot memory
# A mount namespace of its own: nothing stays mounted where others see it.
unshare --mount --propagation private bash -euc '
  mount --bind "$chroot" "$chroot"; cd "$chroot"; mkdir -p old wk
  for folder in proc sys dev; do mount --rbind "/$folder" "./$folder"; done
  cp -L /etc/resolv.conf ./etc/resolv.conf 2>/dev/null || :
  mount --bind "$memory" ./wk; mount -t tmpfs none ./tmp; mount -t tmpfs none ./run
  pivot_root . old; cd /; umount -l /old
  exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH \
    http_proxy="${http_proxy:-}" mkosi -C /bench -f build' >&2
rm -f "$out" && mv "$work/out/image.raw" "$out"
sha256sum "$out" >/dev/null
