//! What the engine tells.

use amint_types::Severity;

/// Notes of what was not looked at are kept up to this number; the rest is counted.
const GAPS_MAX: usize = 32;

/// A secret that was found. It never holds the secret itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SecretFinding {
    /// Where it begins: bytes from the start of the file, or of the innermost entry that `inside` names.
    pub offset: u64,
    /// The path inside containers, outermost first, each step after `!`: `!/conf/x.properties`.
    pub inside: Option<String>,
    /// The rule that it breaks: `SEC-001`.
    pub rule: &'static str,
    /// Which kind of secret: `aws-access-key-id`.
    pub kind: &'static str,
    /// The kind for people.
    pub title: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The line, from 1; none in content that is no text, and in free space.
    pub line: Option<u32>,
    /// What is public of its form, `***`, and its length: `ghp_*** (40 characters)`.
    pub excerpt: String,
    /// What is known about it: `encrypted with a passphrase`.
    pub note: Option<String>,
    /// The first 12 hexadecimal digits of the SHA-256 of the value, where it is long and random enough that they tell
    /// nothing about it.
    pub fingerprint: Option<String>,
}

impl SecretFinding {
    /// Lowers the finding for content that a package of the distribution brought and nobody changed: then everybody has
    /// it, and it protects nothing.
    #[must_use]
    pub fn lowered_as_packaged(mut self, package: &str) -> Self {
        self.severity = Severity::Info;
        self.add_note(&format!("unchanged content of package {package}: known to everybody"));
        self
    }

    /// Lowers the finding for content that a package of a programming language lists and nobody changed: whoever can
    /// install the package has it, and mostly that is everybody.
    #[must_use]
    pub fn lowered_as_listed(mut self, package: &str) -> Self {
        let lowered = if self.severity == Severity::Critical { Severity::Medium } else { Severity::Low };
        self.severity = self.severity.min(lowered);
        self.add_note(&format!("unchanged content of {package}: known to whoever can install that"));
        self
    }

    pub(crate) fn add_note(&mut self, text: &str) {
        self.note = Some(match self.note.take() {
            Some(note) => format!("{note}; {text}"),
            None => text.to_owned(),
        });
    }
}

/// Something that was not looked at, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// The path inside containers; none for the file itself.
    pub inside: Option<String>,
    /// Why: `not looked at beyond 256 MiB unpacked`.
    pub reason: String,
}

/// What was looked at and what not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Looked {
    /// Bytes of the source that were read.
    pub bytes_read: u64,
    /// Bytes that came out of containers.
    pub bytes_unpacked: u64,
    /// Entries of archives.
    pub entries: u64,
    /// Values of the right form that are placeholders (`changeme`, `<token>`), and were left out.
    pub placeholders: u64,
    /// Findings left out because the same value was already told, or their kind had too many.
    pub repeats: u64,
    /// What was not looked at; at most 32, sorted.
    pub gaps: Vec<Gap>,
    /// How many more there are.
    pub further_gaps: u64,
}

impl Looked {
    /// Tells whether everything was looked at.
    pub fn is_whole(&self) -> bool {
        self.gaps.is_empty()
    }

    pub(crate) fn miss(&mut self, inside: &str, reason: impl Into<String>) {
        let inside = if inside.is_empty() { None } else { Some(inside.to_owned()) };
        let gap = Gap { inside, reason: reason.into() };
        match self.gaps.binary_search(&gap) {
            Ok(_) => {}
            Err(_) if self.gaps.len() >= GAPS_MAX => self.further_gaps += 1,
            Err(at) => self.gaps.insert(at, gap),
        }
    }
}

/// One kind of secret that the engine knows: for reference pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KindInfo {
    /// Its id.
    pub id: &'static str,
    /// For people.
    pub title: &'static str,
    /// The rule.
    pub rule: &'static str,
    /// The severity when nothing else is known.
    pub severity: Severity,
}

/// Looking for secrets failed.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The source could not be read; nothing is told of what lies behind.
    #[error("read `{path}` at {offset}")]
    Read {
        /// The file.
        path: String,
        /// Byte of the file.
        offset: u64,
        /// What reading met.
        #[source]
        source: std::io::Error,
    },
}
