//! Directory blocks: one linear block, or a hash tree over as many as it takes.
//!
//! Rules: <https://docs.kernel.org/filesystems/ext4/directory.html>.

use super::bytes::{BLOCK_LENGTH, put_u16, put_u32};
use super::checksum;
use super::half_md4::HashSeed;
use super::model::{Child, Tree};

/// The fake entry at the end of each block of names, which holds the checksum.
const TAIL_BYTES: usize = 12;
const TAIL_TYPE: u8 = 0xde;
/// Bytes for names in one block.
const NAMES_BYTES: usize = BLOCK_LENGTH - TAIL_BYTES;
/// Bytes of `.` and `..` together.
const DOTS_BYTES: usize = 24;
const ENTRY_BYTES: usize = 8;
/// Where the count and the entries of the tree's root and of its other nodes begin.
const ROOT_ENTRIES_AT: usize = 32;
const NODE_ENTRIES_AT: usize = 8;
const INDEX_TAIL_BYTES: usize = 8;
const INDEX_ENTRY_BYTES: usize = 8;
/// Entries of the root and of other nodes.
const ROOT_ENTRIES_MAX: usize = (BLOCK_LENGTH - ROOT_ENTRIES_AT - INDEX_TAIL_BYTES) / INDEX_ENTRY_BYTES;
const NODE_ENTRIES_MAX: usize = (BLOCK_LENGTH - NODE_ENTRIES_AT - INDEX_TAIL_BYTES) / INDEX_ENTRY_BYTES;
/// Length of the empty entry that hides a node from readers that know no hash trees.
const NODE_LENGTH: u16 = 4096;
const HALF_MD4: u8 = 1;
const TYPE_DIRECTORY: u8 = 2;

/// How the names of a directory are spread over blocks.
#[derive(Debug)]
pub(super) enum DirectoryPlan {
    /// Names one after the other in the first block; further blocks are empty.
    Linear { blocks: u32 },
    /// Root, nodes, then leaves with the names.
    Indexed {
        /// The children in order of their hashes.
        order: Vec<usize>,
        leaves: Vec<Leaf>,
        /// Index blocks between the root and the leaves.
        nodes: usize,
    },
}

/// One block of names in a hash tree.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    /// Place of its first name in the order of hashes.
    first: usize,
    /// Its smallest hash; odd when the block before ends with the same hash.
    hash: u32,
}

impl DirectoryPlan {
    /// Blocks of the directory.
    pub(super) fn blocks(&self) -> u32 {
        match self {
            Self::Linear { blocks } => *blocks,
            Self::Indexed { leaves, nodes, .. } => block_number(1 + nodes + leaves.len()),
        }
    }

    /// Tells whether the directory is a hash tree.
    pub(super) fn is_indexed(&self) -> bool {
        matches!(self, Self::Indexed { .. })
    }
}

/// Spreads names over blocks; none when even a hash tree of two levels is too small.
pub(super) fn plan(children: &[Child], seed: HashSeed, blocks_min: u32) -> Option<DirectoryPlan> {
    let names_bytes: usize = children.iter().map(|child| entry_bytes(&child.name)).sum();
    if DOTS_BYTES + names_bytes <= NAMES_BYTES {
        return Some(DirectoryPlan::Linear { blocks: blocks_min });
    }
    let mut hashed: Vec<((u32, u32), usize)> =
        children.iter().enumerate().map(|(index, child)| (seed.hash(&child.name), index)).collect();
    hashed.sort_unstable();
    let mut leaves: Vec<Leaf> = Vec::new();
    let mut used = NAMES_BYTES;
    let mut previous = None;
    for (first, ((hash, _), child)) in hashed.iter().enumerate() {
        let bytes = entry_bytes(&children[*child].name);
        if used + bytes > NAMES_BYTES {
            let is_continued = previous == Some(*hash);
            leaves.push(Leaf { first, hash: hash | u32::from(is_continued) });
            used = 0;
        }
        used += bytes;
        previous = Some(*hash);
    }
    let nodes = if leaves.len() <= ROOT_ENTRIES_MAX { 0 } else { leaves.len().div_ceil(NODE_ENTRIES_MAX) };
    if nodes > ROOT_ENTRIES_MAX {
        return None;
    }
    Some(DirectoryPlan::Indexed {
        order: hashed.into_iter().map(|(_, child)| child).collect(),
        leaves,
        nodes,
    })
}

/// What the blocks of a directory tell besides its names.
#[derive(Clone, Copy, Debug)]
pub(super) struct Identity {
    pub(super) inode: u32,
    pub(super) parent: u32,
    /// Seed of the directory's checksums.
    pub(super) seed: u32,
}

/// Builds all blocks of a directory, one after the other.
pub(super) fn build(tree: &Tree, children: &[Child], plan: &DirectoryPlan, identity: Identity) -> Vec<u8> {
    let mut bytes = vec![0; plan.blocks() as usize * BLOCK_LENGTH];
    match plan {
        DirectoryPlan::Linear { .. } => {
            for (number, block) in bytes.chunks_exact_mut(BLOCK_LENGTH).enumerate() {
                let names: &[Child] = if number == 0 { children } else { &[] };
                let mut writer = NameWriter::new(block);
                if number == 0 {
                    writer.push(b".", identity.inode, TYPE_DIRECTORY);
                    writer.push(b"..", identity.parent, TYPE_DIRECTORY);
                }
                writer.push_children(tree, names.iter());
                writer.seal(identity.seed);
            }
        }
        DirectoryPlan::Indexed { order, leaves, nodes } => {
            let (index, names) = bytes.split_at_mut((1 + nodes) * BLOCK_LENGTH);
            build_index(index, leaves, *nodes, identity);
            for (number, block) in names.chunks_exact_mut(BLOCK_LENGTH).enumerate() {
                let end = leaves.get(number + 1).map_or(order.len(), |next| next.first);
                let mut writer = NameWriter::new(block);
                writer.push_children(tree, order[leaves[number].first..end].iter().map(|at| &children[*at]));
                writer.seal(identity.seed);
            }
        }
    }
    bytes
}

/// Writes the entries of one block of names.
struct NameWriter<'a> {
    block: &'a mut [u8],
    last: usize,
    end: usize,
}

impl<'a> NameWriter<'a> {
    fn new(block: &'a mut [u8]) -> Self {
        Self { block, last: 0, end: 0 }
    }

    fn push(&mut self, name: &[u8], inode: u32, entry_type: u8) {
        self.last = self.end;
        put_entry(&mut self.block[self.last..], name, inode, entry_type, entry_bytes(name));
        self.end += entry_bytes(name);
    }

    fn push_children<'b>(&mut self, tree: &Tree, children: impl Iterator<Item = &'b Child>) {
        for child in children {
            self.push(&child.name, Tree::number(child.inode), tree.inodes[child.inode].kind.entry_type());
        }
    }

    /// Stretches the last entry over the rest of the block and adds the checksum.
    fn seal(self, seed: u32) {
        let length = u16::try_from(NAMES_BYTES - self.last).expect("less than a block");
        put_u16(self.block, self.last + 4, length);
        let sum = checksum::extend(seed, &self.block[..NAMES_BYTES]);
        let tail = &mut self.block[NAMES_BYTES..];
        put_u16(tail, 4, 12);
        tail[7] = TAIL_TYPE;
        put_u32(tail, 8, sum);
    }
}

fn build_index(blocks: &mut [u8], leaves: &[Leaf], node_count: usize, identity: Identity) {
    let (root, nodes) = blocks.split_at_mut(BLOCK_LENGTH);
    put_entry(root, b".", identity.inode, TYPE_DIRECTORY, 12);
    put_entry(&mut root[12..], b"..", identity.parent, TYPE_DIRECTORY, BLOCK_LENGTH - 12);
    root[28] = HALF_MD4;
    root[29] = 8;
    root[30] = u8::from(node_count > 0);
    let first_leaf = 1 + node_count;
    let leaf_entries: Vec<(u32, u32)> = leaves
        .iter()
        .enumerate()
        .map(|(number, leaf)| (leaf.hash, block_number(first_leaf + number)))
        .collect();
    if node_count == 0 {
        put_index(root, ROOT_ENTRIES_AT, ROOT_ENTRIES_MAX, &leaf_entries, identity.seed);
        return;
    }
    let mut root_entries = Vec::with_capacity(node_count);
    let groups = leaf_entries.chunks(NODE_ENTRIES_MAX);
    for (number, (node, group)) in nodes.chunks_exact_mut(BLOCK_LENGTH).zip(groups).enumerate() {
        put_u16(node, 4, NODE_LENGTH);
        put_index(node, NODE_ENTRIES_AT, NODE_ENTRIES_MAX, group, identity.seed);
        root_entries.push((group[0].0, block_number(1 + number)));
    }
    put_index(root, ROOT_ENTRIES_AT, ROOT_ENTRIES_MAX, &root_entries, identity.seed);
}

/// Writes pairs of hash and block; the first hash is implied and its place holds the counts.
fn put_index(block: &mut [u8], at: usize, count_max: usize, entries: &[(u32, u32)], seed: u32) {
    for (number, (hash, target)) in entries.iter().enumerate() {
        let entry_at = at + number * INDEX_ENTRY_BYTES;
        if number > 0 {
            put_u32(block, entry_at, *hash);
        }
        put_u32(block, entry_at + 4, *target);
    }
    put_u16(block, at, u16::try_from(count_max).expect("at most 510 entries"));
    put_u16(block, at + 2, u16::try_from(entries.len()).expect("at most 510 entries"));
    let tail = at + count_max * INDEX_ENTRY_BYTES;
    let sum = checksum::extend(seed, &block[..at + entries.len() * INDEX_ENTRY_BYTES]);
    let sum = checksum::extend(sum, &[0; INDEX_TAIL_BYTES]);
    put_u32(block, tail + 4, sum);
}

fn put_entry(block: &mut [u8], name: &[u8], inode: u32, entry_type: u8, length: usize) {
    put_u32(block, 0, inode);
    put_u16(block, 4, u16::try_from(length).expect("at most a block"));
    block[6] = u8::try_from(name.len()).expect("the scan limits names to 255 bytes");
    block[7] = entry_type;
    block[ENTRY_BYTES..ENTRY_BYTES + name.len()].copy_from_slice(name);
}

fn entry_bytes(name: &[u8]) -> usize {
    ENTRY_BYTES + name.len().next_multiple_of(4)
}

fn block_number(value: usize) -> u32 {
    u32::try_from(value).expect("two levels have fewer than 2^18 blocks")
}
