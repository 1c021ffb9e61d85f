//! Targets of symbolic links: in the inode, or in blocks of their own.

use amint_fs::{FsError, Kind};

use crate::extents::load_extents;
use crate::fields::{Fields, damaged};
use crate::header::{REMOTE, verify};
use crate::inode::{Format, Inode};
use crate::volume::Volume;

/// The longest target, in bytes.
const TARGET_BYTES_MAX: u64 = 1024;
/// `XSLM`: the header of a target in blocks of its own (version 5).
const MAGIC: u32 = 0x5853_4c4d;
/// Bytes of that header.
const HEADER_BYTES: usize = 56;

/// Returns what a symbolic link says.
pub(crate) fn read_link(volume: &Volume, inode: &Inode) -> Result<Vec<u8>, FsError> {
    if inode.node.kind != Kind::Link {
        return Err(FsError::WrongKind("a symbolic link"));
    }
    let bytes = inode.node.bytes;
    let wrong = || damaged(format!("the target of link {} has a wrong length", inode.number));
    if bytes == 0 || bytes > TARGET_BYTES_MAX {
        return Err(wrong());
    }
    if inode.data.format == Format::Local {
        return Ok(inode.local_bytes()?.to_vec());
    }
    let bytes = usize::try_from(bytes).map_err(|_| wrong())?;
    let mut target = Vec::with_capacity(bytes);
    for extent in load_extents(volume, inode, &inode.data)? {
        let left = bytes - target.len();
        if left == 0 {
            break;
        }
        // A target spans at most two of the smallest blocks beyond its own length; more is never looked at.
        let extent_bytes = extent.blocks.saturating_mul(u64::from(volume.superblock.block_bytes));
        let piece_bytes = usize::try_from(extent_bytes.min(64 * 1024)).map_err(|_| wrong())?;
        let (piece, origin) = volume.metadata(extent.offset, piece_bytes, inode.number)?;
        if !volume.superblock.has_checksums {
            target.extend_from_slice(piece.get(..left).unwrap_or(&piece));
            continue;
        }
        let fields = Fields(&piece);
        if fields.u32(0)? != MAGIC {
            return Err(damaged(format!("the target of link {} is not where it should be", inode.number)));
        }
        verify(volume, REMOTE, &piece, origin, "the target of a link")?;
        let count = usize::try_from(fields.u32(8)?).map_err(|_| wrong())?;
        if usize::try_from(fields.u32(4)?).ok() != Some(target.len()) || count > left {
            return Err(wrong());
        }
        target.extend_from_slice(fields.slice(HEADER_BYTES, count)?);
    }
    if target.len() == bytes { Ok(target) } else { Err(wrong()) }
}
