//! What two images differ in, file by file.

use std::cmp::Ordering;

use amint_fs::{FsError, Kind};
use amint_types::scan_difference::{Changed, Changes, FileState};
use amint_types::{Cancel, Cancelled};

use crate::index::{Entry, EntryId, Index};

/// How much of both files is held at once.
const CHUNK_BYTES: usize = 256 * 1024;

/// Compares the files of two images: kind, mode, owner and content; times alone are no difference.
///
/// Content that cannot be read counts as changed: sameness is not proven.
///
/// # Errors
/// Fails when `cancel` says so.
pub fn compare_files(old: &Index, new: &Index, cancel: &Cancel) -> Result<Changes<FileState>, Cancelled> {
    let mut changes = Changes { new: Vec::new(), gone: Vec::new(), changed: Vec::new() };
    let (earlier, later) = (sorted(old), sorted(new));
    let (mut left, mut right) = (earlier.iter().peekable(), later.iter().peekable());
    loop {
        cancel.check()?;
        let order = match (left.peek(), right.peek()) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, _)), Some((right, _))) => left.cmp(right),
        };
        match order {
            Ordering::Less => changes.gone.extend(left.next().map(|(path, id)| state(old, path, *id))),
            Ordering::Greater => changes.new.extend(right.next().map(|(path, id)| state(new, path, *id))),
            Ordering::Equal => {
                if let (Some((path, earlier)), Some((_, later))) = (left.next(), right.next())
                    && !is_same(old, *earlier, new, *later)
                {
                    changes
                        .changed
                        .push(Changed { old: state(old, path, *earlier), new: state(new, path, *later) });
                }
            }
        }
    }
    Ok(changes)
}

fn sorted(index: &Index) -> Vec<(Vec<u8>, EntryId)> {
    let mut paths: Vec<(Vec<u8>, EntryId)> = index.iter().map(|(id, _)| (index.path(id), id)).collect();
    paths.sort();
    paths
}

fn state(index: &Index, path: &[u8], id: EntryId) -> FileState {
    let entry = index.entry(id);
    FileState {
        path: String::from_utf8_lossy(path).into_owned(),
        kind: kind(entry.kind).to_owned(),
        mode: format!("{:o}", entry.mode),
        owner: format!("{}:{}", entry.uid, entry.gid),
        // The size of a folder is the file system's business.
        bytes: (entry.kind == Kind::File).then_some(entry.bytes),
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::File => "file",
        Kind::Folder => "folder",
        Kind::Link => "link",
        Kind::Pipe => "pipe",
        Kind::Socket => "socket",
        Kind::CharDevice => "character device",
        Kind::BlockDevice => "block device",
    }
}

fn is_same(old: &Index, earlier: EntryId, new: &Index, later: EntryId) -> bool {
    let (left, right) = (old.entry(earlier), new.entry(later));
    let facts = |entry: &Entry| (entry.kind, entry.mode, entry.uid, entry.gid);
    if facts(left) != facts(right) {
        return false;
    }
    match left.kind {
        Kind::Link => match (old.read_link(earlier), new.read_link(later)) {
            (Ok(left), Ok(right)) => left == right,
            _ => false,
        },
        Kind::File => {
            left.bytes == right.bytes && has_same_content(old, earlier, new, later).unwrap_or(false)
        }
        _ => true,
    }
}

fn has_same_content(old: &Index, earlier: EntryId, new: &Index, later: EntryId) -> Result<bool, FsError> {
    let bytes = old.entry(earlier).bytes;
    let (mut left, mut right) = (old.open(earlier)?, new.open(later)?);
    let length = usize::try_from(bytes).map_or(CHUNK_BYTES, |bytes| bytes.min(CHUNK_BYTES));
    let (mut first, mut second) = (vec![0; length], vec![0; length]);
    let mut at = 0;
    while at < bytes {
        let wanted = usize::try_from(bytes - at).map_or(length, |left| left.min(length));
        fill(left.as_mut(), at, &mut first[..wanted])?;
        fill(right.as_mut(), at, &mut second[..wanted])?;
        if first[..wanted] != second[..wanted] {
            return Ok(false);
        }
        at += wanted as u64;
    }
    Ok(true)
}

fn fill(file: &mut dyn amint_fs::OpenFile, offset: u64, buffer: &mut [u8]) -> Result<(), FsError> {
    let mut done = 0;
    while done < buffer.len() {
        match file.read_at(offset + done as u64, &mut buffer[done..])? {
            0 => return Err(FsError::NotFound),
            count => done += count,
        }
    }
    Ok(())
}
