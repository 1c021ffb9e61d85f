//! Extent trees: which blocks of the disk hold which blocks of a file.

use super::bytes::{BLOCK_LENGTH, high_u32, low_u16, low_u32, put_u16, put_u32};
use super::checksum;

/// Blocks of the longest initialised extent.
pub(super) const EXTENT_BLOCKS_MAX: u32 = 32768;
/// Entries in the inode itself.
const ROOT_ENTRIES: usize = 4;
/// Entries in a block of the tree, which leaves room for the checksum.
const NODE_ENTRIES: usize = 340;
const HEADER_BYTES: usize = 12;
const ENTRY_BYTES: usize = 12;
const MAGIC: u16 = 0xf30a;

/// A run of blocks of a file that lie in a row on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// First block in the file.
    pub(super) logical: u32,
    /// First block on disk.
    pub(super) physical: u64,
    pub(super) blocks: u32,
}

/// A block of the tree or a leaf of it: where it starts in the file, where it lies on disk.
#[derive(Clone, Copy, Debug)]
struct Branch {
    logical: u32,
    physical: u64,
}

/// Returns how many blocks the tree takes outside of the inode.
pub(super) fn node_count(extent_count: usize) -> usize {
    let mut total = 0;
    let mut level = extent_count;
    while level > ROOT_ENTRIES {
        level = level.div_ceil(NODE_ENTRIES);
        total += level;
    }
    total
}

/// Builds the part in the inode and all blocks of the tree.
pub(super) fn build(extents: &[Extent], nodes: &[u64], seed: u32) -> ([u8; 60], Vec<(u64, Vec<u8>)>) {
    assert_eq!(nodes.len(), node_count(extents.len()), "the plan reserved the tree's blocks");
    let mut root = [0; 60];
    let mut blocks = Vec::with_capacity(nodes.len());
    if extents.len() <= ROOT_ENTRIES {
        put_leaf(&mut root, extents, ROOT_ENTRIES);
        return (root, blocks);
    }
    let mut free_nodes = nodes.iter().copied();
    let mut next_node = || free_nodes.next().expect("counted above");
    let mut branches = Vec::new();
    for leaf in extents.chunks(NODE_ENTRIES) {
        let physical = next_node();
        branches.push(Branch { logical: leaf[0].logical, physical });
        let mut block = vec![0; BLOCK_LENGTH];
        put_leaf(&mut block, leaf, NODE_ENTRIES);
        blocks.push((physical, sealed(block, seed)));
    }
    let mut depth = 1;
    while branches.len() > ROOT_ENTRIES {
        let mut parents = Vec::new();
        for group in branches.chunks(NODE_ENTRIES) {
            let physical = next_node();
            parents.push(Branch { logical: group[0].logical, physical });
            let mut block = vec![0; BLOCK_LENGTH];
            put_index(&mut block, group, NODE_ENTRIES, depth);
            blocks.push((physical, sealed(block, seed)));
        }
        branches = parents;
        depth += 1;
    }
    put_index(&mut root, &branches, ROOT_ENTRIES, depth);
    (root, blocks)
}

fn put_header(node: &mut [u8], count: usize, count_max: usize, depth: u16) {
    put_u16(node, 0, MAGIC);
    put_u16(node, 2, u16::try_from(count).expect("at most 340 entries"));
    put_u16(node, 4, u16::try_from(count_max).expect("at most 340 entries"));
    put_u16(node, 6, depth);
}

fn put_leaf(node: &mut [u8], extents: &[Extent], count_max: usize) {
    put_header(node, extents.len(), count_max, 0);
    for (extent, entry) in extents.iter().zip(node[HEADER_BYTES..].chunks_exact_mut(ENTRY_BYTES)) {
        put_u32(entry, 0, extent.logical);
        put_u16(entry, 4, low_u16(extent.blocks));
        put_u16(entry, 6, low_u16(high_u32(extent.physical)));
        put_u32(entry, 8, low_u32(extent.physical));
    }
}

fn put_index(node: &mut [u8], branches: &[Branch], count_max: usize, depth: u16) {
    put_header(node, branches.len(), count_max, depth);
    for (branch, entry) in branches.iter().zip(node[HEADER_BYTES..].chunks_exact_mut(ENTRY_BYTES)) {
        put_u32(entry, 0, branch.logical);
        put_u32(entry, 4, low_u32(branch.physical));
        put_u16(entry, 8, low_u16(high_u32(branch.physical)));
    }
}

fn sealed(mut block: Vec<u8>, seed: u32) -> Vec<u8> {
    let tail = HEADER_BYTES + NODE_ENTRIES * ENTRY_BYTES;
    let sum = checksum::extend(seed, &block[..tail]);
    put_u32(&mut block, tail, sum);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_blocks_of_trees_of_every_depth() {
        assert_eq!(node_count(0), 0);
        assert_eq!(node_count(4), 0);
        assert_eq!(node_count(5), 1);
        assert_eq!(node_count(340 * 4), 4);
        assert_eq!(node_count(340 * 4 + 1), 5 + 1);
    }

    #[test]
    fn a_tree_of_depth_two_points_to_all_its_leaves() {
        let extents: Vec<Extent> =
            (0..2000).map(|n| Extent { logical: n * 2, physical: 5000 + u64::from(n), blocks: 1 }).collect();
        let nodes: Vec<u64> = (100..107).collect();
        let (root, blocks) = build(&extents, &nodes, 1);
        assert_eq!(root[6], 2, "depth");
        assert_eq!(root[2], 1, "one index block");
        assert_eq!(blocks.len(), 7);
        assert_eq!(u32::from_le_bytes(root[16..20].try_into().unwrap()), 106);
        let (_, top) = &blocks[6];
        assert_eq!(top[2], 6, "six leaves below");
    }
}
