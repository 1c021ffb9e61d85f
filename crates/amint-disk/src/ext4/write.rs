//! Puts a planned file system into a file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use amint_types::Cancel;

use super::bytes::{BLOCK_BYTES, BLOCK_LENGTH, length};
use super::content::{Content, plan_content};
use super::copy::{Copy, copy_files};
use super::directory::{self, Identity};
use super::geometry::{Geometry, INODE_BYTES};
use super::half_md4::HashSeed;
use super::model::{Kind, Tree};
use super::plan::{self, INLINE_TARGET_BYTES_MAX, Plan};
use super::superblock::{self, Totals};
use super::{
    Ext4Error, Ext4Options, Ext4Summary, attributes, checksum, extents, groups, inode_table, journal,
    resize_inode, scan,
};

/// Inodes that are built before they are written.
const INODES_PER_WRITE: u64 = 4096;

/// Writes a tree as an ext4 file system into a file, from byte `offset` on.
///
/// The region must read as zeros beforehand. Only blocks that are not zero are written, so that the file
/// stays sparse, and the primary superblock last of all: an interrupted file system cannot be mistaken for a
/// whole one. `progress` hears bytes written and bytes in all, from changing threads, never backwards.
pub fn write_tree(
    tree: &Path,
    target: &File,
    offset: u64,
    options: &Ext4Options,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<Ext4Summary, Ext4Error> {
    options.check()?;
    let content = plan_content(scan::scan(tree, cancel)?, tree, HashSeed::new(options.hash_seed))?;
    let plan = plan::plan(&content, options.bytes, 0)?;
    let image = Image { content, plan, options, seed: checksum::of(options.uuid.as_bytes()) };
    let target = Target { file: target, offset };
    let progress = Progress::new(image.bytes_to_write(), progress);
    copy_files(&Copy {
        root: tree,
        tree: &image.content.tree,
        plan: &image.plan,
        target,
        progress: &progress,
        cancel,
    })?;
    image.write_tree_blocks(target, &progress, cancel)?;
    let groups = image.write_groups(target)?;
    image.write_inode_tables(target, &groups, &progress, cancel)?;
    image.write_system_files(target)?;
    image.write_superblocks(target, &groups)?;
    Ok(image.summary(&groups))
}

/// Tells how many bytes a file system for a tree needs at least, in whole MiB.
///
/// A quarter of its inodes and next to no blocks are then left free.
pub fn minimum_bytes(tree: &Path) -> Result<u64, Ext4Error> {
    let content = plan_content(scan::scan(tree, &Cancel::new())?, tree, HashSeed::new(uuid::Uuid::nil()))?;
    plan::minimum_bytes(&content)
}

/// Where the file system goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target<'a> {
    file: &'a File,
    offset: u64,
}

impl Target<'_> {
    /// Writes at the start of a block.
    pub(super) fn write(&self, block: u64, bytes: &[u8]) -> Result<(), Ext4Error> {
        self.write_at(block * BLOCK_BYTES, bytes)
    }

    fn write_at(&self, position: u64, bytes: &[u8]) -> Result<(), Ext4Error> {
        let offset = self.offset + position;
        self.file.write_all_at(bytes, offset).map_err(|source| Ext4Error::Write {
            offset,
            length: bytes.len(),
            source,
        })
    }
}

/// Counts what is written and tells the caller.
pub(super) struct Progress<'a> {
    done: Mutex<u64>,
    total: u64,
    listener: &'a (dyn Fn(u64, u64) + Sync),
}

impl<'a> Progress<'a> {
    fn new(total: u64, listener: &'a (dyn Fn(u64, u64) + Sync)) -> Self {
        Self { done: Mutex::new(0), total, listener }
    }

    /// Adds bytes; the listener is called under the lock, so that it never hears a smaller number later.
    pub(super) fn add(&self, bytes: u64) {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        *done += bytes;
        (self.listener)(*done, self.total);
    }
}

/// All that decides the bytes.
#[derive(Debug)]
pub(super) struct Image<'a> {
    pub(super) content: Content,
    pub(super) plan: Plan,
    pub(super) options: &'a Ext4Options,
    /// Seed of all checksums.
    pub(super) seed: u32,
}

impl Image<'_> {
    /// Counts data, directories, and inodes in use.
    fn bytes_to_write(&self) -> u64 {
        let blocks: u64 = self.plan.placements.iter().map(|placement| self.plan.block_count(placement)).sum();
        blocks * BLOCK_BYTES + u64::from(self.content.tree.last_number()) * INODE_BYTES
    }

    /// Writes directories, long symbolic links, extended attributes and extent trees.
    fn write_tree_blocks(
        &self,
        target: Target<'_>,
        progress: &Progress<'_>,
        cancel: &Cancel,
    ) -> Result<(), Ext4Error> {
        for (index, inode) in self.content.tree.inodes.iter().enumerate() {
            cancel.check()?;
            let number = Tree::number(index);
            let placement = &self.plan.placements[index];
            let seed = checksum::inode_seed(self.seed, number);
            let extents = self.plan.extents(placement);
            let mut blocks = 0;
            for (place, node) in extents::build(extents, &placement.nodes, seed).1 {
                target.write(place, &node)?;
                blocks += 1;
            }
            if let (Some(place), Some(plan)) =
                (placement.attribute_block, self.content.attributes.get(&index))
            {
                target.write(place, &attributes::build_block(&inode.attributes, plan, place, self.seed))?;
                blocks += 1;
            }
            let own = match &inode.kind {
                Kind::Directory { children } => {
                    let identity = Identity { inode: number, parent: Tree::number(inode.parent), seed };
                    directory::build(
                        &self.content.tree,
                        children,
                        &self.content.directories[&index],
                        identity,
                    )
                }
                Kind::Symlink { target } if target.len() > INLINE_TARGET_BYTES_MAX => {
                    let mut block = target.to_vec();
                    block.resize(BLOCK_LENGTH, 0);
                    block
                }
                _ => Vec::new(),
            };
            let mut rest = own.as_slice();
            for extent in extents.iter().filter(|_| !own.is_empty()) {
                let (part, after) = rest.split_at(extent.blocks as usize * BLOCK_LENGTH);
                target.write(extent.physical, part)?;
                blocks += u64::from(extent.blocks);
                rest = after;
            }
            if blocks > 0 {
                progress.add(blocks * BLOCK_BYTES);
            }
        }
        Ok(())
    }

    /// Works out all groups and writes their bitmaps.
    fn write_groups(&self, target: Target<'_>) -> Result<Vec<groups::Group>, Ext4Error> {
        let geometry = &self.plan.geometry;
        let last_inode = self.content.tree.last_number();
        let directories = groups::directories_per_group(&self.content.tree, geometry);
        let mut all = Vec::with_capacity(directories.len());
        for ((number, tables), directories) in (0..).zip(&geometry.tables).zip(directories) {
            let group = groups::plan_group(&self.plan, last_inode, directories, number);
            if let Some(bitmap) = &group.block_bitmap {
                target.write(tables.block_bitmap, bitmap)?;
            }
            if let Some(bitmap) = &group.inode_bitmap {
                target.write(tables.inode_bitmap, bitmap)?;
            }
            all.push(group);
        }
        Ok(all)
    }

    fn write_inode_tables(
        &self,
        target: Target<'_>,
        groups: &[groups::Group],
        progress: &Progress<'_>,
        cancel: &Cancel,
    ) -> Result<(), Ext4Error> {
        let geometry = &self.plan.geometry;
        for ((number, tables), group) in (0..).zip(&geometry.tables).zip(groups) {
            let mut done = 0;
            while done < group.used_inodes {
                cancel.check()?;
                let count = (group.used_inodes - done).min(INODES_PER_WRITE);
                let first = number * geometry.inodes_per_group + done + 1;
                let inodes = first..first + count;
                let mut bytes = Vec::with_capacity(length(count * INODE_BYTES) + BLOCK_LENGTH);
                for inode in inodes {
                    bytes.extend_from_slice(&inode_table::build(self, super::geometry::field(inode)));
                }
                bytes.resize(bytes.len().next_multiple_of(BLOCK_LENGTH), 0);
                target.write(tables.inode_table + done * INODE_BYTES / BLOCK_BYTES, &bytes)?;
                progress.add(count * INODE_BYTES);
                done += count;
            }
        }
        Ok(())
    }

    /// Writes the journal and the resize inode's blocks.
    fn write_system_files(&self, target: Target<'_>) -> Result<(), Ext4Error> {
        let journal_extents = self.plan.extents(&self.plan.journal);
        let first = journal_extents[0].physical;
        target.write(first, &journal::superblock(self.plan.journal_blocks, self.options.uuid))?;
        let seed = checksum::inode_seed(self.seed, inode_table::JOURNAL_NUMBER);
        let (_, nodes) = extents::build(journal_extents, &self.plan.journal.nodes, seed);
        for (place, block) in nodes.into_iter().chain(resize_inode::blocks(&self.plan)) {
            if block.iter().any(|byte| *byte != 0) {
                target.write(place, &block)?;
            }
        }
        Ok(())
    }

    /// Writes superblocks and group descriptors, first the copies, last the primary superblock.
    fn write_superblocks(&self, target: Target<'_>, groups: &[groups::Group]) -> Result<(), Ext4Error> {
        let totals = self.totals(groups);
        let descriptors = groups::descriptor_table(&self.plan, groups, self.seed);
        for group in self.plan.geometry.backup_groups() {
            let start = Geometry::group_start(group);
            target.write(start, &superblock::build(self, totals, group))?;
            target.write(start + 1, &descriptors)?;
        }
        target.write(1, &descriptors)?;
        target.write_at(superblock::OFFSET as u64, &superblock::build(self, totals, 0))
    }

    fn totals(&self, groups: &[groups::Group]) -> Totals {
        let used_inodes: u64 = groups.iter().map(|group| group.used_inodes).sum();
        let free_blocks = groups.iter().map(|group| group.free_blocks).sum();
        assert_eq!(free_blocks, self.plan.free_blocks(), "groups and plan count the same blocks");
        Totals { free_blocks, free_inodes: self.plan.geometry.inodes() - used_inodes }
    }

    fn summary(&self, groups: &[groups::Group]) -> Ext4Summary {
        let totals = self.totals(groups);
        let mut summary = Ext4Summary {
            sockets_skipped: self.content.tree.sockets_skipped,
            attributes_skipped: self.content.tree.attributes_skipped,
            used_bytes: (self.plan.geometry.blocks - totals.free_blocks) * BLOCK_BYTES,
            free_bytes: totals.free_blocks * BLOCK_BYTES,
            journal_bytes: self.plan.journal_blocks * BLOCK_BYTES,
            free_inodes: totals.free_inodes,
            ..Ext4Summary::default()
        };
        for inode in &self.content.tree.inodes {
            match inode.kind {
                Kind::Directory { .. } => summary.directories += 1,
                Kind::File { .. } => summary.files += 1,
                Kind::Symlink { .. } => summary.symlinks += 1,
                Kind::CharacterDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo => {
                    summary.special_files += 1;
                }
            }
        }
        summary
    }
}
