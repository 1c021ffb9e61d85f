//! What an update brings: the difference of two lock files, for people.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;

use super::model::{InputKind, Lock, LockedInput, LockedPackage};

/// The difference of two lock files, everything sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LockDiff {
    /// Packages that only the new one has.
    pub new: Vec<PackageChange>,
    /// Packages that only the old one has.
    pub gone: Vec<PackageChange>,
    /// Packages with a higher version.
    pub upgraded: Vec<Upgrade>,
    /// Packages with a lower version.
    pub downgraded: Vec<Upgrade>,
    /// Packages with the same version and other content: an archive should never do that.
    pub replaced: Vec<PackageChange>,
    /// Files of this machine that changed.
    pub inputs: Vec<InputChange>,
    /// Ids of suites that only the new one has.
    pub suites_new: Vec<String>,
    /// Ids of suites that only the old one has.
    pub suites_gone: Vec<String>,
    /// How much there is to fetch: the size of all packages that are not in the old one.
    pub fetch_bytes: u64,
}

/// A package that came, went or was replaced.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageChange {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its source package.
    pub source: String,
    /// The id of the suite that it is taken from.
    pub suite: String,
    /// Whether it is asked for by name.
    pub is_requested: bool,
}

/// A package whose version changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Upgrade {
    /// The package.
    pub name: String,
    /// The old version.
    pub from: String,
    /// The new version.
    pub to: String,
    /// Its source package.
    pub source: String,
    /// The old version of the source package: what changelogs go by.
    pub source_from: String,
    /// The new version of the source package.
    pub source_to: String,
    /// The id of the suite that the new version is taken from.
    pub suite: String,
    /// The CVE ids that the changelog names between the two; [`diff`] leaves them out, its caller has the changelogs.
    pub cves: Vec<String>,
}

/// A file of this machine that is not what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InputChange {
    /// What it is.
    pub kind: InputKind,
    /// The path, as in the recipe.
    pub path: String,
    /// What happened to it.
    pub change: Change,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Change {
    /// The recipe names it anew.
    Added,
    /// The recipe no longer names it.
    Removed,
    /// Its content changed.
    Content,
    /// Only that changed: it may be executed now.
    Executable,
    /// Only that changed: it may no longer be executed.
    NotExecutable,
}

impl fmt::Display for InputChange {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, path, .. } = self;
        match self.change {
            Change::Added => write!(formatter, "the {kind} `{path}` was added to the recipe"),
            Change::Removed => write!(formatter, "the {kind} `{path}` was removed from the recipe"),
            Change::Content => write!(formatter, "`{path}` changed"),
            Change::Executable => write!(formatter, "`{path}` became executable"),
            Change::NotExecutable => write!(formatter, "`{path}` ceased to be executable"),
        }
    }
}

/// Compares two lock files; `compare_versions` has the order of Debian's versions (`deb-version(7)`).
pub fn diff(old: &Lock, new: &Lock, compare_versions: impl Fn(&str, &str) -> Ordering) -> LockDiff {
    let mut diff = LockDiff { inputs: compare_inputs(&old.inputs, &new.inputs), ..LockDiff::default() };
    let by_name = |lock: &'_ Lock| -> BTreeMap<String, LockedPackage> {
        lock.packages.iter().map(|package| (package.name.clone(), package.clone())).collect()
    };
    let (before, after) = (by_name(old), by_name(new));
    for (name, package) in &after {
        let previous = before.get(name);
        if previous.is_none_or(|previous| previous.sha256 != package.sha256) {
            diff.fetch_bytes = diff.fetch_bytes.saturating_add(package.bytes);
        }
        let Some(previous) = previous else {
            diff.new.push(package.into());
            continue;
        };
        match compare_versions(&previous.version, &package.version) {
            Ordering::Less => diff.upgraded.push(Upgrade::new(previous, package)),
            Ordering::Greater => diff.downgraded.push(Upgrade::new(previous, package)),
            Ordering::Equal if previous.sha256 != package.sha256 => diff.replaced.push(package.into()),
            Ordering::Equal => {}
        }
    }
    let is_gone = |package: &&LockedPackage| !after.contains_key(&package.name);
    diff.gone = before.values().filter(is_gone).map(PackageChange::from).collect();
    let ids =
        |lock: &Lock| -> BTreeSet<String> { lock.suites.iter().map(|suite| suite.id.clone()).collect() };
    let (before, after) = (ids(old), ids(new));
    diff.suites_new = after.difference(&before).cloned().collect();
    diff.suites_gone = before.difference(&after).cloned().collect();
    diff
}

/// Compares the inputs of two lock files, whatever their order.
pub(super) fn compare_inputs(old: &[LockedInput], new: &[LockedInput]) -> Vec<InputChange> {
    let by_path = |inputs: &[LockedInput]| -> BTreeMap<(InputKind, String), LockedInput> {
        inputs.iter().map(|input| ((input.kind, input.path.clone()), input.clone())).collect()
    };
    let (before, after) = (by_path(old), by_path(new));
    let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let changes = all.into_iter().filter_map(|key| {
        let change = match (before.get(key), after.get(key)) {
            (None, _) => Change::Added,
            (_, None) => Change::Removed,
            (Some(before), Some(after)) if before.sha256 != after.sha256 => Change::Content,
            (Some(before), Some(after)) => match (before.is_executable, after.is_executable) {
                (false, true) => Change::Executable,
                (true, false) => Change::NotExecutable,
                _ => return None,
            },
        };
        Some(InputChange { kind: key.0, path: key.1.clone(), change })
    });
    changes.collect()
}

impl From<&LockedPackage> for PackageChange {
    fn from(package: &LockedPackage) -> Self {
        Self {
            name: package.name.clone(),
            version: package.version.clone(),
            source: package.source.clone(),
            suite: package.suite.clone(),
            is_requested: package.is_requested,
        }
    }
}

impl Upgrade {
    pub(super) fn new(old: &LockedPackage, new: &LockedPackage) -> Self {
        Self {
            name: new.name.clone(),
            from: old.version.clone(),
            to: new.version.clone(),
            source: new.source.clone(),
            source_from: old.source_version.clone(),
            source_to: new.source_version.clone(),
            suite: new.suite.clone(),
            cves: Vec::new(),
        }
    }
}

impl LockDiff {
    /// Tells whether the two name the same packages and files.
    pub fn is_empty(&self) -> bool {
        !self.has_packages()
            && self.inputs.is_empty()
            && self.suites_new.is_empty()
            && self.suites_gone.is_empty()
    }

    /// Tells whether a package differs.
    pub fn has_packages(&self) -> bool {
        let lists = [self.new.len(), self.gone.len(), self.replaced.len()];
        lists.iter().any(|count| *count > 0) || !self.upgraded.is_empty() || !self.downgraded.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use amint_types::Digest;

    use super::*;
    use crate::lock::Stage;
    use crate::lock::testing::{lock, package};

    /// Good enough an order for the versions of these tests.
    fn order(left: &str, right: &str) -> Ordering {
        left.cmp(right)
    }

    fn changed() -> Lock {
        let mut new = lock();
        let nginx = new.packages.iter_mut().find(|package| package.name == "nginx").unwrap();
        *nginx = LockedPackage {
            is_requested: true,
            suite: "trixie-security".to_owned(),
            ..package("nginx", "1.26.3-3+deb13u1", Stage::Added)
        };
        let libc = new.packages.iter_mut().find(|package| package.name == "libc6").unwrap();
        libc.sha256 = Digest::of(b"other");
        new.packages.retain(|package| package.name != "agent");
        new.packages.push(package("curl", "8.14.1-2", Stage::Added));
        new.suites.retain(|suite| suite.id == "trixie");
        new.inputs[0].sha256 = Digest::of(b"other");
        new.inputs[1].is_executable = false;
        new.inputs.truncate(2);
        new
    }

    #[test]
    fn finds_nothing_between_a_lock_and_itself() {
        let mut other = lock();
        other.packages.reverse();
        let diff = diff(&lock(), &other, order);
        assert!(diff.is_empty() && !diff.has_packages());
        assert_eq!(diff.render(), "no package changed\n");
    }

    #[test]
    fn tells_apart_how_packages_and_files_changed() {
        let mut diff = diff(&lock(), &changed(), order);
        diff.upgraded[0].cves = vec!["CVE-2026-10002".to_owned(), "CVE-2026-9999".to_owned()];
        insta::assert_snapshot!(diff.render(), @r"
        upgraded (1)
          nginx  1.26.3-3 ->  1.26.3-3+deb13u1  trixie-security

        new (1)
          curl  8.14.1-2  trixie

        gone (1)
          agent  7.1  repo:vendor

        same version with other content (1)
          libc6  2.41-12  trixie

        CVE ids in the changelogs (2)
          nginx  CVE-2026-9999 CVE-2026-10002

        files of the recipe (3)
          `site/` changed
          `scripts/configure.sh` ceased to be executable
          the keyring `keys/vendor.asc` was removed from the recipe

        suites gone (1)
          repo:vendor

        1 upgraded, 1 new, 1 gone, 1 with other content, 2.9 KiB to fetch, 3 files of the recipe changed
        ");
    }

    #[test]
    fn tells_the_way_back_as_a_downgrade() {
        let diff = diff(&changed(), &lock(), order);
        assert_eq!((diff.upgraded.len(), diff.downgraded.len()), (0, 1));
        assert_eq!(diff.downgraded[0].source_to, "1.26.3-3");
        assert_eq!(diff.suites_new, ["repo:vendor"]);
        assert_eq!(
            diff.summary(),
            "1 downgraded, 1 new, 1 gone, 1 with other content, 2.9 KiB to fetch, 3 files of the recipe changed"
        );
    }
}
