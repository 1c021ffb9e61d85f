//! dpkg: `/var/lib/dpkg`.

use std::collections::{HashMap, HashSet};

use amint_packages::Problems;
use amint_packages::dpkg::{
    Copyright, Diversions, DpkgPackage, InfoName, owned_files, read_status, read_status_part,
};
use amint_packages::purl::Distribution;

use super::SystemPackages;
use super::excluded::Excluded;
use crate::index::{EntryId, Index, chain};

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

pub(super) fn read(index: &Index, distribution: &Distribution) -> SystemPackages {
    let mut found = SystemPackages::default();
    let mut packages: Vec<(DpkgPackage, String)> = Vec::new();
    let mut known: HashSet<String> = HashSet::new();
    if let Some(id) = index.find(STATUS.as_bytes()) {
        STATUS.clone_into(&mut found.path);
        if let Some(bytes) = content(index, id, STATUS_BYTES_MAX, &mut found) {
            match read_status(bytes.as_slice()) {
                Ok(database) => {
                    found.tell(STATUS, &database.problems);
                    known.extend(database.packages.iter().map(|package| package.name.clone()));
                    packages.extend(database.installed().map(|package| (package.clone(), STATUS.to_owned())));
                }
                Err(error) => found.problems.push(format!("{STATUS}: {}", chain(&error))),
            }
        }
    }
    for (id, entry) in index.find(PARTS.as_bytes()).into_iter().flat_map(|folder| index.children(folder)) {
        if entry.name().ends_with(b".md5sums") {
            continue;
        }
        let path = index.path_text(id);
        PARTS.clone_into(&mut found.path);
        let Some(bytes) = content(index, id, STATUS_BYTES_MAX, &mut found) else { continue };
        match read_status_part(bytes.as_slice()) {
            Ok(database) => {
                found.tell(&path, &database.problems);
                known.extend(database.packages.iter().map(|package| package.name.clone()));
                packages.extend(database.installed().map(|package| (package.clone(), path.clone())));
            }
            Err(error) => found.problems.push(format!("{path}: {}", chain(&error))),
        }
    }
    let lists = info(index);
    tell_unknown(&lists, &known, &mut found);
    let excluded = Excluded::read(index, &mut found);
    let mut problems = Problems::default();
    let diversions = index
        .find(DIVERSIONS.as_bytes())
        .and_then(|id| content(index, id, LIST_BYTES_MAX, &mut found))
        .map(|bytes| Diversions::read(&bytes, &mut problems))
        .unwrap_or_default();
    found.tell(DIVERSIONS, &problems);
    for (package, path) in packages {
        let mut read = |kind: &str| {
            let with_architecture =
                format!("{}:{}.{kind}", package.name, package.architecture.as_deref().unwrap_or_default());
            let id =
                lists.get(&with_architecture).or_else(|| lists.get(&format!("{}.{kind}", package.name)))?;
            content(index, *id, LIST_BYTES_MAX, &mut found)
        };
        let list = read("list");
        let sums = read("md5sums").unwrap_or_default();
        let mut problems = Problems::default();
        let mut files = owned_files(&package, &list.unwrap_or_default(), &sums, &diversions, &mut problems);
        for file in &mut files {
            file.may_be_missing |= excluded.is_left_out(file.path.as_bytes());
        }
        let mut scanned = package.scanned(distribution, &path);
        let copyright = format!("/usr/share/doc/{}/copyright", package.name);
        if let Some(id) = index.find(copyright.as_bytes())
            && let Some(bytes) = content(index, id, COPYRIGHT_BYTES_MAX, &mut found)
        {
            scanned.licenses = Copyright::read(&bytes).names().into_iter().collect();
        }
        found.tell(&format!("files of {}", package.name), &problems);
        found.packages.push(scanned);
        found.files.push(files);
    }
    found
}

/// Tells of packages that have files and no entry in the status: it was cut off, or somebody hides them.
fn tell_unknown(lists: &HashMap<String, EntryId>, known: &HashSet<String>, found: &mut SystemPackages) {
    if found.path.is_empty() {
        return;
    }
    let mut unknown: Vec<&str> = lists
        .keys()
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

/// The files of `info`, by name.
fn info(index: &Index) -> HashMap<String, EntryId> {
    let folder = index.find(INFO.as_bytes());
    folder
        .into_iter()
        .flat_map(|folder| index.children(folder))
        .filter_map(|(id, entry)| {
            let name = String::from_utf8_lossy(entry.name()).into_owned();
            let is_wanted =
                InfoName::parse(&name).is_some_and(|name| matches!(name.kind, "list" | "md5sums"));
            is_wanted.then_some((name, id))
        })
        .collect()
}

pub(super) fn content(
    index: &Index,
    id: EntryId,
    limit_bytes: u64,
    found: &mut SystemPackages,
) -> Option<Vec<u8>> {
    match index.read(id, limit_bytes) {
        Ok(bytes) => {
            found.file_count += 1;
            Some(bytes)
        }
        Err(error) => {
            found.problems.push(format!("{}: {}", index.path_text(id), chain(&error)));
            None
        }
    }
}
