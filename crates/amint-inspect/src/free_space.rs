//! Secrets where no file is any more: free blocks, deleted files, journals, swap space, gaps between partitions.

use std::io;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use amint_ext::Ext;
use amint_fs::{FsError, Kind};
use amint_scan::FoundSecret;
use amint_secrets::{Limits, Scanner, SecretFinding, scan_source};
use amint_types::scan::{AnalyzerRun, AnalyzerStatus};
use amint_types::{Cancel, ReadAt};
use amint_xfs::Xfs;

use crate::image::{Image, Part, State};
use crate::index::{Entry, EntryId, Index, chain};
use crate::pass::Content;

/// The analyzer's id.
pub(crate) const ID: &str = "free-space";
/// How much is asked for holes at once, how much is read at once, and what counts as empty as a whole.
const HOLE_BYTES: u64 = 64 << 20;
const CHUNK_BYTES: u64 = 1 << 20;
const BLOCK_BYTES: usize = 4096;
/// How many deleted files of one file system are looked at.
const DELETED_MAX: u64 = 10_000;
/// How many problems are told.
const PROBLEMS_TOLD: usize = 5;
/// What nobody can read without its key.
const ENCRYPTED: [&str; 3] = ["bitlocker", "luks1", "luks2"];

/// What was found in free space.
pub(crate) struct FreeSpace {
    pub(crate) secrets: Vec<FoundSecret>,
    pub(crate) run: AnalyzerRun,
}

/// Looks at all that belongs to no file; `parts` tells which part each file system of the index is.
pub(crate) fn look(image: &Image, index: &Index, parts: &[usize], cancel: &Cancel) -> FreeSpace {
    let mut looking = Looking { cancel, secrets: Vec::new(), problems: Vec::new(), places: 0 };
    for (mount, part) in parts.iter().enumerate() {
        if let Some(part) = image.parts.get(*part) {
            looking.slack(index, mount, part);
        }
    }
    for part in &image.parts {
        looking.part(part);
    }
    if let Some(unassigned) = &image.unassigned {
        let ranges = unassigned.ranges.clone();
        looking.ranges("gaps", &unassigned.disk, |visit| {
            let _ = ranges.into_iter().try_for_each(visit);
            Ok(())
        });
    }
    looking.end()
}

struct Looking<'a> {
    cancel: &'a Cancel,
    secrets: Vec<FoundSecret>,
    problems: Vec<String>,
    places: u64,
}

/// Takes ranges one after the other, as file systems tell them.
type Visit<'a> = dyn FnMut(Range<u64>) -> ControlFlow<()> + 'a;

impl Looking<'_> {
    fn part(&mut self, part: &Part) {
        let Some(source) = &part.source else { return };
        let kind = part.content.as_str();
        match &part.state {
            State::Files(files) => {
                if kind.starts_with("ext") {
                    self.ext(&part.label, source);
                }
                if kind == "xfs" {
                    self.xfs_log(&part.label, source);
                }
                self.ranges(&part.label, source, |visit| files.free_ranges(visit));
            }
            // What lies in members of LVM2 is looked at through their volumes.
            _ if ENCRYPTED.contains(&kind) || kind == "lvm" => {}
            State::Nothing | State::Unread(_) => {
                let whole = 0..source.size_bytes();
                self.ranges(&part.label, source, |visit| {
                    let _ = visit(whole);
                    Ok(())
                });
            }
        }
    }

    /// Looks behind the end of every file, up to the end of its last block.
    fn slack(&mut self, index: &Index, mount: usize, part: &Part) {
        let (Some(source), Some(file_system)) = (&part.source, index.mounts().get(mount)) else { return };
        let is_here = |entry: &Entry| {
            usize::from(entry.mount_number()) == mount && entry.kind == Kind::File && entry.bytes > 0
        };
        let found = index.iter().filter(|(_, entry)| is_here(entry)).map(|(id, _)| id);
        let mut files: Vec<EntryId> = found.collect();
        index.sort_by_position(&mut files);
        self.ranges(&format!("{}/slack", part.label), source, |visit| {
            let mut before = None;
            for id in files {
                // A file whose map cannot be read is told as unread by whoever reads its content.
                let Ok(Some(range)) = file_system.file_system.slack(index.entry(id).node()) else { continue };
                // Further names of one file come together.
                if before.as_ref() != Some(&range) && visit(range.clone()).is_break() {
                    break;
                }
                before = Some(range);
            }
            Ok(())
        });
    }

    /// Looks at deleted files that still tell where they lay, and at the journal.
    fn ext(&mut self, label: &str, source: &Arc<dyn ReadAt>) {
        let ext = match Ext::open(source.clone()) {
            Ok(ext) => ext,
            Err(error) => return self.problems.push(format!("{label}: {}", chain(&error))),
        };
        let (mut left, mut count) = (source.size_bytes(), 0);
        let visited = ext.deleted_inodes(&mut |deleted| {
            count += 1;
            if self.cancel.is_cancelled() || count > DELETED_MAX {
                return ControlFlow::Break(());
            }
            // Old maps may claim anything: together no more is read than there can be.
            if deleted.kind() == Kind::File && deleted.size_bytes() <= left {
                left -= deleted.size_bytes();
                let place = format!("{label}/deleted inode {}", deleted.id().number);
                if let Ok(opened) = deleted.open() {
                    self.deleted(&place, &Content::of(opened));
                }
            }
            ControlFlow::Continue(())
        });
        if let Err(error) = visited {
            self.problems.push(format!("{label}: {}", chain(&error)));
        }
        match ext.journal_ranges() {
            Ok(ranges) => self.ranges(&format!("{label}/journal"), source, |visit| {
                let _ = ranges.into_iter().try_for_each(visit);
                Ok(())
            }),
            Err(error) => self.problems.push(format!("{label}: {}", chain(&error))),
        }
    }

    /// Looks at one deleted file; its blocks may be another's by now, so what cannot be read is no problem.
    fn deleted(&mut self, place: &str, content: &Content<'_>) {
        let mut found = Vec::new();
        let _ = scan_source(place, content, &Limits::default(), &mut |secret| found.push(secret));
        self.places += 1;
        self.secrets.extend(found.into_iter().map(|mut secret: SecretFinding| {
            secret.rule = "SEC-010";
            FoundSecret::in_free_space(place, secret)
        }));
    }

    fn xfs_log(&mut self, label: &str, source: &Arc<dyn ReadAt>) {
        match Xfs::open(source.clone()) {
            Ok(xfs) => {
                let range = xfs.log_range();
                self.ranges(&format!("{label}/log"), source, |visit| {
                    let _ = range.into_iter().try_for_each(visit);
                    Ok(())
                });
            }
            Err(error) => self.problems.push(format!("{label}: {}", chain(&error))),
        }
    }

    /// Looks at ranges of a source.
    fn ranges(
        &mut self,
        label: &str,
        source: &Arc<dyn ReadAt>,
        list: impl FnOnce(&mut Visit<'_>) -> Result<(), FsError>,
    ) {
        let mut space = Space {
            source,
            scanner: Scanner::free_space(label, &Limits::default()),
            buffer: Vec::new(),
            found: Vec::new(),
        };
        let mut failure = None;
        let cancel = self.cancel;
        let listed = list(&mut |range| {
            let result = if cancel.is_cancelled() {
                return ControlFlow::Break(());
            } else {
                space.range(range, cancel)
            };
            match result {
                Ok(()) => ControlFlow::Continue(()),
                Err(error) => {
                    failure = Some(error);
                    ControlFlow::Break(())
                }
            }
        });
        self.problems.extend(listed.err().map(|error| format!("{label}: {}", chain(&error))));
        self.problems.extend(failure.map(|error| format!("{label}: {error}")));
        self.places += 1;
        let Space { scanner, mut found, .. } = space;
        scanner.finish(&mut |secret| found.push(secret));
        // What was told of a deleted file is not told again of its blocks.
        let is_told = |secret: &SecretFinding| {
            secret.fingerprint.is_some()
                && self.secrets.iter().any(|known| {
                    known.secret.fingerprint == secret.fingerprint && known.secret.kind == secret.kind
                })
        };
        found.retain(|secret| !is_told(secret));
        self.secrets.extend(found.into_iter().map(|secret| FoundSecret::in_free_space(label, secret)));
    }

    fn end(self) -> FreeSpace {
        let mut notes = self.problems;
        let status = match (self.places, notes.is_empty()) {
            (0, true) => AnalyzerStatus::Skipped,
            (_, true) => AnalyzerStatus::Ran,
            _ => AnalyzerStatus::Partial,
        };
        let more = notes.len().saturating_sub(PROBLEMS_TOLD);
        notes.truncate(PROBLEMS_TOLD);
        if more > 0 {
            notes.push(format!("and {more} more"));
        }
        let run = AnalyzerRun { id: ID.to_owned(), version: 1, status, files: self.places, notes };
        FreeSpace { secrets: self.secrets, run }
    }
}

/// Bytes of a source that belong to nothing.
struct Space<'a> {
    source: &'a Arc<dyn ReadAt>,
    scanner: Scanner,
    buffer: Vec<u8>,
    found: Vec<SecretFinding>,
}

impl Space<'_> {
    fn range(&mut self, range: Range<u64>, cancel: &Cancel) -> io::Result<()> {
        let end = range.end.min(self.source.size_bytes());
        let mut at = range.start;
        while at < end && !cancel.is_cancelled() {
            let bytes = HOLE_BYTES.min(end - at);
            if !self.source.is_known_zero(at, bytes) {
                self.read(at..at + bytes)?;
            }
            at += bytes;
        }
        Ok(())
    }

    fn read(&mut self, range: Range<u64>) -> io::Result<()> {
        let mut at = range.start;
        while at < range.end {
            let bytes = CHUNK_BYTES.min(range.end - at);
            if !self.source.is_known_zero(at, bytes) {
                self.buffer.resize(usize::try_from(bytes).map_err(io::Error::other)?, 0);
                self.source.read_exact_at(at, &mut self.buffer)?;
                self.push(at);
            }
            at += bytes;
        }
        Ok(())
    }

    /// Hands over the blocks of the buffer that hold anything.
    fn push(&mut self, start: u64) {
        let Self { scanner, buffer, found, .. } = self;
        let mut at = start;
        for block in buffer.chunks(BLOCK_BYTES) {
            if !is_zero(block) {
                let mut sink = |secret| found.push(secret);
                scanner.jump(at, &mut sink);
                scanner.push(block, &mut sink);
            }
            at += block.len() as u64;
        }
    }
}

fn is_zero(block: &[u8]) -> bool {
    // The first byte differs in most blocks that hold anything.
    block.first() == Some(&0) && block == &[0; BLOCK_BYTES][..block.len()]
}
