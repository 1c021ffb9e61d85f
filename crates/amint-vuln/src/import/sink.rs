//! Where importers put what they find: checks it, cuts it, counts it.

use std::collections::BTreeSet;

use crate::database::{Store, Table, encode_facts, encode_record, encode_support, encode_text, key};
use crate::ecosystem::Ecosystem;
use crate::record::{Facts, RangeEnd, Record, SupportNote};
use crate::versions::VERSION_BYTES_MAX;

use super::ImportError;

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 200;
const ID_BYTES_MAX: usize = 128;
const NAME_BYTES_MAX: usize = 512;
const RANGES_MAX: usize = 10_000;
const VERSIONS_MAX: usize = 100_000;
const IDS_MAX: usize = 20_000;

/// What an import gave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImportCounts {
    /// Records on packages.
    pub records: u64,
    /// Facts on vulnerabilities.
    pub facts: u64,
    /// Versions in suites, and notes on support.
    pub others: u64,
    /// What could not be used: of an ecosystem that is not known, withdrawn, or out of form.
    pub skipped: u64,
}

/// Takes what one source says.
pub(crate) struct Sink<'a> {
    store: &'a mut Store,
    source: usize,
    pub(crate) counts: ImportCounts,
    pub(crate) ecosystems: BTreeSet<String>,
}

impl<'a> Sink<'a> {
    pub(crate) fn new(store: &'a mut Store, source: usize) -> Self {
        Self { store, source, counts: ImportCounts::default(), ecosystems: BTreeSet::new() }
    }

    pub(super) fn skip(&mut self) {
        self.counts.skipped = self.counts.skipped.saturating_add(1);
    }

    pub(super) fn record(&mut self, mut record: Record) -> Result<(), ImportError> {
        record.package = record.ecosystem.family().normal_name(record.package.trim());
        record.vulnerabilities.sort();
        record.vulnerabilities.dedup();
        record.aliases.sort();
        record.aliases.dedup();
        record.ranges.sort();
        record.ranges.dedup();
        if !is_good(&record) {
            self.skip();
            return Ok(());
        }
        let ecosystem = record.ecosystem.to_string();
        let key = key(Table::Records, &[&ecosystem, &record.package]);
        self.store.add(key, self.source, &encode_record(&record))?;
        self.ecosystems.insert(ecosystem);
        self.counts.records = self.counts.records.saturating_add(1);
        Ok(())
    }

    pub(super) fn facts(&mut self, id: &str, mut facts: Facts) -> Result<(), ImportError> {
        facts.title = facts.title.as_deref().and_then(one_line);
        facts.aliases.retain(|alias| is_id(alias) && alias != id);
        facts.aliases.sort();
        facts.aliases.dedup();
        if facts == Facts::default() {
            return Ok(());
        }
        if !is_id(id) || facts.aliases.len() > IDS_MAX {
            self.skip();
            return Ok(());
        }
        self.store.add(key(Table::Facts, &[id]), self.source, &encode_facts(&facts))?;
        self.counts.facts = self.counts.facts.saturating_add(1);
        Ok(())
    }

    pub(super) fn newest(
        &mut self,
        ecosystem: &Ecosystem,
        suite: &str,
        source: &str,
        version: &str,
    ) -> Result<(), ImportError> {
        if !is_text(source, NAME_BYTES_MAX) || !is_text(version, VERSION_BYTES_MAX) {
            self.skip();
            return Ok(());
        }
        let key = key(Table::Newest, &[&format!("{ecosystem}/{suite}"), source]);
        self.store.add(key, self.source, &encode_text(version))?;
        self.counts.others = self.counts.others.saturating_add(1);
        Ok(())
    }

    /// Notes that all versions of a suite were told.
    pub(super) fn suite(&mut self, ecosystem: &Ecosystem, suite: &str) -> Result<(), ImportError> {
        if !is_text(suite, ID_BYTES_MAX) {
            return Err(ImportError::Form("the suite has no name"));
        }
        let key = key(Table::Suites, &[&format!("{ecosystem}/{suite}")]);
        self.store.add(key, self.source, &encode_text(suite))?;
        self.ecosystems.insert(ecosystem.to_string());
        Ok(())
    }

    pub(super) fn support(
        &mut self,
        ecosystem: &Ecosystem,
        mut note: SupportNote,
    ) -> Result<(), ImportError> {
        note.text = one_line(&note.text).unwrap_or_default();
        if !is_text(&note.package, NAME_BYTES_MAX) {
            self.skip();
            return Ok(());
        }
        let key = key(Table::Support, &[&ecosystem.to_string(), &note.package]);
        self.store.add(key, self.source, &encode_support(&note))?;
        self.counts.others = self.counts.others.saturating_add(1);
        Ok(())
    }
}

fn is_good(record: &Record) -> bool {
    let ids = record.vulnerabilities.iter().chain(&record.aliases);
    let ranges = record.ranges.iter().flat_map(|range| {
        let end = match &range.end {
            RangeEnd::Open => None,
            RangeEnd::Fixed(version) | RangeEnd::LastAffected(version) => Some(version),
        };
        range.introduced.iter().chain(end)
    });
    let limited = record.ranges.len() <= RANGES_MAX
        && record.versions.len() <= VERSIONS_MAX
        && record.vulnerabilities.len() <= IDS_MAX
        && record.aliases.len() <= IDS_MAX;
    limited
        && is_text(&record.package, NAME_BYTES_MAX)
        && is_id(&record.id)
        && ids.into_iter().all(|id| is_id(id))
        && ranges.chain(&record.versions).all(|version| is_text(version, VERSION_BYTES_MAX))
}

fn is_id(id: &str) -> bool {
    is_text(id, ID_BYTES_MAX) && !id.contains(char::is_whitespace)
}

fn is_text(text: &str, limit: usize) -> bool {
    !text.is_empty() && text.len() <= limit && !text.contains(char::is_control)
}

/// Makes one line of a text: white space becomes one space, control characters vanish, the rest is cut.
fn one_line(text: &str) -> Option<String> {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.chars().count() >= TITLE_CHARS_MAX {
            break;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.extend(word.chars().filter(|character| !character.is_control()));
    }
    if line.chars().count() > TITLE_CHARS_MAX {
        line = line.chars().take(TITLE_CHARS_MAX - 1).chain(std::iter::once('…')).collect();
    }
    (!line.is_empty()).then_some(line)
}
