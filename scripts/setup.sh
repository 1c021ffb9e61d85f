#!/usr/bin/env bash
# Installs what amint needs on this machine, asking nothing and saying what.
#   scripts/setup.sh run     what building and booting images needs
#   scripts/setup.sh test    the same, and the tools that tests compare with
#   scripts/setup.sh lint    what the lint checks need
# On Debian and Ubuntu the missing packages are installed with apt (root, or sudo without a password prompt);
# elsewhere what is missing is named and the exit code is 7.
set -euo pipefail

# command:package pairs
run_tools=(
  cc:gcc make:make bwrap:bubblewrap unshare:util-linux newuidmap:uidmap
  qemu-system-x86_64:qemu-system-x86 ssh:openssh-client
)
run_files=(/usr/share/OVMF:ovmf /usr/share/keyrings/debian-archive-keyring.gpg:debian-archive-keyring)
test_tools=(
  mmdebstrap:mmdebstrap openssl:openssl gpgv:gpgv gpg:gpg dpkg-scanpackages:dpkg-dev qemu-img:qemu-utils mke2fs:e2fsprogs debugfs:e2fsprogs e2fsck:e2fsprogs sfdisk:fdisk fsck.vfat:dosfstools
  mdir:mtools mkfs.xfs:xfsprogs sshd:openssh-server cvtsudoers:sudo setcap:libcap2-bin modprobe:kmod setfattr:attr setfacl:acl sqlite3:sqlite3 mkfs.btrfs:btrfs-progs mksquashfs:squashfs-tools
  strace:strace lvm:lvm2 mkntfs:ntfs-3g mkfs.exfat:exfatprogs mkfs.f2fs:f2fs-tools mkfs.erofs:erofs-utils cryptsetup:cryptsetup-bin genisoimage:genisoimage rpmbuild:rpm db5.3_load:db5.3-util pip3:python3-pip
)

test_files=(/usr/lib/python3/dist-packages/boto3:python3-boto3)
# What some releases of the distributions do not have. Tests that miss it are left out, and say so.
extra_tools=(packer:packer)

mode=${1:-run}
tools=("${run_tools[@]}")
files=("${run_files[@]}")
[ "$mode" = run ] || { tools+=("${test_tools[@]}"); files+=("${test_files[@]}"); }
PATH=$PATH:/usr/sbin:/sbin:$HOME/.cargo/bin

missing=()
for pair in "${tools[@]}"; do
  command -v "${pair%%:*}" >/dev/null 2>&1 || missing+=("${pair##*:}")
done
for pair in "${files[@]}"; do
  [ -e "${pair%%:*}" ] || missing+=("${pair##*:}")
done

if [ ${#missing[@]} -gt 0 ]; then
  mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: missing: ${missing[*]} (names of Debian packages); install them and run this again" >&2
    exit 7
  fi
  as_root=()
  if [ "$(id -u)" != 0 ]; then
    if ! sudo -n true 2>/dev/null; then
      echo "setup: missing: ${missing[*]}; run: sudo apt-get install ${missing[*]}" >&2
      exit 7
    fi
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}" >&2
  apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y)
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  # A lock held by an automatic update is waited for, not failed on.
  wait_for_lock=(-o DPkg::Lock::Timeout=600)
  install=("${apt[@]}" "${wait_for_lock[@]}" install --no-install-recommends)
  if ! "${apt[@]}" update >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "setup: apt-get update failed; going on with the lists that are there" >&2
  fi
  if ! "${install[@]}" --no-remove "${missing[@]}" >"$log" 2>&1; then
    # qemu-utils from another release holds QEMU's own version back: take both from one release.
    version=$(apt-cache policy qemu-system-x86 | awk '/Candidate:/ {print $2}')
    pinned=()
    for package in "${missing[@]}" qemu-utils; do
      case $package in qemu-*) pinned+=("$package=$version");; *) pinned+=("$package");; esac
    done
    if ! "${install[@]}" --allow-downgrades "${pinned[@]}" >"$log" 2>&1; then
      tail -n 15 "$log" >&2
      echo "setup: apt-get could not install ${missing[*]}" >&2
      exit 7
    fi
  fi
fi

if [ "$mode" != run ]; then
  for pair in "${extra_tools[@]}"; do
    command -v "${pair%%:*}" >/dev/null 2>&1 && continue
    echo "setup: installing ${pair##*:}" >&2
    as_root=()
    [ "$(id -u)" = 0 ] || as_root=(sudo -n)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=600 install --no-install-recommends --no-remove \
      "${pair##*:}" >/dev/null 2>&1 || echo "setup: ${pair##*:} is not to be had; tests that need it are left out" >&2
  done
  # Clients of AWS of this year, in a folder of their own: those of the distributions are older than what is tested with them.
  clients=$(dirname "$0")/clients.txt
  python=$HOME/.cache/amint/python
  if ! cmp -s "$clients" "$python/clients.txt"; then
    echo "setup: installing clients of AWS into ${python/#"$HOME"/\~}" >&2
    if python3 -m venv --clear "$python" >/dev/null 2>&1 &&
      "$python/bin/pip" install --quiet --disable-pip-version-check --requirement "$clients" >/dev/null 2>&1; then
      cp "$clients" "$python/clients.txt"
    else
      rm -rf "$python"
      echo "setup: clients of AWS are not to be had (python3-venv, the Python registry); tests that need them are left out" >&2
    fi
  fi
fi

if ! command -v cargo >/dev/null 2>&1; then
  echo "setup: Rust is missing (cargo); install rustup from your distribution or https://rustup.rs and run this again" >&2
  exit 7
fi
if [ "$mode" != run ]; then
  cargo nextest --version >/dev/null 2>&1 || { echo "setup: building cargo-nextest" >&2; cargo install --locked --quiet cargo-nextest; }
fi
if [ "$mode" = lint ]; then
  cargo deny --version >/dev/null 2>&1 || { echo "setup: building cargo-deny" >&2; cargo install --locked --quiet cargo-deny; }
fi
