//! Gives every file its blocks.

use std::ops::Range;

use super::Ext4Error;
use super::bytes::BLOCK_BYTES;
use super::content::Content;
use super::extents::{self, EXTENT_BLOCKS_MAX, Extent};
use super::geometry::{BLOCKS_MIN, Geometry, plan_geometry};
use super::model::Kind;
use super::options::BYTES_MAX;

/// Bytes of a symbolic link's target that still fit into the inode.
pub(super) const INLINE_TARGET_BYTES_MAX: usize = 59;
/// Blocks of the smallest journal that the kernel accepts.
const JOURNAL_BLOCKS_MIN: u64 = 1024;

/// Files lie in groups with room behind each, so that one that grows moves only those of its group: whoever knows the disk
/// of the version before (a snapshot, a store) then gets little that is new.
///
/// Small groups lie in large ones. A small one that outgrows its room moves those behind it in its large one; only what
/// outgrows that, which is rare, moves all that follows.
#[derive(Clone, Copy, Debug)]
struct Grouping {
    /// How many blocks a group has at least.
    blocks_min: u64,
    /// Which of so many files begins the next group: its name decides, and not what lies before it.
    files: u32,
    /// At multiples of which number of blocks groups begin.
    step_blocks: u64,
}

/// Begins where snapshots and stores begin a block, of 512 KiB. The smaller these groups are the less is moved by a file
/// that grows, and the more blocks are half full: one in twenty at 5 MiB.
const SMALL: Grouping = Grouping { blocks_min: 4 << 20 >> 12, files: 64, step_blocks: 512 << 10 >> 12 };
const LARGE: Grouping = Grouping { blocks_min: 32 << 20 >> 12, files: 1024, step_blocks: 4 << 20 >> 12 };

/// Whether groups of files have room behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spacing {
    /// They have.
    Groups,
    /// One file follows the other: there is no room for anything else.
    Dense,
}

/// Blocks of one inode.
#[derive(Clone, Debug, Default)]
pub(super) struct Placement {
    /// Place of its extents in [`Plan::extents`].
    extents: Range<usize>,
    /// Blocks of the extent tree outside of the inode.
    pub(super) nodes: Vec<u64>,
    pub(super) attribute_block: Option<u64>,
}

/// Where everything goes.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) geometry: Geometry,
    pub(super) extents: Vec<Extent>,
    /// One for each inode of the tree.
    pub(super) placements: Vec<Placement>,
    pub(super) journal: Placement,
    pub(super) journal_blocks: u64,
    /// The block of the resize inode that points to the reserved descriptor blocks.
    pub(super) resize_block: u64,
    /// What is left, in order.
    pub(super) free: Vec<Range<u64>>,
}

impl Plan {
    /// Returns the extents of a placement.
    pub(super) fn extents(&self, placement: &Placement) -> &[Extent] {
        &self.extents[placement.extents.clone()]
    }

    /// Returns how many blocks a placement takes, with its tree and attributes.
    pub(super) fn block_count(&self, placement: &Placement) -> u64 {
        let data: u64 = self.extents(placement).iter().map(|extent| u64::from(extent.blocks)).sum();
        data + placement.nodes.len() as u64 + u64::from(placement.attribute_block.is_some())
    }

    /// Returns how many blocks are free.
    pub(super) fn free_blocks(&self) -> u64 {
        self.free.iter().map(|run| run.end - run.start).sum()
    }
}

/// Plans a file system of a size, with the largest journal up to the usual one that leaves room for the tree, and with
/// room between groups of files where that fits beside it.
pub(super) fn plan(content: &Content, bytes: u64, spare_blocks: u64) -> Result<Plan, Ext4Error> {
    let mut journal_blocks = usual_journal_blocks(bytes / BLOCK_BYTES);
    loop {
        let spaced = plan_with_journal(content, bytes, spare_blocks, journal_blocks, Spacing::Groups);
        if spaced.is_ok() {
            return spaced;
        }
        match plan_with_journal(content, bytes, spare_blocks, journal_blocks, Spacing::Dense) {
            Err(Ext4Error::TooSmall { .. }) if journal_blocks > JOURNAL_BLOCKS_MIN => journal_blocks /= 2,
            result => return result,
        }
    }
}

/// Returns the smallest size, in whole MiB, whose file system holds the tree and the usual journal.
pub(super) fn minimum_bytes(content: &Content) -> Result<u64, Ext4Error> {
    const STEP: u64 = 1 << 20;
    let mut bytes = BLOCKS_MIN * BLOCK_BYTES;
    loop {
        if bytes > BYTES_MAX {
            return Err(Ext4Error::InvalidSize { bytes });
        }
        let journal_blocks = usual_journal_blocks(bytes / BLOCK_BYTES);
        match plan_with_journal(content, bytes, content.spare_blocks(), journal_blocks, Spacing::Dense) {
            Ok(_) => return Ok(bytes),
            Err(Ext4Error::TooSmall { needed_bytes, .. }) => {
                bytes = needed_bytes.max(bytes + STEP).next_multiple_of(STEP);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Blocks of the journal that `mke2fs` chooses.
fn usual_journal_blocks(blocks: u64) -> u64 {
    const STEPS: [(u64, u64); 8] = [
        (32 << 10, 1 << 10),
        (256 << 10, 4 << 10),
        (512 << 10, 8 << 10),
        (4 << 20, 16 << 10),
        (8 << 20, 32 << 10),
        (16 << 20, 64 << 10),
        (32 << 20, 128 << 10),
        (u64::MAX, 256 << 10),
    ];
    STEPS.into_iter().find(|(below, _)| blocks < *below).map_or(JOURNAL_BLOCKS_MIN, |(_, journal)| journal)
}

fn plan_with_journal(
    content: &Content,
    bytes: u64,
    spare_blocks: u64,
    journal_blocks: u64,
    spacing: Spacing,
) -> Result<Plan, Ext4Error> {
    let geometry = plan_geometry(bytes, u64::from(content.tree.last_number()))?;
    let mut allocator = Allocator::new(&geometry);
    let resize_block = allocator.take_block();
    let journal_range = 0..super::geometry::field(journal_blocks);
    let mut journal = Placement { extents: allocator.take(journal_range), ..Placement::default() };
    journal.nodes = allocator.take_nodes(&journal);
    let mut placements = vec![Placement::default(); content.tree.inodes.len()];
    for (index, placement) in placements.iter_mut().enumerate() {
        place_metadata(content, index, placement, &mut allocator);
    }
    let mut groups = Groups::new(spacing);
    for (inode, placement) in content.tree.inodes.iter().zip(&mut placements) {
        if let Kind::File { data, .. } = &inode.kind {
            groups.begin(&inode.name, &mut allocator);
            let first = allocator.extents.len();
            for range in data {
                allocator.take(range.clone());
            }
            placement.extents = first..allocator.extents.len();
            placement.nodes = allocator.take_nodes(placement);
        }
    }
    let extents_end = allocator.extents.len();
    for _ in 0..spare_blocks {
        allocator.take_block();
    }
    allocator.extents.truncate(extents_end);
    let free = allocator.free(geometry.blocks).map_err(|needed_blocks| Ext4Error::TooSmall {
        needed_bytes: needed_blocks * BLOCK_BYTES,
        available_bytes: bytes,
    })?;
    let extents = allocator.extents;
    Ok(Plan { geometry, extents, placements, journal, journal_blocks, resize_block, free })
}

/// The groups that files are in.
struct Groups {
    spacing: Spacing,
    /// Where the large and the small one began; none before the first file.
    starts: Option<(u64, u64)>,
}

impl Groups {
    fn new(spacing: Spacing) -> Self {
        Self { spacing, starts: None }
    }

    /// Begins the next group where a file is the first of one.
    fn begin(&mut self, name: &[u8], allocator: &mut Allocator) {
        if self.spacing == Spacing::Dense {
            return;
        }
        let hash = crc32c::crc32c(name);
        let is_first = |grouping: Grouping, start: u64| {
            allocator.next - start >= grouping.blocks_min && hash.is_multiple_of(grouping.files)
        };
        let (large, small) = match self.starts {
            None => (true, true),
            Some((large, small)) => (is_first(LARGE, large), is_first(SMALL, small)),
        };
        if large {
            allocator.skip_to(allocator.next.next_multiple_of(LARGE.step_blocks));
            self.starts = Some((allocator.next, allocator.next));
        } else if small {
            allocator.skip_to(allocator.next.next_multiple_of(SMALL.step_blocks));
            self.starts = self.starts.map(|(large, _)| (large, allocator.next));
        }
    }
}

/// Places directories, long symbolic links and attributes, which thus lie together.
fn place_metadata(content: &Content, index: usize, placement: &mut Placement, allocator: &mut Allocator) {
    if let Some(plan) = content.directories.get(&index) {
        placement.extents = allocator.take(0..plan.blocks());
        placement.nodes = allocator.take_nodes(placement);
    }
    if let Kind::Symlink { target } = &content.tree.inodes[index].kind
        && target.len() > INLINE_TARGET_BYTES_MAX
    {
        placement.extents = allocator.take(0..1);
    }
    if content.attributes.get(&index).is_some_and(|plan| !plan.block.is_empty()) {
        placement.attribute_block = Some(allocator.take_block());
    }
}

/// Hands out free blocks in order.
///
/// Behind the last block of the file system it goes on with blocks that do not exist, so that in the end it
/// can tell how many are missing.
struct Allocator {
    runs: Vec<Range<u64>>,
    current: usize,
    next: u64,
    extents: Vec<Extent>,
    /// What was left out, in order.
    skipped: Vec<Range<u64>>,
}

impl Allocator {
    fn new(geometry: &Geometry) -> Self {
        let mut runs = geometry.free_runs();
        runs.push(geometry.blocks..u64::MAX);
        let next = runs[0].start;
        Self { runs, current: 0, next, extents: Vec::new(), skipped: Vec::new() }
    }

    /// Leaves out what lies before a block.
    fn skip_to(&mut self, block: u64) {
        while self.next < block {
            let end = self.runs[self.current].end;
            self.skipped.push(self.next..end.min(block));
            if block < end {
                self.next = block;
                return;
            }
            // The last run has no end.
            self.current += 1;
            self.next = self.runs[self.current].start;
        }
    }

    fn take_block(&mut self) -> u64 {
        let extents = self.take(0..1);
        let block = self.extents[extents.start].physical;
        self.extents.truncate(extents.start);
        block
    }

    fn take_nodes(&mut self, placement: &Placement) -> Vec<u64> {
        (0..extents::node_count(placement.extents.len())).map(|_| self.take_block()).collect()
    }

    /// Takes blocks for a range of a file and returns the places of the new extents.
    fn take(&mut self, range: Range<u32>) -> Range<usize> {
        let first = self.extents.len();
        let mut logical = range.start;
        while logical < range.end {
            if self.next == self.runs[self.current].end {
                self.current += 1;
                self.next = self.runs[self.current].start;
            }
            let run_left = self.runs[self.current].end - self.next;
            let wanted = (range.end - logical).min(EXTENT_BLOCKS_MAX);
            let blocks = u32::try_from(run_left).map_or(wanted, |left| left.min(wanted));
            self.extents.push(Extent { logical, physical: self.next, blocks });
            self.next += u64::from(blocks);
            logical += blocks;
        }
        first..self.extents.len()
    }

    /// Returns what is left, or how many blocks the file system would need.
    fn free(&self, blocks: u64) -> Result<Vec<Range<u64>>, u64> {
        if self.next > blocks {
            return Err(self.next);
        }
        let last = self.runs.len() - 1;
        let mut free = self.skipped.clone();
        if self.current < last {
            free.push(self.next..self.runs[self.current].end);
            free.extend_from_slice(&self.runs[self.current + 1..last]);
        }
        free.retain(|run| !run.is_empty());
        Ok(free)
    }
}
