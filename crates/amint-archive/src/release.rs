//! What a Release says (<https://wiki.debian.org/DebianRepository/Format#A.22Release.22_files>).

use std::collections::BTreeMap;

use amint_debian::control::{ControlError, Paragraph, Paragraphs};
use amint_types::Digest;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::uri::relative_path;

/// Most files that a Release may list; Debian's has some 6,000.
const FILES_MAX: usize = 200_000;

/// A Release could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReleaseError {
    /// It is no control data.
    #[error("it cannot be read")]
    Control(#[from] ControlError),
    /// It has no paragraph, or more than one.
    #[error("it must have one paragraph")]
    Paragraphs,
    /// A field is missing.
    #[error("it has no field `{name}`")]
    Missing {
        /// The field: `Date`, `SHA256`.
        name: &'static str,
    },
    /// A field cannot be understood.
    #[error("its field `{name}` has `{value}`, which is no {expected}")]
    Field {
        /// The field.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it should be.
        expected: &'static str,
    },
}

/// A file that a Release lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReleaseFile {
    /// Its size.
    pub bytes: u64,
    /// Its digest.
    pub sha256: Digest,
}

/// The fields of a Release that matter here.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are the fields of a Release")]
pub struct Release {
    /// `Suite`: `stable-security`.
    pub suite: Option<String>,
    /// `Codename`: `trixie-security`.
    pub codename: Option<String>,
    /// `Origin`: `Debian`.
    pub origin: Option<String>,
    /// `Label`: `Debian-Security`.
    pub label: Option<String>,
    /// `Date`: when it was made.
    pub date: Timestamp,
    /// `Valid-Until`: when it must not be used any more.
    pub valid_until: Option<Timestamp>,
    /// `Components`.
    pub components: Vec<String>,
    /// `Architectures`.
    pub architectures: Vec<String>,
    /// `Acquire-By-Hash: yes`: files also lie under their digest.
    pub by_hash: bool,
    /// Packages for all architectures have an index of their own: `all` is among the architectures, and
    /// `No-Support-for-Architecture-all` does not say that the other indexes repeat them.
    pub separate_all: bool,
    /// `NotAutomatic: yes`: nothing is installed from here unless asked for.
    pub not_automatic: bool,
    /// `ButAutomaticUpgrades: yes`: but what is installed from here is upgraded from here.
    pub but_automatic_upgrades: bool,
    /// The files of `SHA256`, by their path below the Release. Paths that lead elsewhere are left out.
    pub files: BTreeMap<String, ReleaseFile>,
}

impl Release {
    /// Reads the text of a Release.
    pub fn parse(text: &[u8]) -> Result<Self, ReleaseError> {
        let mut paragraphs = Paragraphs::new(text);
        let fields = paragraphs.next().ok_or(ReleaseError::Paragraphs)??;
        if paragraphs.next().transpose()?.is_some() {
            return Err(ReleaseError::Paragraphs);
        }
        let text = |name: &str| fields.get(name).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
        let words = |name: &str| -> Vec<String> {
            fields.get(name).unwrap_or_default().split_whitespace().map(ToOwned::to_owned).collect()
        };
        let is_yes = |name: &str| fields.get(name).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
        let architectures = words("Architectures");
        let repeats_all = words("No-Support-for-Architecture-all").iter().any(|target| target == "Packages");
        Ok(Self {
            suite: text("Suite"),
            codename: text("Codename"),
            origin: text("Origin"),
            label: text("Label"),
            date: date(&fields, "Date")?.ok_or(ReleaseError::Missing { name: "Date" })?,
            valid_until: date(&fields, "Valid-Until")?,
            components: words("Components"),
            by_hash: is_yes("Acquire-By-Hash"),
            separate_all: !repeats_all && architectures.iter().any(|architecture| architecture == "all"),
            architectures,
            not_automatic: is_yes("NotAutomatic"),
            but_automatic_upgrades: is_yes("ButAutomaticUpgrades"),
            files: files(fields.get("SHA256").ok_or(ReleaseError::Missing { name: "SHA256" })?)?,
        })
    }

    /// Tells whether it is of the suite that was asked for: mirrors answer with the suite to a codename and the other
    /// way round, and `buster/updates` is `buster` there.
    pub fn is_of(&self, suite: &str) -> bool {
        let names = [self.suite.as_deref(), self.codename.as_deref()];
        let short = suite.split_once('/').map(|(short, _)| short);
        names.into_iter().flatten().any(|name| name == suite || Some(name) == short)
    }

    /// Tells whether it knows a component; those of security archives may be written `updates/main`.
    pub fn has_component(&self, component: &str) -> bool {
        self.components.iter().any(|known| {
            known == component || known.rsplit_once('/').is_some_and(|(_, last)| last == component)
        })
    }
}

fn files(section: &str) -> Result<BTreeMap<String, ReleaseFile>, ReleaseError> {
    let mut files = BTreeMap::new();
    for line in section.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let field = |expected| ReleaseError::Field {
            name: "SHA256",
            value: line.chars().take(200).collect(),
            expected,
        };
        let mut words = line.split_whitespace();
        let (Some(digest), Some(bytes), Some(path), None) =
            (words.next(), words.next(), words.next(), words.next())
        else {
            return Err(field("digest, size and path"));
        };
        let sha256 = digest.parse().map_err(|_| field("digest, size and path"))?;
        let bytes = bytes.parse().map_err(|_| field("digest, size and path"))?;
        if files.len() >= FILES_MAX {
            return Err(field("list of a size that can be"));
        }
        if let Ok(path) = relative_path(path) {
            files.insert(path.to_owned(), ReleaseFile { bytes, sha256 });
        }
    }
    Ok(files)
}

fn date(fields: &Paragraph, name: &'static str) -> Result<Option<Timestamp>, ReleaseError> {
    let Some(value) = fields.get(name) else { return Ok(None) };
    let expected = "date as `Sat, 15 Nov 2025 10:14:43 UTC`";
    parse_date(value).map(Some).ok_or_else(|| ReleaseError::Field {
        name,
        value: value.chars().take(200).collect(),
        expected,
    })
}

/// Reads a date of RFC 5322, with `UTC` and `Z` for its zone, and hours of one digit, as some tools write them.
pub(crate) fn parse_date(value: &str) -> Option<Timestamp> {
    let mut words: Vec<String> = value.split_whitespace().map(ToOwned::to_owned).collect();
    if let Some(zone) = words.last_mut().filter(|zone| matches!(zone.as_str(), "UTC" | "Z")) {
        "+0000".clone_into(zone);
    }
    if let Some(time) = words.iter_mut().find(|word| word.contains(':') && word.find(':') == Some(1)) {
        time.insert(0, '0');
    }
    let parser = DateTimeParser::new().relaxed_weekday(true);
    parser.parse_timestamp(words.join(" ")).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SHA: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn parse(text: &str) -> Result<Release, ReleaseError> {
        Release::parse(text.replace("SHA", SHA).replace("HASHES", "SHA256").as_bytes())
    }

    #[test]
    fn reads_the_fields_that_matter() {
        let release = parse(
            "Origin: Debian\nLabel: Debian-Security\nSuite: stable-security\nCodename: trixie-security\n\
             Date: Sat, 15 Nov 2025 10:14:43 UTC\nValid-Until: Sat, 22 Nov 2025 9:14:43 +0000\n\
             Acquire-By-Hash: yes\nArchitectures: all amd64\nComponents: updates/main contrib\n\
             NotAutomatic: yes\nHASHES:\n SHA 0 main/binary-amd64/Packages\n SHA 7 ../../x\n",
        )
        .unwrap();
        assert_eq!(release.date.to_string(), "2025-11-15T10:14:43Z");
        assert_eq!(release.valid_until.unwrap().to_string(), "2025-11-22T09:14:43Z");
        assert!(release.by_hash && release.separate_all && release.not_automatic);
        assert!(!release.but_automatic_upgrades);
        assert!(
            release.has_component("main") && release.has_component("contrib") && !release.has_component("x")
        );
        assert_eq!(release.files.keys().collect::<Vec<_>>(), ["main/binary-amd64/Packages"]);
    }

    #[test]
    fn knows_its_suite_by_either_name() {
        let head = "Date: Sat, 15 Nov 2025 10:14:43 UTC\nHASHES:\n";
        let release = parse(&format!("Suite: oldstable\nCodename: buster\n{head}")).unwrap();
        for name in ["oldstable", "buster", "buster/updates"] {
            assert!(release.is_of(name), "{name}");
        }
        assert!(!release.is_of("trixie") && !release.is_of(""));
        assert!(!parse(head).unwrap().is_of("trixie"));
    }

    #[test]
    fn knows_when_indexes_repeat_what_is_for_all_architectures() {
        let head = "Date: Sat, 15 Nov 2025 10:14:43 UTC\nArchitectures: all amd64\nHASHES:\n";
        assert!(parse(head).unwrap().separate_all);
        assert!(!parse(&format!("No-Support-for-Architecture-all: Packages\n{head}")).unwrap().separate_all);
    }

    #[test]
    fn tells_what_it_cannot_read() {
        for (text, part) in [
            ("", "one paragraph"),
            ("Suite: a\n", "no field `Date`"),
            ("Date: yesterday\nHASHES:\n", "no date"),
            ("Date: Sat, 15 Nov 2025 10:14:43 UTC\n", "no field `SHA256`"),
            ("Date: Sat, 15 Nov 2025 10:14:43 UTC\nHASHES:\n SHA x main\n", "no digest"),
            ("Date: Sat, 15 Nov 2025 10:14:43 UTC\nHASHES:\n\nDate: x\n", "one paragraph"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.to_string().contains(part), "{error}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "(Date|SHA256|Suite)?:? ?.{0,60}\n{0,2}.{0,40}") {
            let _ = Release::parse(text.as_bytes());
            let _ = parse_date(&text);
        }
    }
}
