//! Keys: what the items of every tree are sorted by.

use crate::bytes::{u8_at, u64_at};

/// A key of 17 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    /// What the item belongs to: an inode, a tree, an address.
    pub(crate) object: u64,
    /// What kind of item it is.
    pub(crate) kind: u8,
    /// Depends on the kind.
    pub(crate) offset: u64,
}

/// Bytes of a key on the disk.
pub(crate) const KEY_BYTES: usize = 17;

impl Key {
    pub(crate) const fn new(object: u64, kind: u8, offset: u64) -> Self {
        Self { object, kind, offset }
    }

    /// The first key of an object's items of one kind.
    pub(crate) const fn first(object: u64, kind: u8) -> Self {
        Self::new(object, kind, 0)
    }

    /// The last key of an object's items of one kind.
    pub(crate) const fn last(object: u64, kind: u8) -> Self {
        Self::new(object, kind, u64::MAX)
    }

    /// Reads a key.
    pub(crate) fn read(bytes: &[u8], at: usize) -> Option<Self> {
        let kind = u8_at(bytes, at.checked_add(8)?)?;
        Some(Self { object: u64_at(bytes, at)?, kind, offset: u64_at(bytes, at.checked_add(9)?)? })
    }
}

/// Kinds of items.
pub(crate) mod kind {
    pub(crate) const INODE_ITEM: u8 = 1;
    pub(crate) const INODE_REF: u8 = 12;
    pub(crate) const INODE_EXTREF: u8 = 13;
    pub(crate) const XATTR_ITEM: u8 = 24;
    pub(crate) const DIR_LOG_INDEX: u8 = 72;
    pub(crate) const DIR_ITEM: u8 = 84;
    pub(crate) const DIR_INDEX: u8 = 96;
    pub(crate) const EXTENT_DATA: u8 = 108;
    pub(crate) const EXTENT_CSUM: u8 = 128;
    pub(crate) const ROOT_ITEM: u8 = 132;
    pub(crate) const ROOT_REF: u8 = 156;
    pub(crate) const EXTENT_ITEM: u8 = 168;
    pub(crate) const METADATA_ITEM: u8 = 169;
    pub(crate) const CHUNK_ITEM: u8 = 228;
}

/// Numbers of trees and objects that are always the same.
pub(crate) mod object {
    /// The tree of extents: which addresses are in use.
    pub(crate) const EXTENT_TREE: u64 = 2;
    /// The topmost subvolume.
    pub(crate) const TOP_SUBVOLUME: u64 = 5;
    /// The tree of the checksums of data.
    pub(crate) const CHECKSUM_TREE: u64 = 7;
    /// The first number of subvolumes that users make, and of inodes in each.
    pub(crate) const FIRST_FREE: u64 = 256;
    /// The last number of subvolumes that users make.
    pub(crate) const LAST_FREE: u64 = 0_u64.wrapping_sub(256);
    /// Stands in place of the number of a tree in the tree of logs.
    pub(crate) const TREE_LOG: u64 = 0_u64.wrapping_sub(6);
    /// What all checksums of data belong to.
    pub(crate) const EXTENT_CHECKSUMS: u64 = 0_u64.wrapping_sub(10);
    /// What all chunks belong to.
    pub(crate) const FIRST_CHUNK_TREE: u64 = 256;
    /// What the kernel shows in place of a subvolume that is elsewhere: an empty folder.
    pub(crate) const EMPTY_SUBVOLUME: u64 = 2;
}
