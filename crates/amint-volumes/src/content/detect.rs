//! Looks at bytes until something fits.

use std::io;

use amint_types::ReadAt;

use super::{Content, raid, systems};

/// Bytes from the start in which all marks lie that are not at the end.
const HEAD_BYTES: u64 = 256 * 1024;
/// Bytes from the start that must be zero for [`Content::Empty`].
const EMPTY_HEAD_BYTES: u64 = 1024 * 1024;
/// Samples behind them that must be zero too.
const SAMPLES: u64 = 64;
const SAMPLE_BYTES: u64 = 4096;

/// Tells what lies in a source.
///
/// A mark alone is not believed: the numbers around it must make sense too. What a volume manager or an encryption
/// claims wins over what the same bytes would be without it.
///
/// # Errors
/// Fails when the source cannot be read.
pub fn detect(source: &dyn ReadAt) -> io::Result<Content> {
    let head = read(source, 0, source.size_bytes().min(HEAD_BYTES))?;
    if let Some(content) = systems::container(&head, source.size_bytes()) {
        return Ok(content);
    }
    if raid::is_member(source, &head)? {
        return Ok(Content::RaidMember);
    }
    if let Some(content) = systems::file_system(&head, source.size_bytes()) {
        return Ok(content);
    }
    Ok(if is_empty(source)? { Content::Empty } else { Content::Unknown })
}

/// Tells what lies in a source; what a person should know goes to `notes`.
pub(crate) fn detect_or_note(source: &dyn ReadAt, label: &str, notes: &mut Vec<String>) -> Content {
    match detect(source) {
        Ok(content) => {
            if content == (Content::Swap { is_hibernated: true }) {
                notes.push(format!("{label}: hibernation image: the memory of a running system"));
            }
            content
        }
        Err(error) => {
            notes.push(format!("{label}: its content could not be read: {error}"));
            Content::Unknown
        }
    }
}

/// Reads a range that lies inside of the source and is no larger than [`EMPTY_HEAD_BYTES`].
pub(super) fn read(source: &dyn ReadAt, at: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let length = usize::try_from(bytes).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut buffer = vec![0; length];
    source.read_exact_at(at, &mut buffer)?;
    Ok(buffer)
}

fn is_zero(source: &dyn ReadAt, at: u64, bytes: u64) -> io::Result<bool> {
    Ok(source.is_known_zero(at, bytes) || read(source, at, bytes)?.iter().all(|byte| *byte == 0))
}

/// Tells whether the beginning and samples of the rest are zero.
fn is_empty(source: &dyn ReadAt) -> io::Result<bool> {
    let size = source.size_bytes();
    if size == 0 || source.is_known_zero(0, size) {
        return Ok(true);
    }
    let head = size.min(EMPTY_HEAD_BYTES);
    if !is_zero(source, 0, head)? {
        return Ok(false);
    }
    let step = ((size - head) / SAMPLES).max(SAMPLE_BYTES);
    let mut at = head;
    while at < size {
        if !is_zero(source, at, SAMPLE_BYTES.min(size - at))? {
            return Ok(false);
        }
        at = at.saturating_add(step);
    }
    Ok(true)
}
