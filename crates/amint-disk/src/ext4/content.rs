//! What of a tree's layout does not depend on the size of the file system.

use std::collections::BTreeMap;
use std::path::Path;

use super::Ext4Error;
use super::attributes::{self, AttributePlan};
use super::directory::{self, DirectoryPlan};
use super::half_md4::HashSeed;
use super::model::{Kind, LOST_AND_FOUND, Tree};

/// Blocks of `lost+found`, so that `e2fsck` can fill it without allocating.
const LOST_AND_FOUND_BLOCKS: u32 = 4;

/// A tree with the layout of its directories and attributes.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) tree: Tree,
    /// One for each directory, by its place in the tree.
    pub(super) directories: BTreeMap<usize, DirectoryPlan>,
    /// One for each file with attributes.
    pub(super) attributes: BTreeMap<usize, AttributePlan>,
}

/// Lays out directories and attributes; the root's path is for errors.
pub(super) fn plan_content(tree: Tree, root: &Path, seed: HashSeed) -> Result<Content, Ext4Error> {
    let mut directories = BTreeMap::new();
    let mut attributes = BTreeMap::new();
    for (index, inode) in tree.inodes.iter().enumerate() {
        if let Kind::Directory { children } = &inode.kind {
            let blocks_min = if index == LOST_AND_FOUND { LOST_AND_FOUND_BLOCKS } else { 1 };
            let plan = directory::plan(children, seed, blocks_min).ok_or_else(|| {
                Ext4Error::DirectoryTooLarge { path: tree.path(root, index), entries: children.len() }
            })?;
            directories.insert(index, plan);
        }
        if !inode.attributes.is_empty() {
            let plan = attributes::plan(&inode.attributes)
                .ok_or_else(|| Ext4Error::AttributesTooLarge { path: tree.path(root, index) })?;
            attributes.insert(index, plan);
        }
    }
    Ok(Content { tree, directories, attributes })
}

impl Content {
    /// Blocks by which directories may turn out larger with another hash seed: names are packed in the order
    /// of their hashes, and each block may leave room for almost one name unused.
    pub(super) fn spare_blocks(&self) -> u64 {
        let indexed = self.directories.values().filter(|plan| plan.is_indexed());
        indexed.map(|plan| u64::from(plan.blocks()) / 14 + 1).sum()
    }
}
