//! Debian's archive itself as a source: newest versions of suites, and what changelogs say was fixed.
//!
//! Indexes are control data (`deb822(5)`); changelogs are `deb-changelog(5)`.

use std::collections::BTreeMap;
use std::io::{BufRead, Read as _};

use amint_debian::control::{Paragraph, Paragraphs};

use super::{ImportError, Sink};
use crate::ecosystem::Ecosystem;
use crate::record::{Flags, Range, Record};
use crate::versions::compare;

/// Most source packages of a suite.
const SOURCES_MAX: usize = 2_000_000;
const LINE_BYTES_MAX: u64 = 64 * 1024;
const CHANGELOG_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Reads `Sources`.
pub(super) fn sources(
    ecosystem: &Ecosystem,
    suite: &str,
    source: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    newest(ecosystem, suite, source, sink, |paragraph| {
        Some((paragraph.get("Package")?.to_owned(), paragraph.get("Version")?.to_owned()))
    })
}

/// Reads `Packages`: the source of a binary package is `Source: name (version)`, or has its own name and version.
pub(super) fn packages(
    ecosystem: &Ecosystem,
    suite: &str,
    source: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    newest(ecosystem, suite, source, sink, |paragraph| {
        let version = paragraph.get("Version")?;
        let source = paragraph.get("Source").or_else(|| paragraph.get("Package"))?;
        let (name, version) = match source.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.trim_end_matches(')').trim()),
            None => (source.trim(), version),
        };
        Some((name.to_owned(), version.to_owned()))
    })
}

fn newest(
    ecosystem: &Ecosystem,
    suite: &str,
    source: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
    read: impl Fn(&Paragraph) -> Option<(String, String)>,
) -> Result<(), ImportError> {
    let mut versions: BTreeMap<String, String> = BTreeMap::new();
    let mut paragraphs = Paragraphs::new(source);
    let mut paragraph = Paragraph::default();
    while paragraphs.next_into(&mut paragraph)? {
        let Some((name, version)) = read(&paragraph) else {
            sink.skip();
            continue;
        };
        let is_newer =
            versions.get(&name).is_none_or(|known| compare(ecosystem.scheme(), &version, known).is_gt());
        if is_newer {
            versions.insert(name, version);
        }
        if versions.len() > SOURCES_MAX {
            return Err(ImportError::TooLarge("it has too many packages"));
        }
    }
    if versions.is_empty() {
        return Err(ImportError::Form("it names no package"));
    }
    put_suite(ecosystem, suite, &versions, sink)
}

/// Notes all versions of a suite.
pub(super) fn put_suite(
    ecosystem: &Ecosystem,
    suite: &str,
    versions: &BTreeMap<String, String>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    sink.suite(ecosystem, suite)?;
    for (name, version) in versions {
        sink.newest(ecosystem, suite, name, version)?;
    }
    Ok(())
}

/// Reads a changelog: each entry fixes what it names, but for lines that tell that something does not apply.
pub(super) fn changelog(
    ecosystem: &Ecosystem,
    source: Box<dyn BufRead + '_>,
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let mut source = source.take(CHANGELOG_BYTES_MAX + 1);
    let mut line = Vec::new();
    let mut entry: Option<Entry> = None;
    let mut has_entries = false;
    loop {
        line.clear();
        let count = source.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
        if source.limit() == 0 {
            return Err(ImportError::TooLarge("a changelog is longer than 64 MiB"));
        }
        let text = String::from_utf8_lossy(&line);
        let heading = heading(&text);
        if (heading.is_some() || count == 0)
            && let Some(entry) = entry.take()
        {
            entry.put(ecosystem, sink)?;
        }
        if count == 0 {
            let error = ImportError::Form("it is no changelog");
            return if has_entries { Ok(()) } else { Err(error) };
        }
        if let Some((package, version)) = heading {
            has_entries = true;
            let (package, version) = (package.to_owned(), version.to_owned());
            entry = Some(Entry {
                package,
                version,
                fixed: Vec::new(),
                mentioned: Vec::new(),
                is_negative: false,
            });
        } else if let Some(entry) = &mut entry {
            entry.read(&text);
        }
    }
}

struct Entry {
    package: String,
    version: String,
    fixed: Vec<String>,
    mentioned: Vec<String>,
    /// Whether the item being read tells that something does not apply.
    is_negative: bool,
}

impl Entry {
    fn read(&mut self, line: &str) {
        let text = line.trim_start();
        let is_item = text.starts_with(['*', '-', '+']);
        let lower = text.to_ascii_lowercase();
        let is_negative =
            ["not affected", "not vulnerable", "revert", "drop", "false positive", "does not affect"]
                .iter()
                .any(|words| lower.contains(words));
        self.is_negative = is_negative || (self.is_negative && !is_item);
        let ids = if self.is_negative { &mut self.mentioned } else { &mut self.fixed };
        ids.extend(cves(line));
    }

    fn put(mut self, ecosystem: &Ecosystem, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        self.fixed.sort();
        self.fixed.dedup();
        self.mentioned.retain(|id| !self.fixed.contains(id));
        self.mentioned.sort();
        self.mentioned.dedup();
        put_changelog(ecosystem, &self.package, &self.version, &self.fixed, &self.mentioned, sink)
    }
}

/// Notes what one entry of a changelog fixes and mentions.
pub(super) fn put_changelog(
    ecosystem: &Ecosystem,
    package: &str,
    version: &str,
    fixed: &[String],
    mentioned: &[String],
    sink: &mut Sink<'_>,
) -> Result<(), ImportError> {
    let fixed = fixed.iter().map(|id| (id, Flags::CHANGELOG));
    let mentioned = mentioned.iter().map(|id| (id, Flags::CHANGELOG.with(Flags::MENTION)));
    for (id, flags) in fixed.chain(mentioned) {
        let mut record = Record::new(ecosystem.clone(), package, id);
        record.flags = flags.with(Flags::SOURCE);
        record.ranges.push(Range::before(version));
        sink.record(record)?;
    }
    Ok(())
}

/// Reads `package (version) suites; …`; lines of entries are indented.
fn heading(line: &str) -> Option<(&str, &str)> {
    if !line.starts_with(|character: char| character.is_ascii_alphanumeric()) {
        return None;
    }
    let (package, rest) = line.split_once(" (")?;
    let (version, rest) = rest.split_once(')')?;
    let is_word = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
    (is_word(package) && is_word(version) && rest.contains(';')).then_some((package, version))
}

/// Finds CVE ids, in capitals.
fn cves(line: &str) -> Vec<String> {
    let upper = line.to_ascii_uppercase();
    let mut ids = Vec::new();
    for (start, _) in upper.match_indices("CVE-") {
        let rest = upper.get(start + 4..).unwrap_or_default();
        let Some((year, rest)) = rest.split_once('-') else { continue };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let number = rest.get(..digits).unwrap_or_default();
        if year.len() == 4 && year.bytes().all(|byte| byte.is_ascii_digit()) && (4..=19).contains(&digits) {
            ids.push(format!("CVE-{year}-{number}"));
        }
    }
    ids
}
