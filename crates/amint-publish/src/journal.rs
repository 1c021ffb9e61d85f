//! Which blocks of a snapshot were sent: a file for each snapshot on its way.
//!
//! A block's index is written when the service has confirmed it, with no sync: a killed process loses none, and after a
//! loss of power blocks are sent again, which changes nothing. Each entry is the index and its complement: what a loss of
//! power leaves at the end of a file, zeros that nobody wrote among it, is no entry.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The longest file that is read: every block of the largest volume (64 TiB), once.
const FILE_BYTES_MAX: u64 = 8 * (1 << 27) + 128;

/// The list of blocks that were sent cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("failed to keep the list of blocks that were sent, `{path}`")]
pub struct JournalError {
    /// The file.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

/// Which blocks of a snapshot were sent.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    sent: BTreeSet<u64>,
}

impl Journal {
    /// Opens the list of a snapshot in `folder`, and begins one where there is none.
    ///
    /// # Errors
    /// Fails when the file cannot be read or made.
    pub fn open(folder: &Path, snapshot_id: &str) -> Result<Self, JournalError> {
        let path = folder.join(format!("{snapshot_id}.sent"));
        Self::open_file(folder, &path).map_err(|source| JournalError { path, source })
    }

    fn open_file(folder: &Path, path: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let mut file = OpenOptions::new().create(true).read(true).append(true).mode(0o600).open(path)?;
        let mut bytes = Vec::new();
        Read::by_ref(&mut file).take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        let entries: Vec<u64> = bytes.as_chunks::<8>().0.iter().copied().map_while(index_of).collect();
        // What the rest tells of is sent again; what is added has to begin where an entry begins.
        if entries.len() * 8 < bytes.len() {
            file.set_len((entries.len() * 8) as u64)?;
        }
        Ok(Self { path: path.to_owned(), file, sent: entries.into_iter().collect() })
    }

    /// Forgets every block: the service knows better.
    ///
    /// # Errors
    /// Fails when the file cannot be written.
    pub fn clear(&mut self) -> Result<(), JournalError> {
        self.sent.clear();
        self.file.set_len(0).map_err(|source| JournalError { path: self.path.clone(), source })
    }

    /// Tells whether a block was sent.
    pub fn has(&self, index: u64) -> bool {
        self.sent.contains(&index)
    }

    /// Returns how many blocks were sent.
    pub fn count(&self) -> u64 {
        self.sent.len() as u64
    }

    /// Remembers that a block was sent.
    ///
    /// # Errors
    /// Fails when the file cannot be written.
    pub fn add(&mut self, index: u64) -> Result<(), JournalError> {
        if self.sent.insert(index) {
            let written = self.file.write_all(&entry(index));
            written.map_err(|source| JournalError { path: self.path.clone(), source })?;
        }
        Ok(())
    }

    /// Removes the list: the snapshot is complete, or gone.
    ///
    /// # Errors
    /// Fails when the file cannot be removed.
    pub fn remove(self) -> Result<(), JournalError> {
        match fs::remove_file(&self.path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(JournalError { path: self.path, source })
            }
            _ => Ok(()),
        }
    }
}

/// Writes an index as an entry. The largest volume has 2^27 blocks.
fn entry(index: u64) -> [u8; 8] {
    (index | (!index << 32)).to_le_bytes()
}

fn index_of(entry: [u8; 8]) -> Option<u64> {
    let [index, complement] = [0, 32].map(|shift| (u64::from_le_bytes(entry) >> shift) & u64::from(u32::MAX));
    (index ^ complement == u64::from(u32::MAX)).then_some(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_known_after_a_restart_and_a_torn_end_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "snap-1").unwrap();
        for index in [0, 700, 70_000] {
            journal.add(index).unwrap();
        }
        drop(journal);
        let path = folder.path().join("snap-1.sent");
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(&[0; 19]).unwrap();
        let mut journal = Journal::open(folder.path(), "snap-1").unwrap();
        assert!(journal.has(70_000) && !journal.has(1) && journal.count() == 3);
        journal.add(9).unwrap();
        let journal = Journal::open(folder.path(), "snap-1").unwrap();
        assert_eq!((journal.count(), journal.has(9)), (4, true));
        let mut journal = journal;
        journal.clear().unwrap();
        assert_eq!(Journal::open(folder.path(), "snap-1").unwrap().count(), 0);
        journal.remove().unwrap();
        assert!(!path.exists());
        assert_eq!(Journal::open(folder.path(), "snap-2").unwrap().count(), 0);
    }
}
