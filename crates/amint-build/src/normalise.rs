//! Makes a tree depend on its inputs alone.

use std::fs;
use std::path::Path;
use std::time::SystemTime;

use crate::build::seconds;
use crate::error::BuildError;
use crate::tree::ImageTree;

/// Files that package tools write with times, paths or random numbers of the build in them, and that are made
/// anew where they are needed.
const LEFTOVERS: [&str; 14] = [
    "/etc/.pwd.lock",
    "/etc/.resolv.conf.systemd-resolved.bak",
    "/etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "/etc/apt/apt.conf.d/99mmdebstrap",
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
const EMPTIED: [&str; 8] =
    ["/dev", "/proc", "/run", "/sys", "/tmp", "/var/lib/apt/lists", "/var/cache/apt/archives", "/var/tmp"];

/// Removes what would differ between two builds, and the build's own apt sources.
pub(crate) fn clean(tree: &ImageTree, build_sources: &str, sources: &str) -> Result<(), BuildError> {
    for path in LEFTOVERS {
        tree.remove(path)?;
    }
    for folder in EMPTIED {
        tree.empty(folder)?;
    }
    tree.empty_files("/var/log")?;
    // The build's mirror means nothing to the instance. cloud-init writes the distribution's own sources at first
    // boot, unless the recipe brought some.
    let is_ours = tree.read(sources, 1024 * 1024).is_ok_and(|text| text == build_sources.as_bytes());
    if is_ours {
        tree.remove(sources)?;
    }
    Ok(())
}

/// Returns the newest modification time in `tree` that lies before the build began: the newest of the packages.
pub(crate) fn newest_before(tree: &Path, started: SystemTime) -> i64 {
    let limit = seconds(started);
    let mut newest = 0;
    let mut folders = vec![tree.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(entry.path());
            } else if metadata.is_file()
                && let Ok(modified) = metadata.modified()
            {
                let time = seconds(modified);
                if time < limit && time > newest {
                    newest = time;
                }
            }
        }
    }
    newest
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn takes_the_newest_time_of_the_packages_not_of_the_build() {
        let folder = tempfile::tempdir().unwrap();
        let started = SystemTime::now();
        let old = fs::File::create(folder.path().join("packaged")).unwrap();
        old.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
        let new = fs::File::create(folder.path().join("made-now")).unwrap();
        new.set_modified(started + Duration::from_mins(1)).unwrap();
        assert_eq!(newest_before(folder.path(), started), 1_700_000_000);
    }
}
