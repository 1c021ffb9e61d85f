//! Attributes in blocks: leaves, the nodes above them, and values in blocks of their own.

use std::collections::HashSet;

use amint_fs::{FsError, XATTR_BYTES_MAX};

use super::{Collected, IS_INCOMPLETE, IS_LOCAL, IS_PARENT};
use crate::extents::{Extent, load_extents};
use crate::fields::{Fields, damaged, limit};
use crate::file::read_extents;
use crate::header::{HASH_TREE, Origin, REMOTE, verify};
use crate::inode::{Fork, Inode};
use crate::volume::Volume;

/// Magic numbers of a leaf and of a node, in versions 4 and 5.
const LEAF_4: u16 = 0xfbee;
const LEAF_5: u16 = 0x3bee;
const NODE_4: u16 = 0xfebe;
const NODE_5: u16 = 0x3ebe;
/// `XARM`: the header of each block of a value (version 5).
const REMOTE_MAGIC: u32 = 0x5841_524d;
/// Bytes of that header.
const REMOTE_HEADER_BYTES: usize = 56;
/// How deep the tree may be (Linux: `XFS_DA_NODE_MAXDEPTH`).
const LEVELS_MAX: usize = 5;

/// The attribute fork of one inode.
struct Attributes<'a> {
    volume: &'a Volume,
    inode: u64,
    extents: Vec<Extent>,
}

/// Collects the attributes in all leaves: down to the first one, then along the chain.
pub(super) fn read_leaves(
    volume: &Volume,
    inode: &Inode,
    fork: &Fork,
    collected: &mut Collected,
) -> Result<(), FsError> {
    let extents = load_extents(volume, inode, fork)?;
    let attributes = Attributes { volume, inode: inode.number, extents };
    let mut number = 0;
    let mut block = attributes.block(number)?;
    for _ in 0..LEVELS_MAX {
        let fields = Fields(&block);
        if !matches!(fields.u16(8)?, NODE_4 | NODE_5) {
            break;
        }
        // After the header comes the first pair of hash and block.
        let header = if volume.superblock.has_checksums { 64 } else { 16 };
        number = fields.u32(header + 4)?;
        block = attributes.block(number)?;
    }
    let mut seen = HashSet::from([number]);
    loop {
        let next = attributes.leaf(&block, collected)?;
        if next == 0 {
            return Ok(());
        }
        if !seen.insert(next) {
            return Err(attributes.damaged("go round in a circle"));
        }
        block = attributes.block(next)?;
    }
}

impl Attributes<'_> {
    /// Reads and verifies a leaf or a node.
    fn block(&self, number: u32) -> Result<Vec<u8>, FsError> {
        let (block, origin) = self.read(number)?;
        let magic = Fields(&block).u16(8)?;
        let is_known = if self.volume.superblock.has_checksums {
            matches!(magic, LEAF_5 | NODE_5)
        } else {
            matches!(magic, LEAF_4 | NODE_4)
        };
        if !is_known {
            return Err(self.damaged("have a foreign block"));
        }
        verify(self.volume, HASH_TREE, &block, origin, "a block of attributes")?;
        Ok(block)
    }

    /// Reads one block of the fork.
    fn read(&self, number: u32) -> Result<(Vec<u8>, Origin), FsError> {
        let number = u64::from(number);
        let extent = self.extents.get(self.extents.partition_point(|extent| extent.end() <= number));
        let extent = extent
            .filter(|extent| extent.first <= number && !extent.is_unwritten)
            .ok_or_else(|| self.damaged("have a hole where a block should be"))?;
        let offset = extent.offset + (number - extent.first) * u64::from(self.volume.superblock.block_bytes);
        self.volume.metadata(offset, self.volume.block_bytes(), self.inode)
    }

    /// Collects the attributes of one leaf and returns the next one; 0 at the end.
    fn leaf(&self, block: &[u8], collected: &mut Collected) -> Result<u32, FsError> {
        let fields = Fields(block);
        if !matches!(fields.u16(8)?, LEAF_4 | LEAF_5) {
            return Err(self.damaged("have a node where a leaf should be"));
        }
        let (count_offset, header) = if self.volume.superblock.has_checksums { (56, 80) } else { (12, 32) };
        for index in 0..usize::from(fields.u16(count_offset)?) {
            let entry = header + index * 8;
            let place = usize::from(fields.u16(entry + 4)?);
            let flags = fields.u8(entry + 6)?;
            if flags & (IS_PARENT | IS_INCOMPLETE) != 0 {
                continue;
            }
            if flags & IS_LOCAL != 0 {
                let value_bytes = usize::from(fields.u16(place)?);
                let name_bytes = usize::from(fields.u8(place + 2)?);
                let name = fields.slice(place + 3, name_bytes)?;
                let value = fields.slice(place + 3 + name_bytes, value_bytes)?;
                collected.add(flags, name, value.to_vec())?;
            } else {
                let name_bytes = usize::from(fields.u8(place + 8)?);
                let name = fields.slice(place + 9, name_bytes)?;
                let value = self.value(fields.u32(place)?, fields.u32(place + 4)?)?;
                collected.add(flags, name, value)?;
            }
        }
        fields.u32(0)
    }

    /// Reads a value in blocks of its own.
    fn value(&self, first: u32, bytes: u32) -> Result<Vec<u8>, FsError> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > XATTR_BYTES_MAX {
            return Err(limit(format!("an attribute of more than {XATTR_BYTES_MAX} bytes")));
        }
        if !self.volume.superblock.has_checksums {
            let mut value = vec![0; bytes];
            let offset = u64::from(first) * u64::from(self.volume.superblock.block_bytes);
            read_extents(self.volume, &self.extents, offset, &mut value)?;
            return Ok(value);
        }
        let mut value = Vec::with_capacity(bytes);
        let mut number = first;
        while value.len() < bytes {
            let (block, origin) = self.read(number)?;
            let fields = Fields(&block);
            if fields.u32(0)? != REMOTE_MAGIC {
                return Err(self.damaged("have a value that is not where it should be"));
            }
            verify(self.volume, REMOTE, &block, origin, "the value of an attribute")?;
            let count = usize::try_from(fields.u32(8)?).unwrap_or(usize::MAX);
            let is_right = usize::try_from(fields.u32(4)?).ok() == Some(value.len())
                && count > 0
                && count <= bytes - value.len();
            if !is_right {
                return Err(self.damaged("have a value of a wrong length"));
            }
            value.extend_from_slice(fields.slice(REMOTE_HEADER_BYTES, count)?);
            number = number.checked_add(1).ok_or_else(|| self.damaged("leave their fork"))?;
        }
        Ok(value)
    }

    fn damaged(&self, what: &str) -> FsError {
        damaged(format!("the attributes of inode {} {what}", self.inode))
    }
}
