//! Extents of files (btrfs on-disk format, `EXTENT_DATA`).

use amint_fs::FsError;

use crate::bytes::{u8_at, u16_at, u64_at};
use crate::compression::{EXTENT_BYTES_MAX, Method, unpack};
use crate::error::{damaged, short, unsupported};
use crate::superblock::Superblock;

/// Where the data of an inline extent begins in its item.
pub(crate) const INLINE_AT: usize = 21;
/// Types of extents.
pub(crate) const INLINE: u8 = 0;
pub(crate) const REGULAR: u8 = 1;
const PREALLOCATED: u8 = 2;

/// A run of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extent {
    /// Where in the file.
    pub(crate) start: u64,
    pub(crate) bytes: u64,
    pub(crate) data: Data,
}

/// Where the content of a run is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    /// Nowhere: a hole, or space that is only reserved.
    Zeros,
    /// Within the item itself, unpacked already.
    Inline(Vec<u8>),
    /// As it is, from an address on.
    Plain(u64),
    /// Compressed.
    Packed(Packed),
}

/// A compressed extent, of which a run of a file shows a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    pub(crate) method: Method,
    pub(crate) logical: u64,
    pub(crate) stored_bytes: usize,
    pub(crate) unpacked_bytes: usize,
    /// Where the run begins in the unpacked extent.
    pub(crate) offset: usize,
}

impl Extent {
    /// Reads an extent item.
    pub(crate) fn read(start: u64, item: &[u8], superblock: &Superblock) -> Result<Self, FsError> {
        let missing = || short("an extent");
        let packing = u8_at(item, 16).ok_or_else(missing)?;
        let method = match packing {
            0 => None,
            1 => Some(Method::Zlib),
            2 => Some(Method::Lzo),
            3 => Some(Method::Zstd),
            _ => return Err(unsupported(format!("compression of kind {packing}"))),
        };
        if u8_at(item, 17).ok_or_else(missing)? != 0 {
            return Err(FsError::Encrypted);
        }
        if u16_at(item, 18).ok_or_else(missing)? != 0 {
            return Err(unsupported("an unknown encoding of data"));
        }
        let extent_type = u8_at(item, 20).ok_or_else(missing)?;
        let extent = match extent_type {
            INLINE => Self::inline(start, item, method, superblock)?,
            REGULAR | PREALLOCATED => Self::regular(start, item, extent_type, method)?,
            other => return Err(unsupported(format!("extents of type {other}"))),
        };
        if extent.start.checked_add(extent.bytes).is_none() {
            return Err(damaged(format!("an extent at {start} of {} bytes", extent.bytes)));
        }
        Ok(extent)
    }

    fn inline(
        start: u64,
        item: &[u8],
        method: Option<Method>,
        superblock: &Superblock,
    ) -> Result<Self, FsError> {
        let stored = item.get(INLINE_AT..).unwrap_or_default();
        let bytes = u64_at(item, 8).ok_or_else(|| short("an extent"))?;
        let data = match method {
            None => stored.to_vec(),
            Some(_) if bytes > u64::from(superblock.node_bytes) => {
                return Err(damaged(format!("an inline extent of {bytes} bytes")));
            }
            Some(method) => {
                let sector_bytes = usize::try_from(superblock.sector_bytes).unwrap_or(usize::MAX);
                unpack(method, stored, usize::try_from(bytes).unwrap_or(0), sector_bytes)?
            }
        };
        Ok(Self { start, bytes: data.len() as u64, data: Data::Inline(data) })
    }

    fn regular(start: u64, item: &[u8], extent_type: u8, method: Option<Method>) -> Result<Self, FsError> {
        let long = |at| u64_at(item, at).ok_or_else(|| short("an extent"));
        let (logical, disk_bytes) = (long(21)?, long(29)?);
        let (offset, bytes) = (long(37)?, long(45)?);
        if bytes == 0 {
            return Err(damaged(format!("an extent at {start} of no bytes")));
        }
        let wrong = || damaged(format!("an extent at {start} that leaves what it is part of"));
        let data = if logical == 0 || extent_type == PREALLOCATED {
            Data::Zeros
        } else if let Some(method) = method {
            let unpacked = long(8)?;
            let end = offset.checked_add(bytes).ok_or_else(wrong)?;
            if end > unpacked || unpacked > EXTENT_BYTES_MAX || disk_bytes > EXTENT_BYTES_MAX {
                return Err(wrong());
            }
            let small = |bytes: u64| usize::try_from(bytes).map_err(|_| wrong());
            Data::Packed(Packed {
                method,
                logical,
                stored_bytes: small(disk_bytes)?,
                unpacked_bytes: small(unpacked)?,
                offset: small(offset)?,
            })
        } else {
            if offset.checked_add(bytes).is_none_or(|end| end > disk_bytes) {
                return Err(wrong());
            }
            Data::Plain(logical.checked_add(offset).ok_or_else(wrong)?)
        };
        Ok(Self { start, bytes, data })
    }

    /// Returns the first byte of the file behind the run.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.bytes)
    }

    /// Takes `next` in where it follows both in the file and in the address space.
    pub(crate) fn joins(&mut self, next: &Self) -> bool {
        if self.end() != next.start {
            return false;
        }
        let follows = match (&self.data, &next.data) {
            (Data::Zeros, Data::Zeros) => true,
            (Data::Plain(logical), Data::Plain(next)) => logical.checked_add(self.bytes) == Some(*next),
            _ => false,
        };
        if follows {
            self.bytes += next.bytes;
        }
        follows
    }
}
