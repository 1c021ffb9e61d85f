//! Checksums, and the headers with which blocks of version 5 describe themselves.

use amint_fs::FsError;

use crate::fields::{Fields, damaged};
use crate::volume::Volume;

/// Where the fields of a self-describing header are, in bytes from the start of the block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    crc: usize,
    uuid: usize,
    /// The number of the first 512-byte sector.
    sector: Option<usize>,
    owner: Option<Owner>,
}

/// Where and how the owner stands.
#[derive(Clone, Copy, Debug)]
enum Owner {
    Narrow(usize),
    Wide(usize),
}

/// Blocks of the trees of an allocation group.
pub(crate) const GROUP_TREE: Layout =
    Layout { crc: 52, uuid: 32, sector: Some(16), owner: Some(Owner::Narrow(48)) };
/// Blocks of the tree of extents.
pub(crate) const EXTENT_TREE: Layout =
    Layout { crc: 64, uuid: 40, sector: Some(24), owner: Some(Owner::Wide(56)) };
/// Data blocks of folders.
pub(crate) const DIRECTORY: Layout =
    Layout { crc: 4, uuid: 24, sector: Some(8), owner: Some(Owner::Wide(40)) };
/// Leaves and nodes of attributes (and of folders).
pub(crate) const HASH_TREE: Layout =
    Layout { crc: 12, uuid: 32, sector: Some(16), owner: Some(Owner::Wide(48)) };
/// Values of attributes and targets of links in blocks of their own.
pub(crate) const REMOTE: Layout =
    Layout { crc: 12, uuid: 16, sector: Some(40), owner: Some(Owner::Wide(32)) };
/// The header of the free space of a group.
pub(crate) const GROUP_FREE: Layout = Layout { crc: 216, uuid: 64, sector: None, owner: None };
/// The header of the inodes of a group.
pub(crate) const GROUP_INODES: Layout = Layout { crc: 312, uuid: 296, sector: None, owner: None };
/// The list of free blocks of a group.
pub(crate) const GROUP_LIST: Layout = Layout { crc: 32, uuid: 8, sector: None, owner: None };

/// Computes the CRC-32C of a block as if its checksum field were zero.
pub(crate) fn checksum(block: &[u8], crc_offset: usize) -> Result<u32, FsError> {
    let fields = Fields(block);
    let before = crc32c::crc32c(fields.slice(0, crc_offset)?);
    let zeroed = crc32c::crc32c_append(before, &[0; 4]);
    let rest = crc_offset + 4;
    let after = fields.slice(rest, block.len().saturating_sub(rest))?;
    Ok(crc32c::crc32c_append(zeroed, after))
}

/// Tells whether the checksum of a block fits.
pub(crate) fn checksum_fits(block: &[u8], crc_offset: usize) -> Result<bool, FsError> {
    Ok(checksum(block, crc_offset)? == Fields(block).u32_le(crc_offset)?)
}

/// A block that was read, and where it came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Where it begins, in bytes.
    pub(crate) offset: u64,
    /// Whether the journal gave any of it: such blocks have no checksum yet.
    pub(crate) is_replayed: bool,
    /// The inode or the group that it belongs to.
    pub(crate) owner: u64,
}

/// Makes sure that a block is what it says to be and undamaged. Does nothing for version 4, which has no such headers.
pub(crate) fn verify(
    volume: &Volume,
    layout: Layout,
    block: &[u8],
    origin: Origin,
    what: &str,
) -> Result<(), FsError> {
    if !volume.superblock.has_checksums {
        return Ok(());
    }
    let fields = Fields(block);
    let wrong =
        |field: &str| Err(damaged(format!("the {field} of {what} at byte {} does not fit", origin.offset)));
    if !origin.is_replayed && !checksum_fits(block, layout.crc)? {
        return wrong("checksum");
    }
    if fields.array::<16>(layout.uuid)? != volume.superblock.meta_uuid {
        return wrong("file system id");
    }
    if let Some(sector) = layout.sector
        && fields.u64(sector)? != origin.offset / 512
    {
        return wrong("place");
    }
    let owner = match layout.owner {
        Some(Owner::Narrow(place)) => Some(u64::from(fields.u32(place)?)),
        Some(Owner::Wide(place)) => Some(fields.u64(place)?),
        None => None,
    };
    if owner.is_some_and(|owner| owner != origin.owner) && !volume.has_moved_owners {
        return wrong("owner");
    }
    Ok(())
}
