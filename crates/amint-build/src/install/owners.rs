//! Which package brings which path, and what happens when two bring the same (Debian policy, section 7.6).

use std::collections::HashMap;
use std::path::Path;
use std::sync::Mutex;

use super::package::Candidate;

/// Folders that merged `/usr` turns into links: the same file has two names.
const ALIASED: [&[u8]; 6] = [b"bin", b"sbin", b"lib", b"lib32", b"lib64", b"libx32"];

/// Who may have a path that is there already.
pub(super) enum Verdict {
    /// Nobody: it is overwritten.
    Free,
    /// The newcomer replaces the old owner.
    Newcomer,
    /// The old owner replaces the newcomer: the path stays as it is.
    Owner,
    /// Neither: an error that names the owner.
    Conflict(String),
}

/// The paths of all packages that are being unpacked, and on demand those of packages installed before.
pub(super) struct Owners<'a> {
    candidates: &'a [Candidate],
    new: Mutex<HashMap<Vec<u8>, usize>>,
    /// Paths of packages installed before, read when first needed.
    old: std::sync::OnceLock<HashMap<Vec<u8>, Box<str>>>,
    info: std::path::PathBuf,
    lost: Mutex<Vec<Lost>>,
}

/// A path that went from one package to another.
pub(super) struct Lost {
    /// The package that no longer has it: by index, or by the name of its list for one installed before.
    pub(super) from: From,
    /// The path, relative.
    pub(super) path: Vec<u8>,
}

/// Who lost a path.
pub(super) enum From {
    New(usize),
    Old(Box<str>),
}

impl<'a> Owners<'a> {
    pub(super) fn new(candidates: &'a [Candidate], tree: &Path) -> Self {
        Self {
            candidates,
            new: Mutex::default(),
            old: std::sync::OnceLock::new(),
            info: tree.join("var/lib/dpkg/info"),
            lost: Mutex::default(),
        }
    }

    /// Notes that `package` brings `path`; returns the package that brought it before, if one did.
    pub(super) fn claim(&self, path: &[u8], package: usize) -> Option<usize> {
        let mut new = self.new.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match new.entry(merged(path)) {
            std::collections::hash_map::Entry::Vacant(entry) => {
                entry.insert(package);
                None
            }
            std::collections::hash_map::Entry::Occupied(entry) => {
                Some(*entry.get()).filter(|owner| *owner != package)
            }
        }
    }

    /// Decides who gets a path that `package` brings and `other` brought before.
    pub(super) fn decide(&self, path: &[u8], package: usize, other: usize) -> Verdict {
        let (new, old) = (&self.candidates[package], &self.candidates[other]);
        if new.replaces(&old.name, &old.version) {
            self.give(path, Some(package), From::New(other));
            Verdict::Newcomer
        } else if old.replaces(&new.name, &new.version) {
            self.give(path, None, From::New(package));
            Verdict::Owner
        } else {
            Verdict::Conflict(old.name.clone())
        }
    }

    /// Decides about a path that `package` brings and that no package of this run brought, but that is there.
    pub(super) fn decide_existing(&self, path: &[u8], package: usize) -> Verdict {
        let old = self.old.get_or_init(|| read_lists(&self.info));
        let Some(list) = old.get(&merged(path)) else { return Verdict::Free };
        let name = list.split(':').next().unwrap_or(list);
        if name == self.candidates[package].name {
            return Verdict::Free;
        }
        if self.candidates[package].replaces_any_version(name) {
            self.give(path, None, From::Old(list.clone()));
            return Verdict::Newcomer;
        }
        Verdict::Conflict(name.to_owned())
    }

    fn give(&self, path: &[u8], owner: Option<usize>, from: From) {
        if let Some(owner) = owner {
            let mut new = self.new.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            new.insert(merged(path), owner);
        }
        let mut lost = self.lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        lost.push(Lost { from, path: path.to_owned() });
    }

    /// Returns the paths that went from one package to another.
    pub(super) fn take_lost(&self) -> Vec<Lost> {
        std::mem::take(&mut *self.lost.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }
}

/// Returns the name under `/usr` of a path that has two.
fn merged(path: &[u8]) -> Vec<u8> {
    let first = path.split(|byte| *byte == b'/').next().unwrap_or_default();
    if ALIASED.contains(&first) && path.len() > first.len() {
        [b"usr/", path].concat()
    } else {
        path.to_owned()
    }
}

/// Reads which package has which path, from dpkg's database.
fn read_lists(info: &Path) -> HashMap<Vec<u8>, Box<str>> {
    let mut owners = HashMap::new();
    let Ok(entries) = std::fs::read_dir(info) else { return owners };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(package) = name.to_str().and_then(|name| name.strip_suffix(".list")) else { continue };
        let Ok(list) = std::fs::read(entry.path()) else { continue };
        for line in list.split(|byte| *byte == b'\n') {
            if let Some(path) = line.strip_prefix(b"/")
                && path != b"."
            {
                owners.insert(merged(path), package.into());
            }
        }
    }
    owners
}
