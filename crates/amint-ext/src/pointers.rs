//! Block maps of ext2 and ext3 (`Documentation/filesystems/ext4/blockmap.rst`).

use amint_fs::FsError;

use crate::bytes::Fields;
use crate::mapping::{Leaf, Run, Tree};

/// Blocks that the inode names itself.
const DIRECT: u64 = 12;
/// How many steps the deepest map has.
const LEVELS: usize = 3;

/// Finds the block of pointers that tells where a block of content is.
pub(crate) fn leaf(tree: &Tree<'_>, block: u64) -> Result<Leaf, FsError> {
    let root = Fields::new(&tree.root, "a block map");
    if block < DIRECT {
        return direct(tree, &root);
    }
    let per_block = tree.volume.superblock.block_bytes / 4;
    let mut start = DIRECT;
    let mut span = 1;
    for level in 0..LEVELS {
        span *= per_block;
        if block < start + span {
            let pointer = root.u32((12 + level) * 4)?;
            return indirect(tree, block, (start, span), pointer);
        }
        start += span;
    }
    Ok(Leaf { range: start..u64::MAX, runs: Vec::new() })
}

/// Reads the pointers in the inode.
fn direct(tree: &Tree<'_>, root: &Fields<'_>) -> Result<Leaf, FsError> {
    let mut leaf = Leaf { range: 0..DIRECT, runs: Vec::new() };
    for (block, at) in (0..DIRECT).zip((0..).step_by(4)) {
        push(tree, &mut leaf, block, root.u32(at)?)?;
    }
    Ok(leaf)
}

/// Goes down from a block of pointers that maps `span` blocks from `start` on.
fn indirect(tree: &Tree<'_>, block: u64, place: (u64, u64), mut pointer: u32) -> Result<Leaf, FsError> {
    let (mut start, mut span) = place;
    let per_block = tree.volume.superblock.block_bytes / 4;
    while pointer != 0 {
        let bytes = tree.volume.block(pointer.into())?;
        span /= per_block;
        if span <= 1 {
            let mut leaf = Leaf { range: start..start + per_block, runs: Vec::new() };
            for (block, entry) in (start..).zip(bytes.chunks_exact(4)) {
                push(tree, &mut leaf, block, Fields::new(entry, "a pointer").u32(0)?)?;
            }
            return Ok(leaf);
        }
        let entry = (block - start) / span;
        start += entry * span;
        let at = usize::try_from(entry * 4).unwrap_or(usize::MAX);
        pointer = Fields::new(&bytes, "a block of pointers").u32(at)?;
    }
    Ok(Leaf { range: start..start + span, runs: Vec::new() })
}

/// Adds where a block is, if it is anywhere.
fn push(tree: &Tree<'_>, leaf: &mut Leaf, block: u64, pointer: u32) -> Result<(), FsError> {
    if pointer == 0 {
        return Ok(());
    }
    let device = u64::from(pointer);
    tree.volume.superblock.check_blocks(device, 1)?;
    match leaf.runs.last_mut() {
        Some(last)
            if last.end() == block && last.device.is_some_and(|first| first + last.count == device) =>
        {
            last.count += 1;
        }
        _ => leaf.runs.push(Run { start: block, count: 1, device: Some(device) }),
    }
    Ok(())
}
