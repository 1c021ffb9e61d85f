//! The sets that are compared: written ones, ones with versions out of the index, and random ones.

use amint_debian::package::PackageRecord;
use amint_debian::resolve::{Pin, PinTarget, Wanted};
use amint_debian::version::Version;
use amint_types::Digest;

use crate::lists::Release;
use crate::sets;

/// How many random sets there are for each release.
const RANDOM_COUNT: usize = 30;
/// Changes which packages the random sets are made of.
const RANDOM_SEED: &str = "oracle-1";

/// A set of packages with the options that count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Case {
    /// What it is called in the table of differences.
    pub(crate) label: String,
    pub(crate) install: Vec<Wanted>,
    pub(crate) recommends: bool,
    pub(crate) with_essential: bool,
    pub(crate) pins: Vec<Pin>,
    pub(crate) holds: Vec<(String, Version)>,
}

pub(crate) fn all(release: &Release) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in sets::COMMON.lines().chain(sets::of(release.codename).lines()) {
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            cases.push(written(release, line));
        }
    }
    cases.extend(random(release));
    for (index, case) in cases.iter().enumerate() {
        let is_new = cases[..index].iter().all(|other| other.label != case.label);
        assert!(is_new, "`{}` is there twice", case.label);
    }
    cases
}

/// Reads a line of options and packages; `sets.rs` tells its form.
fn written(release: &Release, line: &str) -> Case {
    let mut case = Case { label: line.to_owned(), ..Case::default() };
    for word in line.split_whitespace() {
        match word.split_once(':') {
            Some(("pin", pin)) => case.pins.push(read_pin(pin)),
            Some(("hold", held)) => {
                let (name, which) = held.split_once('=').unwrap();
                case.holds.push((name.to_owned(), version(release, name, which)));
            }
            _ if word == "+recommends" => case.recommends = true,
            _ if word == "+essential" => case.with_essential = true,
            _ => {
                let mut wanted = Wanted::from_text(word);
                if let Some(which @ ("oldest" | "newest")) = wanted.version.as_deref() {
                    wanted.version = Some(version(release, &wanted.name, which).to_string());
                }
                case.install.push(wanted);
            }
        }
    }
    case
}

/// Reads `PACKAGE@SUITE@PRIORITY` or `PACKAGE@=VERSION@PRIORITY`.
fn read_pin(text: &str) -> Pin {
    let parts: Vec<&str> = text.split('@').collect();
    let [package, target, priority] = parts[..] else { panic!("`{text}` is no pin") };
    let target = match target.strip_prefix('=') {
        Some(version) => PinTarget::Version(version.to_owned()),
        None => PinTarget::Suite(target.to_owned()),
    };
    Pin { package: package.to_owned(), target, priority: priority.parse().unwrap() }
}

/// Returns the oldest or newest version of a package, without those of backports.
fn version(release: &Release, name: &str, which: &str) -> Version {
    let universe = &release.universe;
    let records = universe.versions(name).map(|place| &universe.packages()[place]);
    let is_automatic = |record: &&PackageRecord| !universe.origins()[record.origin].not_automatic;
    let mut versions: Vec<_> = records.filter(is_automatic).map(|record| record.version.clone()).collect();
    versions.sort();
    let found = if which == "oldest" { versions.first() } else { versions.last() };
    found.unwrap_or_else(|| panic!("{} has no `{name}`", release.codename)).clone()
}

/// Makes sets of packages whose names have the smallest digests: as the archive changes, most sets stay.
fn random(release: &Release) -> Vec<Case> {
    let mut names: Vec<_> = release
        .universe
        .names()
        .map(|name| (Digest::of(format!("{RANDOM_SEED} {name}").as_bytes()), name.to_owned()))
        .collect();
    names.sort();
    let mut names = names.into_iter().map(|(_, name)| Wanted { name, ..Wanted::default() });
    let mut cases = Vec::new();
    for number in 0..RANDOM_COUNT {
        let install: Vec<Wanted> = names.by_ref().take(1 + number % 3).collect();
        let recommends = number % 2 == 1;
        let words: Vec<&str> = install.iter().map(|wanted| wanted.name.as_str()).collect();
        let label = format!("random {}{}", if recommends { "+recommends " } else { "" }, words.join(" "));
        cases.push(Case { label, install, recommends, ..Case::default() });
    }
    cases
}
