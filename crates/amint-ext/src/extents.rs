//! Trees of extents (`Documentation/filesystems/ext4/ifork.rst`, "Extent Tree").

use amint_fs::FsError;

use crate::bytes::{Fields, join};
use crate::checksum;
use crate::error::{bad_checksum, damaged};
use crate::inode::MAP_BYTES;
use crate::mapping::{Leaf, Run, Tree};

const MAGIC: u16 = 0xF30A;
/// Bytes of the header and of each entry.
const ENTRY_BYTES: usize = 12;
/// Deeper trees could hold more than a file may have.
const DEPTH_MAX: u16 = 5;
/// Longer extents are shorter ones that hold nothing yet.
const LENGTH_WRITTEN_MAX: u16 = 0x8000;
/// Numbers of blocks of content have 32 bits.
const BLOCKS_MAX: u64 = 1 << 32;

/// One block of the tree.
struct Block<'b> {
    fields: Fields<'b>,
    count: usize,
    max: usize,
    depth: u16,
}

impl<'b> Block<'b> {
    /// Reads the header of a block of `bytes`.
    fn new(bytes: &'b [u8], inode: u32) -> Result<Self, FsError> {
        let fields = Fields::new(bytes, "a block of extents");
        let (count, max, depth) = (fields.u16(0x2)?, fields.u16(0x4)?, fields.u16(0x6)?);
        let capacity = (bytes.len() / ENTRY_BYTES).saturating_sub(1);
        let is_sound =
            fields.u16(0)? == MAGIC && count <= max && usize::from(max) <= capacity && depth <= DEPTH_MAX;
        if !is_sound {
            return Err(damaged(format!("the extents of inode {inode} have a wrong header")));
        }
        Ok(Self { fields, count: count.into(), max: max.into(), depth })
    }

    /// Returns the block of content that an entry begins with.
    fn key(&self, entry: usize) -> Result<u64, FsError> {
        self.fields.u32((entry + 1) * ENTRY_BYTES).map(u64::from)
    }

    /// Returns the last entry that begins at or before `block`.
    fn entry_of(&self, block: u64) -> Result<Option<usize>, FsError> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.key(middle)? <= block {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Ok(low.checked_sub(1))
    }

    /// Returns the block that an index entry leads to.
    fn child(&self, entry: usize) -> Result<u64, FsError> {
        let at = (entry + 1) * ENTRY_BYTES;
        Ok(join(self.fields.u32(at + 4)?, self.fields.u16(at + 8)?.into()))
    }

    /// Verifies the checksum behind the last entry.
    fn verify(&self, seed: u32, inode: u32) -> Result<(), FsError> {
        let end = (self.max + 1) * ENTRY_BYTES;
        if checksum::extend(seed, self.fields.slice(0, end)?) != self.fields.u32(end)? {
            return Err(bad_checksum(format!("the extents of inode {inode}")));
        }
        Ok(())
    }
}

/// Finds the leaf that tells where a block of content is.
pub(crate) fn leaf(tree: &Tree<'_>, block: u64) -> Result<Leaf, FsError> {
    if block >= BLOCKS_MAX {
        return Ok(Leaf { range: block..u64::MAX, runs: Vec::new() });
    }
    let superblock = &tree.volume.superblock;
    let mut range = 0..BLOCKS_MAX;
    let mut kept;
    let mut node = Block::new(&tree.root, tree.inode)?;
    while node.depth > 0 {
        let Some(entry) = node.entry_of(block)? else {
            let end = if node.count > 0 { node.key(0)?.min(range.end) } else { range.end };
            return Ok(Leaf { range: range.start..end, runs: Vec::new() });
        };
        range.start = range.start.max(node.key(entry)?);
        if entry + 1 < node.count {
            range.end = range.end.min(node.key(entry + 1)?);
        }
        let depth = node.depth;
        kept = tree.volume.block(node.child(entry)?)?;
        node = Block::new(&kept, tree.inode)?;
        if node.depth + 1 != depth || !range.contains(&block) {
            return Err(damaged(format!("the extents of inode {} contradict each other", tree.inode)));
        }
        if superblock.has_metadata_checksums() {
            node.verify(tree.seed, tree.inode)?;
        }
    }
    let mut runs = Vec::with_capacity(node.count);
    let mut end = range.start;
    for entry in 0..node.count {
        let at = (entry + 1) * ENTRY_BYTES;
        let (start, length) = (node.key(entry)?, node.fields.u16(at + 4)?);
        let is_written = length <= LENGTH_WRITTEN_MAX;
        let count = u64::from(if is_written { length } else { length - LENGTH_WRITTEN_MAX });
        let device = join(node.fields.u32(at + 8)?, node.fields.u16(at + 6)?.into());
        if start < end || count == 0 || start + count > range.end {
            return Err(damaged(format!("the extents of inode {} overlap", tree.inode)));
        }
        superblock.check_blocks(device, count)?;
        end = start + count;
        runs.push(Run { start, count, device: is_written.then_some(device) });
    }
    Ok(Leaf { range, runs })
}

/// Tells whether the root of a tree has any entry.
pub(crate) fn has_entries(root: &[u8; MAP_BYTES]) -> bool {
    Block::new(root, 0).is_ok_and(|block| block.count > 0)
}
