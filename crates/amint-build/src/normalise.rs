//! Makes a tree depend on its inputs alone.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, Timespec, Timestamps};

use crate::error::BuildError;
use crate::tree::ImageTree;

/// Files that package tools write with times, paths or random numbers of the build in them, and that are made
/// anew where they are needed.
const LEFTOVERS: [&str; 12] = [
    "/etc/.pwd.lock",
    "/etc/.resolv.conf.systemd-resolved.bak",
    "/root/.wget-hsts",
    "/var/cache/apt/pkgcache.bin",
    "/var/cache/apt/srcpkgcache.bin",
    "/var/cache/debconf/config.dat-old",
    "/var/cache/debconf/templates.dat-old",
    "/var/cache/ldconfig/aux-cache",
    "/var/lib/dpkg/diversions-old",
    "/var/lib/dpkg/status-old",
    "/var/lib/dpkg/statoverride-old",
    "/var/lib/systemd/catalog/database.tmp",
];

/// Folders whose content belongs to a running system.
const EMPTIED: [&str; 6] = ["/dev", "/proc", "/run", "/sys", "/tmp", "/var/tmp"];
/// Folders whose files belong to a running system, but which packages bring folders in.
const EMPTIED_OF_FILES: [&str; 3] = ["/var/cache/apt/archives", "/var/lib/apt/lists", "/var/log"];

/// Removes what would differ between two builds, and the build's own apt sources.
pub(crate) fn clean(tree: &ImageTree, build_sources: &str, sources: &str) -> Result<(), BuildError> {
    for path in LEFTOVERS {
        tree.remove(path)?;
    }
    for folder in EMPTIED {
        tree.empty(folder)?;
    }
    for folder in EMPTIED_OF_FILES {
        tree.empty_files(folder)?;
    }
    // The build's mirror means nothing to the instance. cloud-init writes the distribution's own sources at first
    // boot, unless the recipe brought some.
    let is_ours = tree.read(sources, 1024 * 1024).is_ok_and(|text| text == build_sources.as_bytes());
    if is_ours {
        tree.remove(sources)?;
    }
    Ok(())
}

/// Takes out what the scripts of packages made for one machine: each instance makes its own.
pub(crate) fn forget_identity(tree: &Path) -> Result<(), BuildError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| BuildError::Work { path, source }
    };
    let machine_id = tree.join("etc/machine-id");
    if machine_id.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        // systemd makes one at the first boot (`machine-id(5)`).
        fs::write(&machine_id, "uninitialized\n").map_err(failed(&machine_id))?;
    }
    let bus = tree.join("var/lib/dbus/machine-id");
    if bus.symlink_metadata().is_ok_and(|metadata| metadata.is_file()) {
        fs::remove_file(&bus).map_err(failed(&bus))?;
    }
    Ok(())
}

/// Sets times later than `epoch` to `epoch`: what scripts made has then the time of the newest package.
pub(crate) fn clamp(tree: &Path, epoch: i64) -> Result<(), BuildError> {
    let time = Timespec { tv_sec: epoch, tv_nsec: 0 };
    let times = Timestamps { last_access: time, last_modification: time };
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        let failed = |source| BuildError::Work { path: folder.clone(), source };
        for entry in fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let metadata = entry.metadata().map_err(failed)?;
            let path = entry.path();
            if metadata.is_dir() {
                folders.push(path.clone());
            }
            if metadata.mtime() > epoch || (metadata.mtime() == epoch && metadata.mtime_nsec() > 0) {
                rustix::fs::utimensat(rustix::fs::CWD, &path, &times, AtFlags::SYMLINK_NOFOLLOW)
                    .map_err(|error| BuildError::Work { path, source: error.into() })?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_build_become_the_newest_of_the_packages() {
        use std::time::{Duration, SystemTime};

        let folder = tempfile::tempdir().unwrap();
        let old = fs::File::create(folder.path().join("packaged")).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_600_000_000)).unwrap();
        fs::create_dir(folder.path().join("made-now")).unwrap();
        fs::write(folder.path().join("made-now/file"), "").unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("link")).unwrap();
        clamp(folder.path(), 1_700_000_000).unwrap();
        let time = |name: &str| fs::symlink_metadata(folder.path().join(name)).unwrap().mtime();
        assert_eq!(
            ["packaged", "made-now", "made-now/file", "link"].map(time),
            [1_600_000_000, 1_700_000_000, 1_700_000_000, 1_700_000_000]
        );
    }
}
