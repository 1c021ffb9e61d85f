//! rpm: a database in one of three forms, at one of two places.

use amint_packages::purl::Distribution;
use amint_packages::rpm::read_database;

use super::SystemPackages;
use crate::index::{Index, chain};

const FOLDERS: [&str; 2] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm"];
const NAMES: [&str; 3] = ["rpmdb.sqlite", "Packages.db", "Packages"];
/// The largest database that is read; one of 2,000 packages takes some 100 MB.
const DATABASE_BYTES_MAX: u64 = 1 << 30;

pub(super) fn read(index: &Index, distribution: &Distribution) -> SystemPackages {
    let mut found = SystemPackages::default();
    let mut seen = std::collections::HashSet::new();
    for folder in FOLDERS {
        for name in NAMES {
            let path = format!("{folder}/{name}");
            // One of the folders is often a link to the other.
            let Some(id) = index.find(path.as_bytes()).filter(|id| seen.insert(*id)) else { continue };
            found.path.clone_from(&path);
            let database = match index.read(id, DATABASE_BYTES_MAX) {
                Ok(bytes) => bytes,
                Err(error) => {
                    found.problems.push(format!("{path}: {}", chain(&error)));
                    continue;
                }
            };
            found.file_count += 1;
            let log = match index.find(format!("{path}-wal").as_bytes()) {
                Some(log) => match index.read(log, DATABASE_BYTES_MAX) {
                    Ok(bytes) => Some(bytes),
                    Err(error) => {
                        // Without it the newest packages may be missing.
                        found.problems.push(format!("{path}-wal: {}", chain(&error)));
                        None
                    }
                },
                None => None,
            };
            match read_database(&database, log.as_deref()) {
                Ok(database) => {
                    found.tell(&path, &database.problems);
                    for package in &database.packages {
                        found.packages.push(package.scanned(distribution, &path));
                        found.files.push(package.files.owned().collect());
                    }
                }
                Err(error) => found.problems.push(format!("{path}: {}", chain(&error))),
            }
        }
    }
    found
}
