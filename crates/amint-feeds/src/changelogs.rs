//! Changelogs of newer versions: what they fix, from the packages of the archive themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use amint_debian::changelog::{NewEntries, entries_since};
use amint_debian::deb::{PackageChangelog, read_changelog};
use amint_vuln::{BuildError, Builder, ImporterKind, Input};
use jiff::Timestamp;

use crate::archives::{ArchiveCounts, Fetching};
use crate::error::FeedError;
use crate::index::{Binary, Newest};
use crate::installed::{Installed, compare, is_older};

/// How many packages of one source are tried until one has the changelog.
const TRIES_MAX: usize = 4;
/// How many changelogs are tried until one names a CVE id, where nothing is outdated.
const PRESENT_MAX: usize = 8;
/// Names of sources that are told in a warning.
const STEP: &str = "changelogs";

/// Where the records of changelogs go.
pub(crate) struct Target<'a> {
    pub(crate) builder: &'a mut Builder,
    pub(crate) name: String,
    pub(crate) date: Timestamp,
}

/// A source package whose changelog is being looked for.
struct Wanted<'a> {
    source: &'a str,
    newer_than: Option<&'a str>,
    newest: &'a Newest,
    tried: BTreeSet<&'a str>,
    next: Option<&'a Binary>,
}

/// Imports what the changelogs of newer versions fix.
///
/// Where nothing is outdated, the changelog of an installed package is taken in whole: so that the database knows that
/// changelogs of this release were looked at, and of which day.
pub(crate) fn add_changelogs(
    target: &mut Target<'_>,
    installed: &Installed,
    newest: &BTreeMap<String, Newest>,
    fetching: &Fetching<'_>,
    counts: &mut ArchiveCounts,
) -> Result<(), FeedError> {
    let mut outdated: Vec<Wanted<'_>> = Vec::new();
    for (source, version) in &installed.sources {
        if let Some(found) = newest.get(source).filter(|found| is_older(version, &found.version)) {
            outdated.push(Wanted::new(source, Some(version), found));
        }
    }
    counts.outdated += outdated.len();
    let mut records = fetch(outdated, target, installed, fetching, counts)?;
    let mut present: Vec<(&String, &Newest)> =
        newest.iter().filter(|(source, _)| installed.sources.contains_key(*source)).collect();
    present.sort_by_key(|(source, newest)| {
        let bytes = newest.binaries.first().map_or(u64::MAX, |binary| binary.file.bytes);
        (!newest.is_security, bytes, *source)
    });
    for (source, found) in present.into_iter().take(PRESENT_MAX) {
        if records > 0 {
            break;
        }
        // That one of these has no changelog says nothing of the image.
        let mut ignored = ArchiveCounts::default();
        records += fetch(vec![Wanted::new(source, None, found)], target, installed, fetching, &mut ignored)?;
    }
    Ok(())
}

impl<'a> Wanted<'a> {
    fn new(source: &'a str, newer_than: Option<&'a str>, newest: &'a Newest) -> Self {
        Self { source, newer_than, newest, tried: BTreeSet::new(), next: newest.binaries.first() }
    }

    /// Goes on to the package that is named, if it is of this source, or to the next smallest.
    fn go_on(&mut self, named: Option<&str>) {
        if let Some(tried) = self.next {
            self.tried.insert(tried.name.as_str());
        }
        let open = |binary: &&'a Binary| !self.tried.contains(binary.name.as_str());
        let binaries = &self.newest.binaries;
        let is_named = |binary: &&'a Binary| Some(binary.name.as_str()) == named;
        let found = binaries.iter().filter(open).find(is_named);
        self.next = found.or_else(|| binaries.iter().find(open)).filter(|_| self.tried.len() < TRIES_MAX);
    }
}

/// Fetches the packages of all sources at once, until each has its changelog or has no package left.
fn fetch(
    mut wanted: Vec<Wanted<'_>>,
    target: &mut Target<'_>,
    installed: &Installed,
    fetching: &Fetching<'_>,
    counts: &mut ArchiveCounts,
) -> Result<u64, FeedError> {
    let mut records = 0;
    while !wanted.is_empty() {
        let (mut fetched, gone): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|wanted| wanted.next.is_some());
        counts.unread.extend(gone.iter().map(|wanted| wanted.source.to_owned()));
        let files: Vec<_> = fetched.iter().filter_map(|wanted| Some(wanted.next?.file.clone())).collect();
        let paths = fetching
            .client
            .packages(&files, STEP, fetching.sink, fetching.cancel)
            .map_err(|source| FeedError::Archive { name: target.name.clone(), source: Box::new(source) })?;
        let mut left = Vec::new();
        for (mut wanted, path) in fetched.drain(..).zip(&paths) {
            match read(&wanted, path) {
                PackageChangelog::Found(entries) if entries.count > 0 => {
                    if !entries.is_whole {
                        counts.cut.push(wanted.source.to_owned());
                    }
                    let added = add(target, installed, &entries)?;
                    counts.read += 1;
                    records += added;
                }
                PackageChangelog::In(other) => {
                    wanted.go_on(Some(&other));
                    left.push(wanted);
                }
                _ => {
                    wanted.go_on(None);
                    left.push(wanted);
                }
            }
        }
        wanted = left;
    }
    Ok(records)
}

fn add(target: &mut Target<'_>, installed: &Installed, entries: &NewEntries) -> Result<u64, BuildError> {
    let kind = ImporterKind::DebianChangelog { ecosystem: installed.ecosystem.clone() };
    let added = target.builder.add(&target.name, target.date, &kind, Input::bytes(&entries.text))?;
    Ok(added.records)
}

fn read(wanted: &Wanted<'_>, path: &Path) -> PackageChangelog<NewEntries> {
    let name = wanted.next.map_or("", |binary| binary.name.as_str());
    read_changelog(path, name, |text| entries_since(text, wanted.source, wanted.newer_than, compare))
        .unwrap_or(PackageChangelog::Missing)
}
