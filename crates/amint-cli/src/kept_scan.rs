//! Reports of scans that are kept, so that the same bytes are not looked into twice for the same verdict.
//!
//! A report is used again only where a new scan would say the same: the same image, program, advisories, rules, recipe
//! and options, on the same day, and with advisories that are neither older nor younger by the limits of age. All of that but
//! the last is the name of the report's file; what names it is kept within, and compared. A report of something
//! that could not be read is not kept: the reason may be gone.
//!
//! What is not asked again is the disk of the store: blocks that were damaged since then are found by `amint verify` and when
//! the image is published.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, Metadata};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use amint_types::Digest;
use amint_types::scan::{FORMAT_VERSION, ScanDocument, ScanVerdict};
use serde::{Deserialize, Serialize};

/// Version of the form of the files.
const KEPT_VERSION: u32 = 1;
/// Largest report that is kept.
const REPORT_BYTES_MAX: u64 = 64 << 20;
/// Most reports that are kept: the oldest goes first.
const REPORT_COUNT_MAX: usize = 16;

/// What a report follows from: lines of a name and a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ScanKey(String);

/// A file of a report: `K` and `R` are owned where it is read, and borrowed where it is written.
#[derive(Serialize, Deserialize)]
struct Kept<K, R> {
    version: u32,
    key: K,
    report: R,
}

impl ScanKey {
    /// Begins with this program: another one may judge otherwise, whatever its version says.
    pub(crate) fn of_this_program() -> io::Result<Self> {
        let mut key = Self::default();
        key.add("amint", &env!("CARGO_PKG_VERSION"));
        key.add("report", &FORMAT_VERSION);
        key.add("program", &stamp(&std::env::current_exe()?.metadata()?));
        Ok(key)
    }

    /// Adds something that the report follows from.
    pub(crate) fn add(&mut self, name: &str, value: &impl std::fmt::Debug) {
        let _ = writeln!(self.0, "{name} {value:?}");
    }

    /// Adds a file by what says that it is the same.
    pub(crate) fn add_file(&mut self, name: &str, path: &Path) -> io::Result<()> {
        let stamp = stamp(&path.metadata()?);
        self.add(name, &(path, stamp));
        Ok(())
    }

    /// Adds a file by what it holds.
    pub(crate) fn add_content(&mut self, name: &str, bytes: &[u8]) {
        self.add(name, &Digest::of(bytes).to_string());
    }

    fn file(&self, home: &Path) -> PathBuf {
        folder(home).join(format!("{}.json", Digest::of(self.0.as_bytes())))
    }

    /// Returns the report that was kept; none where there is none, or it cannot be relied upon.
    #[cfg(any(feature = "aws", test))]
    pub(crate) fn read(&self, home: &Path) -> Option<ScanDocument> {
        use std::io::Read as _;

        let mut bytes = Vec::new();
        let file = fs::File::open(self.file(home)).ok()?;
        file.take(REPORT_BYTES_MAX + 1).read_to_end(&mut bytes).ok()?;
        let kept: Kept<String, ScanDocument> = serde_json::from_slice(&bytes).ok()?;
        let is_same = kept.version == KEPT_VERSION && kept.key == self.0;
        (is_same && kept.report.format_version == FORMAT_VERSION).then_some(kept.report)
    }

    /// Keeps a report, for its owner's eyes alone: it tells what is wrong with an image.
    pub(crate) fn keep(&self, home: &Path, report: &ScanDocument) -> io::Result<()> {
        if report.verdict == ScanVerdict::Unread {
            return Ok(());
        }
        let bytes = serde_json::to_vec(&Kept { version: KEPT_VERSION, key: &self.0, report })?;
        if bytes.len() as u64 > REPORT_BYTES_MAX {
            return Ok(());
        }
        let folder = folder(home);
        DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&folder)?;
        file.write_all(&bytes)?;
        file.persist(self.file(home)).map_err(|error| error.error)?;
        evict(&folder, REPORT_COUNT_MAX).map(drop)
    }
}

/// Returns the folder of the reports.
fn folder(home: &Path) -> PathBuf {
    home.join("cache/scans")
}

/// Removes all reports, and returns how many bytes they had.
pub(crate) fn forget(home: &Path) -> io::Result<u64> {
    evict(&folder(home), 0)
}

/// Removes the oldest reports beyond a number, and what a run that was killed left.
fn evict(folder: &Path, most: usize) -> io::Result<u64> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(error),
    };
    let mut files: Vec<(SystemTime, u64, PathBuf)> = Vec::new();
    for entry in entries {
        let entry = entry?;
        // Another process may have removed it.
        let Ok(metadata) = entry.metadata() else { continue };
        files.push((metadata.modified()?, metadata.len(), entry.path()));
    }
    files.sort();
    let mut bytes = 0;
    for (_, length, path) in files.iter().take(files.len().saturating_sub(most)) {
        match fs::remove_file(path) {
            Ok(()) => bytes += length,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

/// Tells files apart without reading them: whoever writes one, or puts another in its place, changes the last time, which
/// cannot be set.
fn stamp(metadata: &Metadata) -> [i128; 6] {
    [
        metadata.dev().into(),
        metadata.ino().into(),
        metadata.len().into(),
        i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
        metadata.ctime().into(),
        metadata.ctime_nsec().into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(verdict: ScanVerdict) -> ScanDocument {
        let mut report: ScanDocument = serde_json::from_value(serde_json::json!({
            "format_version": FORMAT_VERSION, "tool_version": "1",
            "scanned_at": "2026-11-27T00:00:00Z", "target": { "name": "web:1", "format": "store" },
            "verdict": "pass", "reasons": [], "warnings": [], "gate": "high", "data": [], "coverage": [], "analyzers": [],
            "kernels": [], "packages": [], "users": [], "services": [], "privileged": [], "certificates": [],
            "modified_files": [], "findings": [],
        }))
        .unwrap();
        report.verdict = verdict;
        report
    }

    #[test]
    fn a_report_comes_back_for_the_very_same_question_only() {
        let home = tempfile::tempdir().unwrap();
        let mut key = ScanKey::of_this_program().unwrap();
        assert_eq!(key.read(home.path()), None);
        key.keep(home.path(), &report(ScanVerdict::Pass)).unwrap();
        assert_eq!(key.read(home.path()), Some(report(ScanVerdict::Pass)));
        let other = {
            let mut other = key.clone();
            other.add("gate", &"low");
            other
        };
        assert_eq!(other.read(home.path()), None);
        // A file under the name of another question is not its answer.
        fs::copy(key.file(home.path()), other.file(home.path())).unwrap();
        assert_eq!(other.read(home.path()), None);
        let path = key.file(home.path());
        assert_eq!(path.metadata().unwrap().mode() & 0o077, 0, "only its owner reads it");
        fs::write(&path, &fs::read(&path).unwrap()[1..]).unwrap();
        assert_eq!(key.read(home.path()), None);
        key.add("unread", &true);
        key.keep(home.path(), &report(ScanVerdict::Unread)).unwrap();
        assert_eq!(key.read(home.path()), None, "why it was not read may be gone");
        assert!(forget(home.path()).unwrap() > 0);
        assert_eq!(forget(home.path()).unwrap(), 0);
    }

    #[test]
    fn the_oldest_goes_when_there_are_too_many_and_a_file_put_in_another_s_place_is_another() {
        let home = tempfile::tempdir().unwrap();
        for number in 0..REPORT_COUNT_MAX + 3 {
            let mut key = ScanKey::default();
            key.add("number", &number);
            key.keep(home.path(), &report(ScanVerdict::Fail)).unwrap();
        }
        assert_eq!(fs::read_dir(folder(home.path())).unwrap().count(), REPORT_COUNT_MAX);
        let path = home.path().join("advisories.db");
        let key = || {
            let mut key = ScanKey::default();
            key.add_file("database", &path).unwrap();
            key
        };
        fs::write(&path, "one").unwrap();
        let first = key();
        assert_eq!(first, key());
        let new = home.path().join("new");
        fs::write(&new, "two").unwrap();
        fs::rename(&new, &path).unwrap();
        assert_ne!(first, key());
    }
}
