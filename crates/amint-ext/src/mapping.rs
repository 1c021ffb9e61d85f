//! Which blocks of the device hold the content of an inode.

use std::ops::Range;

use amint_fs::FsError;

use crate::error::over_limit;
use crate::inode::{Inode, MAP_BYTES, flag};
use crate::volume::Volume;
use crate::{extents, pointers};

/// How many holes are looked over for where content begins.
const HOLES_MAX: u32 = 64;

/// Blocks next to each other in the content, and on the device if they are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    /// The first block of the content.
    pub(crate) start: u64,
    /// How many blocks there are, at least one.
    pub(crate) count: u64,
    /// The first block on the device; none for a hole.
    pub(crate) device: Option<u64>,
}

impl Run {
    /// Returns the first block behind it.
    pub(crate) fn end(&self) -> u64 {
        self.start.saturating_add(self.count)
    }
}

/// What one block of a map tells: all runs within `range`, in order; between them are holes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaf {
    pub(crate) range: Range<u64>,
    pub(crate) runs: Vec<Run>,
}

/// What finding a leaf needs.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    pub(crate) volume: &'a Volume,
    pub(crate) root: [u8; MAP_BYTES],
    pub(crate) seed: u32,
    pub(crate) inode: u32,
}

/// The map of one inode, with the part of it that was used last.
pub(crate) struct Mapping<'a> {
    tree: Tree<'a>,
    is_extents: bool,
    leaf: Leaf,
}

impl<'a> Mapping<'a> {
    /// Looks at the map of an inode whose content is not in the inode itself.
    pub(crate) fn new(volume: &'a Volume, inode: &Inode) -> Result<Self, FsError> {
        let tree = Tree { volume, root: inode.map()?, seed: inode.seed, inode: inode.number };
        Ok(Self { tree, is_extents: inode.has(flag::EXTENTS), leaf: Leaf::default() })
    }

    /// Returns the file system that it belongs to.
    pub(crate) fn volume(&self) -> &'a Volume {
        self.tree.volume
    }

    /// Returns the run or the hole that holds a block of the content, from that block on.
    pub(crate) fn run_at(&mut self, block: u64) -> Result<Run, FsError> {
        if !self.leaf.range.contains(&block) {
            self.leaf = if self.is_extents {
                extents::leaf(&self.tree, block)?
            } else {
                pointers::leaf(&self.tree, block)?
            };
        }
        let runs = &self.leaf.runs;
        let next = runs.partition_point(|run| run.end() <= block);
        let run = match runs.get(next) {
            Some(run) if run.start <= block => Run {
                start: block,
                count: run.end() - block,
                device: run.device.map(|device| device + (block - run.start)),
            },
            Some(run) => Run { start: block, count: run.start - block, device: None },
            None => Run { start: block, count: self.leaf.range.end.saturating_sub(block), device: None },
        };
        // Progress is what keeps every loop over runs from hanging.
        Ok(Run { count: run.count.max(1), ..run })
    }

    /// Returns the block of the device that holds the first content before block `end`; none when that is not found
    /// soon.
    pub(crate) fn first_on_device(&mut self, end: u64) -> Result<Option<u64>, FsError> {
        let mut block = 0;
        for _ in 0..HOLES_MAX {
            if block >= end {
                break;
            }
            let run = self.run_at(block)?;
            if run.device.is_some() {
                return Ok(run.device);
            }
            block = run.end();
        }
        Ok(None)
    }

    /// Visits all runs before block `end` that are on the device.
    ///
    /// # Errors
    /// [`FsError::Limit`] for more than `count_max` runs and holes.
    pub(crate) fn for_each_run(
        &mut self,
        end: u64,
        count_max: u64,
        visit: &mut dyn FnMut(Run) -> Result<(), FsError>,
    ) -> Result<(), FsError> {
        let mut block = 0;
        let mut count = 0;
        while block < end {
            let run = self.run_at(block)?;
            count += 1;
            if count > count_max {
                return Err(over_limit(format!("inode {} in more than {count_max} pieces", self.tree.inode)));
            }
            visit(Run { count: run.count.min(end - block), ..run })?;
            block = run.end();
        }
        Ok(())
    }
}
