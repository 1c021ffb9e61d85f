//! Which folder of which file system is the root of an operating system.

use amint_btrfs::Btrfs;
use amint_fs::{FileSystem, NodeId, find};

/// What only the root of an operating system has.
const RELEASE_FILES: [&[u8]; 3] = [b"/etc/os-release", b"/usr/lib/os-release", b"/etc/passwd"];
/// Names of subvolumes that distributions put the root into: Fedora, Ubuntu and openSUSE, Debian.
const ROOT_NAMES: [&[u8]; 3] = [b"root", b"@", b"@rootfs"];
/// How many subvolumes are looked at for a root.
const SUBVOLUMES_MAX: usize = 1000;

/// Finds the root of an operating system: where the file system itself begins, else in a subvolume.
pub(super) fn find_root(file_system: &dyn FileSystem, btrfs: Option<&Btrfs>) -> Option<NodeId> {
    if has_release(file_system) {
        return Some(file_system.root());
    }
    let btrfs = btrfs?;
    let mut subvolumes = btrfs.subvolumes();
    subvolumes.sort_by_key(|subvolume| {
        let rank = ROOT_NAMES.iter().position(|name| *name == subvolume.name);
        (rank.unwrap_or(ROOT_NAMES.len()), subvolume.is_read_only, subvolume.id)
    });
    let mut views =
        subvolumes.iter().take(SUBVOLUMES_MAX).filter_map(|found| btrfs.at_subvolume(found.id).ok());
    views.find(|view| has_release(view)).map(|view| view.root())
}

/// Tells whether an operating system begins where the file system does.
pub(super) fn has_release(file_system: &dyn FileSystem) -> bool {
    RELEASE_FILES.iter().any(|file| find(file_system, file).is_ok())
}
