//! What two scans differ in: two images, or one image on two days.
//!
//! `new` is what only the later scan has, `gone` what only the earlier one had, `changed` what both have in another
//! state. Order is the order of the scans themselves, which are sorted.

use std::collections::HashMap;
use std::hash::Hash;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::scan::{
    Certificate, Kernel, ModifiedFile, PackageKind, Privileged, ScanFinding, ScanVerdict, ScannedPackage,
    Service, Target, User,
};

/// The version of the JSON format of [`ScanDifference`].
pub const FORMAT_VERSION: u32 = 1;

/// One of the two scans.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// What was scanned.
    pub target: Target,
    /// When.
    pub scanned_at: Timestamp,
    /// With what verdict.
    pub verdict: ScanVerdict,
}

/// One thing in its two states.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed<T> {
    /// As the earlier scan saw it.
    pub old: T,
    /// As the later scan saw it.
    pub new: T,
}

/// The differences between two lists of things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes<T, C = Changed<T>> {
    /// What came.
    pub new: Vec<T>,
    /// What went.
    pub gone: Vec<T>,
    /// What changed.
    pub changed: Vec<C>,
}

impl<T, C> Changes<T, C> {
    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    /// Returns how many things differ.
    pub fn count(&self) -> usize {
        self.new.len() + self.gone.len() + self.changed.len()
    }
}

/// A package in another version.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageChange {
    /// What kind it is.
    pub kind: PackageKind,
    /// Its name.
    pub name: String,
    /// Its architecture, where it has one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub architecture: Option<String>,
    /// Where the later scan found it.
    pub path: String,
    /// The version before.
    pub old_version: String,
    /// The version now.
    pub new_version: String,
}

/// A port that a service listens on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Port {
    /// Which: `tcp/22`.
    pub port: String,
    /// The service: `ssh.service`.
    pub service: String,
}

/// A file as one of two images has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileState {
    /// Its path.
    pub path: String,
    /// What it is: `file`, `folder`, `link`.
    pub kind: String,
    /// Permission bits, in octal.
    pub mode: String,
    /// Owner and group: `0:0`.
    pub owner: String,
    /// Size of a regular file.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub bytes: Option<u64>,
}

/// All that two scans differ in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScanDifference {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The earlier scan.
    pub old: Side,
    /// The later scan.
    pub new: Side,
    /// Findings; one that only moved, or whose package has another version and is still affected, is no change.
    pub findings: Changes<ScanFinding>,
    /// Packages.
    pub packages: Changes<ScannedPackage, PackageChange>,
    /// Kernels.
    pub kernels: Changes<Kernel>,
    /// Users.
    pub users: Changes<User>,
    /// Services.
    pub services: Changes<Service>,
    /// Ports that services listen on.
    pub ports: Changes<Port>,
    /// Files that give rights.
    pub privileged: Changes<Privileged>,
    /// Certificates.
    pub certificates: Changes<Certificate>,
    /// Files of packages that are not as the package brought them.
    pub modified_files: Changes<ModifiedFile>,
    /// All files, where both images were at hand: a report alone does not tell them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub files: Option<Changes<FileState>>,
}

impl ScanDifference {
    /// Returns how many things differ; ports count apart from their services.
    pub fn count(&self) -> usize {
        [
            self.findings.count(),
            self.packages.count(),
            self.kernels.count(),
            self.users.count(),
            self.services.count(),
            self.ports.count(),
            self.privileged.count(),
            self.certificates.count(),
            self.modified_files.count(),
            self.files.as_ref().map_or(0, Changes::count),
        ]
        .into_iter()
        .sum()
    }

    /// Tells whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }
}

/// What of two lists has a partner in the other list, and what has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Matched<'a, T> {
    /// Partners: the earlier and the later one.
    pub pairs: Vec<(&'a T, &'a T)>,
    /// What only the later list has.
    pub new: Vec<&'a T>,
    /// What only the earlier list has.
    pub gone: Vec<&'a T>,
}

/// Pairs what has the same key, in order.
pub fn matched<'a, T, K: Eq + Hash>(
    old: impl Iterator<Item = &'a T>,
    new: impl Iterator<Item = &'a T>,
    key: impl Fn(&'a T) -> K,
) -> Matched<'a, T> {
    let old: Vec<&T> = old.collect();
    // Last first, so that `pop` gives them in order.
    let mut open: HashMap<K, Vec<usize>> = HashMap::new();
    for (index, one) in old.iter().enumerate().rev() {
        open.entry(key(one)).or_default().push(index);
    }
    let mut is_paired = vec![false; old.len()];
    let mut result = Matched { pairs: Vec::new(), new: Vec::new(), gone: Vec::new() };
    for one in new {
        let partner = open.get_mut(&key(one)).and_then(Vec::pop);
        match partner.and_then(|index| old.get(index).map(|partner| (index, *partner))) {
            Some((index, partner)) => {
                if let Some(is_paired) = is_paired.get_mut(index) {
                    *is_paired = true;
                }
                result.pairs.push((partner, one));
            }
            None => result.new.push(one),
        }
    }
    let unpaired = old.iter().zip(is_paired).filter(|(_, is_paired)| !is_paired);
    result.gone = unpaired.map(|(one, _)| *one).collect();
    result
}
