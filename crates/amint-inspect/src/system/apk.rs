//! apk: one text file.

use amint_packages::apk::read_installed;
use amint_packages::purl::Distribution;

use super::SystemPackages;
use crate::index::{Index, chain};

const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
/// The largest database that is read.
const DATABASE_BYTES_MAX: u64 = 256 << 20;

pub(super) fn read(index: &Index, distribution: &Distribution) -> SystemPackages {
    let mut found = SystemPackages::default();
    let mut seen = std::collections::HashSet::new();
    for path in DATABASES {
        let Some(id) = index.find(path.as_bytes()).filter(|id| seen.insert(*id)) else { continue };
        path.clone_into(&mut found.path);
        match index.read(id, DATABASE_BYTES_MAX) {
            Ok(bytes) => {
                found.file_count += 1;
                let database = read_installed(&bytes);
                found.tell(path, &database.problems);
                for package in &database.packages {
                    found.packages.push(package.scanned(distribution, path));
                    found.files.push(package.files.owned().collect());
                }
            }
            Err(error) => found.problems.push(format!("{path}: {}", chain(&error))),
        }
    }
    found
}
