//! apk: one text file.

use amint_packages::apk::read_installed;
use amint_packages::purl::Distribution;

use amint_disk::tree::FileTree;

use super::databases::{PackageDetails, SystemPackages};

const DATABASES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];
/// The largest database that is read.
const DATABASE_BYTES_MAX: u64 = 256 << 20;

pub(super) fn read(tree: &dyn FileTree, distribution: &Distribution) -> SystemPackages {
    let mut found = SystemPackages::default();
    let mut seen = std::collections::HashSet::new();
    for path in DATABASES {
        let Some(place) = found.place(tree, path) else { continue };
        // One of the folders is often a link to the other.
        if !seen.insert(place) {
            continue;
        }
        path.clone_into(&mut found.path);
        let Some(bytes) = found.content(tree, path, DATABASE_BYTES_MAX) else { continue };
        let database = read_installed(&bytes);
        found.tell(path, &database.problems);
        for package in &database.packages {
            found.packages.push(package.scanned(distribution, path));
            found.details.push(PackageDetails::default());
            found.files.push(package.files.owned().collect());
        }
    }
    found
}
