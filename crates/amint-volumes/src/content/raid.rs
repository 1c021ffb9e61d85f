//! Members of software RAID, whose superblock may stand at either end (Linux `include/uapi/linux/raid/md_p.h`).

use std::io;

use amint_types::ReadAt;

use super::detect::read;
use crate::bytes::{be_u32, le_u32, le_u64};

const MAGIC: u32 = 0xa92b_4efc;
/// Superblocks of version 0.90 stand at a multiple of this from the end.
const OLD_ALIGNMENT: u64 = 64 * 1024;
/// Bytes of a superblock that are looked at.
const LOOK_BYTES: u64 = 512;
/// A mirror.
const LEVEL_MIRROR: u32 = 1;

/// Tells whether the source is a member of a RAID.
///
/// A member of a mirror whose superblock stands at the end reads as what it mirrors, so it is none.
pub(super) fn is_member(source: &dyn ReadAt, head: &[u8]) -> io::Result<bool> {
    for at in [0, 4096_u64] {
        let superblock = usize::try_from(at).ok().and_then(|at| head.get(at..)).unwrap_or_default();
        if is_version_1(superblock, at / 512) {
            return Ok(true);
        }
    }
    let size = source.size_bytes();
    // Version 1.0: at least 8 KiB from the end, at a multiple of 4 KiB.
    if let Some(at) = size.checked_sub(16 * 512).map(|at| at & !4095) {
        let superblock = read(source, at, LOOK_BYTES)?;
        if is_version_1(&superblock, at / 512) {
            return Ok(le_u32(&superblock, 72) != Some(LEVEL_MIRROR));
        }
    }
    if let Some(at) = (size & !(OLD_ALIGNMENT - 1)).checked_sub(OLD_ALIGNMENT) {
        let superblock = read(source, at, LOOK_BYTES)?;
        for number in [le_u32, be_u32] {
            let is_version_0 = number(&superblock, 0) == Some(MAGIC) && number(&superblock, 4) == Some(0);
            if is_version_0 {
                return Ok(number(&superblock, 28) != Some(LEVEL_MIRROR));
            }
        }
    }
    Ok(false)
}

/// Checks a superblock of version 1.x that stands in `sector`.
fn is_version_1(bytes: &[u8], sector: u64) -> bool {
    le_u32(bytes, 0) == Some(MAGIC) && le_u32(bytes, 4) == Some(1) && le_u64(bytes, 144) == Some(sector)
}
