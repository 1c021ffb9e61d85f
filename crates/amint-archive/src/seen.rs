//! What is remembered of a suite between runs: above all the newest date it ever had, so that no mirror can go back.

use std::path::Path;

use amint_debian::control::Paragraphs;
use jiff::Timestamp;

use crate::cache::{read_if_there, write_whole};
use crate::error::ArchiveError;
use crate::fetch::Conditions;

const FORMAT: &str = "1";

/// The memory of one suite.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The newest `Date` that was accepted.
    pub(crate) newest: Option<Timestamp>,
    pub(crate) etag: Option<String>,
    pub(crate) modified: Option<String>,
}

impl Seen {
    /// Reads the memory; an empty one when there is none, and an error when what is there cannot be understood.
    pub(crate) fn read(path: &Path) -> Result<Self, ArchiveError> {
        let Some(bytes) = read_if_there(path)? else { return Ok(Self::default()) };
        Self::parse(&bytes).ok_or_else(|| {
            let text =
                "it does not have the form of this version; without it, older Releases would be accepted";
            ArchiveError::cache("understand", path)(std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                text,
            ))
        })
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let fields = Paragraphs::new(bytes).next()?.ok()?;
        if fields.get("Format") != Some(FORMAT) {
            return None;
        }
        let text = |name| fields.get(name).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
        let newest = Some(fields.get("Newest")?.parse().ok()?);
        Some(Self { newest, etag: text("Etag"), modified: text("Last-Modified") })
    }

    /// Writes the memory. The names of repository and suite are for people only.
    pub(crate) fn write(&self, path: &Path, uri: &str, suite: &str) -> Result<(), ArchiveError> {
        use std::fmt::Write as _;
        let mut text = format!("Format: {FORMAT}\nUri: {uri}\nSuite: {suite}\n");
        let newest = self.newest.map(|newest| newest.to_string());
        for (name, value) in [("Newest", &newest), ("Etag", &self.etag), ("Last-Modified", &self.modified)] {
            if let Some(value) = value.as_ref().filter(|value| !value.contains(char::is_control)) {
                let _ = writeln!(text, "{name}: {value}");
            }
        }
        write_whole(path, text.as_bytes())
    }

    /// Returns what to ask a server for, to get nothing when it has nothing new.
    pub(crate) fn conditions(&self) -> Conditions {
        Conditions { etag: self.etag.clone(), modified: self.modified.clone(), is_fresh: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_back_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        assert_eq!(Seen::read(&path).unwrap(), Seen::default());
        let seen = Seen {
            newest: Some("2025-11-15T10:14:43Z".parse().unwrap()),
            etag: Some("\"a:b\"".to_owned()),
            modified: None,
        };
        seen.write(&path, "http://mirror.example/debian", "trixie").unwrap();
        assert_eq!(Seen::read(&path).unwrap(), seen);
        // Version 1 as it was first written.
        let golden = "Format: 1\nUri: http://mirror.example/debian\nSuite: trixie\nNewest: 2025-11-15T10:14:43Z\nEtag: \"a:b\"\n";
        assert_eq!(std::fs::read_to_string(&path).unwrap(), golden);
    }

    #[test]
    fn refuses_a_memory_it_does_not_understand() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("seen");
        for text in ["", "Format: 2\nNewest: 2025-11-15T10:14:43Z\n", "Format: 1\nNewest: soon\n"] {
            std::fs::write(&path, text).unwrap();
            assert!(Seen::read(&path).is_err(), "{text:?}");
        }
    }
}
