//! Records and index blocks: the marks at the ends of their sectors, and the header of a record.

use amint_fs::FsError;

use crate::bytes::{array, index_u16, le_u16, le_u64, slice};
use crate::error::damaged;

/// Marks stand at the end of each piece of this size, whatever the disk's sectors are.
const STRIDE_BYTES: usize = 512;
/// Flags of a record.
const IN_USE: u16 = 1;
const FOLDER: u16 = 2;
/// The part of a reference that is a record's number; the rest counts how often the record was used anew.
pub(crate) const REFERENCE_NUMBER: u64 = 0x0000_ffff_ffff_ffff;

/// Puts back what the marks at the ends of sectors replaced, and checks them.
///
/// # Errors
/// [`FsError::Damaged`] when the mark of the structure or of a sector is wrong.
pub(crate) fn restore(bytes: &mut [u8], magic: [u8; 4], what: &str) -> Result<(), FsError> {
    if slice(bytes, 0, 4) != Some(magic.as_slice()) {
        return Err(damaged(format!("{what} has no mark")));
    }
    let wrong = || damaged(format!("the sectors of {what} do not belong together"));
    let (at, count) = (index_u16(bytes, 4).ok_or_else(wrong)?, index_u16(bytes, 6).ok_or_else(wrong)?);
    if count.checked_sub(1).is_none_or(|sectors| sectors * STRIDE_BYTES != bytes.len()) {
        return Err(wrong());
    }
    let saved = slice(bytes, at, count * 2).ok_or_else(wrong)?.to_vec();
    let mark: [u8; 2] = array(&saved, 0).ok_or_else(wrong)?;
    let (originals, _) = saved.get(2..).unwrap_or_default().as_chunks::<2>();
    for (piece, original) in bytes.chunks_exact_mut(STRIDE_BYTES).zip(originals) {
        let end = piece.last_chunk_mut::<2>().ok_or_else(wrong)?;
        if *end != mark {
            return Err(wrong());
        }
        *end = *original;
    }
    Ok(())
}

/// A record of the table.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    bytes: Vec<u8>,
    pub(crate) is_folder: bool,
    /// The record that this one extends; none for a record that stands for a node.
    pub(crate) base: Option<u64>,
    attributes_at: usize,
    used: usize,
}

impl Record {
    /// Checks a record as it stands on the disk.
    ///
    /// # Errors
    /// [`FsError::NotFound`] for a record that is not in use.
    pub(crate) fn parse(mut bytes: Vec<u8>, number: u64) -> Result<Self, FsError> {
        // Records that never were in use may be zeros.
        if bytes.iter().take(4).all(|byte| *byte == 0) {
            return Err(FsError::NotFound);
        }
        let what = format!("record {number}");
        restore(&mut bytes, *b"FILE", &what)?;
        let wrong = || damaged(format!("the header of {what} makes no sense"));
        let flags = le_u16(&bytes, 22).ok_or_else(wrong)?;
        if flags & IN_USE == 0 {
            return Err(FsError::NotFound);
        }
        let base = le_u64(&bytes, 32).ok_or_else(wrong)? & REFERENCE_NUMBER;
        let attributes_at = index_u16(&bytes, 20).ok_or_else(wrong)?;
        let used = crate::bytes::index_u32(&bytes, 24).ok_or_else(wrong)?;
        if used > bytes.len() || attributes_at > used {
            return Err(wrong());
        }
        Ok(Self {
            is_folder: flags & FOLDER != 0,
            base: (base != 0).then_some(base),
            attributes_at,
            used,
            bytes,
        })
    }

    /// Returns the bytes in which attributes stand.
    pub(crate) fn attributes(&self) -> &[u8] {
        self.bytes.get(self.attributes_at..self.used).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::restore;

    #[test]
    fn marks_are_checked_and_taken_away() {
        let mut bytes = vec![7; 1024];
        bytes[..4].copy_from_slice(b"FILE");
        bytes[4..8].copy_from_slice(&[48, 0, 3, 0]);
        bytes[48..54].copy_from_slice(&[1, 2, 3, 4, 5, 6]);
        for end in [510, 1022] {
            bytes[end..end + 2].copy_from_slice(&[1, 2]);
        }
        let good = bytes.clone();
        restore(&mut bytes, *b"FILE", "it").unwrap();
        assert_eq!((&bytes[510..512], &bytes[1022..]), (&[3, 4][..], &[5, 6][..]));
        assert!(restore(&mut good.clone(), *b"INDX", "it").is_err());
        let mut torn = good.clone();
        torn[1023] = 9;
        assert!(restore(&mut torn, *b"FILE", "it").is_err());
        let mut short = good;
        short[6] = 2;
        assert!(restore(&mut short, *b"FILE", "it").is_err());
    }
}
