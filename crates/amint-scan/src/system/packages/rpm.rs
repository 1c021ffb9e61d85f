//! rpm: a database in one of three forms, at one of two places.

use amint_packages::purl::Distribution;
use amint_packages::rpm::read_database;

use amint_disk::tree::FileTree;

use super::databases::{PackageDetails, SystemPackages};
use crate::error::chain;

const FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const NAMES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
/// The largest database that is read; one of 2,000 packages takes some 100 MB.
const DATABASE_BYTES_MAX: u64 = 1 << 30;

pub(super) fn read(tree: &dyn FileTree, distribution: &Distribution) -> SystemPackages {
    let mut found = SystemPackages::default();
    let mut seen = std::collections::HashSet::new();
    for path in FOLDERS.iter().flat_map(|folder| NAMES.map(|name| format!("{folder}/{name}"))) {
        let Some(place) = found.place(tree, &path) else { continue };
        // One of the folders is often a link to the other.
        if !seen.insert(place) {
            continue;
        }
        found.path.clone_from(&path);
        let Some(database) = found.content(tree, &path, DATABASE_BYTES_MAX) else { continue };
        // Where it cannot be read the newest packages may be missing, and that is told.
        let log = found.content(tree, &format!("{path}-wal"), DATABASE_BYTES_MAX);
        match read_database(&database, log.as_deref()) {
            Ok(database) => {
                found.tell(&path, &database.problems);
                for package in &database.packages {
                    found.packages.push(package.scanned(distribution, &path));
                    found.details.push(PackageDetails::default());
                    found.files.push(package.files.owned().collect());
                }
            }
            Err(error) => found.problems.push(format!("{path}: {}", chain(&error))),
        }
    }
    found
}
