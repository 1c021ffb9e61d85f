//! Which package owns which file, and what it should hold.

use std::collections::HashMap;

use amint_fs::Kind;
use amint_packages::{Actual, Change, OwnedFile};
use amint_scan::system::packages::Databases;
use amint_types::scan::{ModifiedFile, ScannedPackage};

use crate::index::{EntryId, Index, chain};

/// Endings of files that are code without being executable themselves.
const CODE_ENDINGS: [&[u8]; 12] = [
    b".so", b".ko", b".ko.xz", b".ko.zst", b".py", b".pl", b".pm", b".rb", b".js", b".php", b".jar", b".mod",
];
/// Where nothing is code, whatever its mode.
const NO_CODE: [&[u8]; 4] = [b"/usr/share/doc/", b"/usr/share/man/", b"/usr/share/info/", b"/usr/include/"];

/// Owners of files by their place in the index.
#[derive(Debug, Default)]
pub struct Owners {
    /// Package and file, by entry.
    files: HashMap<EntryId, (u32, u32)>,
    /// Files that should be there and are not.
    pub missing: Vec<ModifiedFile>,
}

impl Owners {
    /// Finds every owned file in the index, following links in the middle of its path: `/bin/ls` may be `/usr/bin/ls`.
    pub fn find(index: &Index, databases: &Databases) -> Self {
        let mut owners = Self::default();
        let mut folders: HashMap<&[u8], Option<EntryId>> = HashMap::new();
        for (number, files) in databases.files.iter().enumerate() {
            let package = u32::try_from(number).unwrap_or(u32::MAX);
            for (place, file) in files.iter().enumerate() {
                let path = file.path.as_bytes();
                let cut = path.iter().rposition(|byte| *byte == b'/').unwrap_or(0);
                let (folder, name) = (&path[..cut], path.get(cut + 1..).unwrap_or_default());
                let folder = *folders.entry(folder).or_insert_with(|| index.find(folder));
                let Some(id) = folder.and_then(|folder| index.child(folder, name)) else {
                    let change = file.change(&Actual::Missing).filter(|_| !is_unknown(index, path));
                    let owner = databases.packages.get(number).map_or("", |package| package.name.as_str());
                    owners.missing.extend(change.map(|change| change.report(file, owner)));
                    continue;
                };
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                // Of several owners the one with a digest is asked about the content.
                let entry = owners.files.entry(id).or_insert((package, place));
                if file.digest.is_some() && !file.may_differ {
                    *entry = (package, place);
                }
            }
        }
        owners
    }

    /// Returns the package that owns an entry.
    pub fn package(&self, id: EntryId) -> Option<usize> {
        self.files.get(&id).map(|(package, _)| *package as usize)
    }

    /// Returns the owned file that an entry is.
    pub fn file<'a>(&self, id: EntryId, databases: &'a Databases) -> Option<&'a OwnedFile> {
        let (package, place) = self.files.get(&id)?;
        databases.files.get(*package as usize)?.get(*place as usize)
    }

    /// Says what is no regular file any more, which no content tells; and which links could not be read.
    pub fn replaced(&self, index: &Index, databases: &Databases) -> (Vec<ModifiedFile>, Vec<String>) {
        let (mut found, mut problems) = (Vec::new(), Vec::new());
        for (id, (package, _)) in &self.files {
            let entry = index.entry(*id);
            if entry.kind == Kind::File || entry.is_unread {
                continue;
            }
            let Some(file) = self.file(*id, databases).filter(|file| file.digest.is_some()) else { continue };
            let owner = databases.packages.get(*package as usize).map_or("", |package| package.name.as_str());
            let change: Option<Change> = match entry.kind {
                Kind::Link => match index.read_link(*id) {
                    Ok(target) => file.change(&Actual::Link { target: &target }),
                    Err(error) => {
                        problems.push(format!("{}: {}", index.path_text(*id), chain(&error)));
                        None
                    }
                },
                _ => file.change(&Actual::Other),
            };
            found.extend(change.map(|change| change.report(file, owner)));
        }
        problems.sort();
        (found, problems)
    }

    /// Notes for each package whether any of its files is code.
    pub fn note_code(&self, index: &Index, packages: &mut [ScannedPackage]) {
        let mut has_files = vec![false; packages.len()];
        let mut has_code = vec![false; packages.len()];
        for (id, (package, _)) in &self.files {
            let entry = index.entry(*id);
            let package = *package as usize;
            if entry.kind != Kind::File || package >= packages.len() {
                continue;
            }
            has_files[package] = true;
            if has_code[package] {
                continue;
            }
            let name = entry.name();
            let looks_like_code = entry.mode & 0o111 != 0
                || CODE_ENDINGS.iter().any(|ending| name.ends_with(ending))
                || name.windows(4).any(|part| part == b".so.")
                || name.starts_with(b"vmlinu");
            if looks_like_code {
                let path = index.path(*id);
                has_code[package] = !NO_CODE.iter().any(|folder| path.starts_with(folder));
            }
        }
        for (number, package) in packages.iter_mut().enumerate() {
            package.has_code = Some(has_code[number]).filter(|_| has_files[number]);
        }
    }
}

/// Tells whether a path leads into a folder that could not be read: what is not found there may still be there.
fn is_unknown(index: &Index, path: &[u8]) -> bool {
    let cuts = path.iter().enumerate().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
    let nearest = cuts.collect::<Vec<_>>().into_iter().rev().find_map(|cut| index.find(&path[..cut]));
    nearest.is_some_and(|folder| index.entry(folder).is_unread)
}
