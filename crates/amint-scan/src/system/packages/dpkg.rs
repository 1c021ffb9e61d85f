//! dpkg: `/var/lib/dpkg`.

use std::collections::HashSet;

use amint_disk::tree::FileTree;
use amint_packages::dpkg::{Diversions, DpkgPackage, InfoName, owned_files, read_status, read_status_part};
use amint_packages::purl::Distribution;
use amint_packages::{OwnedFile, Problems};

use super::databases::{PackageDetails, SystemPackages};
use super::excluded::Excluded;
use super::licenses::licenses;
use crate::error::chain;

const STATUS: &str = "/var/lib/dpkg/status";
const PARTS: &str = "/var/lib/dpkg/status.d";
const INFO: &str = "/var/lib/dpkg/info";
const DIVERSIONS: &str = "/var/lib/dpkg/diversions";
/// The largest database that is read.
const STATUS_BYTES_MAX: u64 = 256 << 20;
/// The largest list of files that is read.
const LIST_BYTES_MAX: u64 = 64 << 20;
/// The largest statement of licences that is read.
const COPYRIGHT_BYTES_MAX: u64 = 4 << 20;

pub(super) fn read(tree: &dyn FileTree, distribution: &Distribution) -> SystemPackages {
    let mut found = SystemPackages::default();
    let mut known: HashSet<String> = HashSet::new();
    let packages = packages(tree, &mut known, &mut found);
    let lists = info(tree, &mut found);
    tell_unknown(&lists, &known, &mut found);
    let excluded = Excluded::read(tree, &mut found);
    let mut problems = Problems::default();
    let diversions = found
        .content(tree, DIVERSIONS, LIST_BYTES_MAX)
        .map(|bytes| Diversions::read(&bytes, &mut problems))
        .unwrap_or_default();
    found.tell(DIVERSIONS, &problems);
    for (package, path) in packages {
        let files = files(tree, &package, &lists, &diversions, &excluded, &mut found);
        let mut scanned = package.scanned(distribution, &path);
        let copyright = format!("/usr/share/doc/{}/copyright", package.name);
        if let Some(bytes) = found.content(tree, &copyright, COPYRIGHT_BYTES_MAX) {
            scanned.licenses = licenses(&bytes);
        }
        found.packages.push(scanned);
        found.details.push(PackageDetails {
            section: package.section,
            status: Some(package.status),
            is_essential: package.is_essential,
        });
        found.files.push(files);
    }
    found
}

/// The packages of which files are there, each with the file that tells of it.
fn packages(
    tree: &dyn FileTree,
    known: &mut HashSet<String>,
    found: &mut SystemPackages,
) -> Vec<(DpkgPackage, String)> {
    let mut packages = Vec::new();
    let parts = found.names(tree, PARTS).into_iter().filter(|name| !name.ends_with(".md5sums"));
    let parts: Vec<String> = parts.map(|name| format!("{PARTS}/{name}")).collect();
    for path in std::iter::once(STATUS.to_owned()).chain(parts) {
        if found.place(tree, &path).is_none() {
            continue;
        }
        let is_part = path != STATUS;
        if is_part { PARTS } else { STATUS }.clone_into(&mut found.path);
        let Some(bytes) = found.content(tree, &path, STATUS_BYTES_MAX) else { continue };
        let database =
            if is_part { read_status_part(bytes.as_slice()) } else { read_status(bytes.as_slice()) };
        match database {
            Ok(database) => {
                found.tell(&path, &database.problems);
                known.extend(database.packages.iter().map(|package| package.name.clone()));
                packages.extend(database.installed().map(|package| (package.clone(), path.clone())));
            }
            Err(error) => found.problems.push(format!("{path}: {}", chain(&error))),
        }
    }
    packages
}

/// The files that a package owns.
fn files(
    tree: &dyn FileTree,
    package: &DpkgPackage,
    lists: &HashSet<String>,
    diversions: &Diversions,
    excluded: &Excluded,
    found: &mut SystemPackages,
) -> Vec<OwnedFile> {
    let mut read = |kind: &str| {
        let architecture = package.architecture.as_deref().unwrap_or_default();
        let names = [format!("{}:{architecture}.{kind}", package.name), format!("{}.{kind}", package.name)];
        let name = names.iter().find(|name| lists.contains(*name))?;
        found.content(tree, &format!("{INFO}/{name}"), LIST_BYTES_MAX)
    };
    let list = read("list").unwrap_or_default();
    let sums = read("md5sums").unwrap_or_default();
    let mut problems = Problems::default();
    let mut files = owned_files(package, &list, &sums, diversions, &mut problems);
    for file in &mut files {
        file.may_be_missing |= excluded.is_left_out(file.path.as_bytes());
    }
    found.tell(&format!("files of {}", package.name), &problems);
    files
}

/// Tells of packages that have files and no entry in the status: it was cut off, or somebody hides them.
fn tell_unknown(lists: &HashSet<String>, known: &HashSet<String>, found: &mut SystemPackages) {
    if found.path.is_empty() {
        return;
    }
    let mut unknown: Vec<&str> = lists
        .iter()
        .filter_map(|name| InfoName::parse(name))
        .filter(|name| name.kind == "list" && !known.contains(name.package))
        .map(|name| name.package)
        .collect();
    unknown.sort_unstable();
    unknown.dedup();
    let problems =
        unknown.iter().map(|name| format!("{INFO} lists files of `{name}`, which the status lacks"));
    found.problems.extend(problems);
}

/// The names of the lists of files.
fn info(tree: &dyn FileTree, found: &mut SystemPackages) -> HashSet<String> {
    let is_wanted =
        |name: &String| InfoName::parse(name).is_some_and(|name| matches!(name.kind, "list" | "md5sums"));
    found.names(tree, INFO).into_iter().filter(is_wanted).collect()
}
