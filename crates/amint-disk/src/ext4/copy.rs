//! Copies file data to its planned places, with several threads.
//!
//! Data was planned one file after the other, so a worker takes the next stretch of the target, fills a
//! buffer from all files that have blocks there, and writes it at once.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use amint_types::Cancel;
use rustix::fs::{AtFlags, StatxFlags, statx};
use rustix::io::{Errno, pread};

use super::Ext4Error;
use super::bytes::{BLOCK_BYTES, BLOCK_LENGTH, length};
use super::model::{Kind, Tree};
use super::plan::Plan;
use super::walk::Walker;
use super::write::{Progress, Target};

/// Blocks that a worker reads before it writes.
const BATCH_BLOCKS: u64 = 256;
const WORKERS_MAX: usize = 4;
static ZERO_BLOCK: [u8; BLOCK_LENGTH] = [0; BLOCK_LENGTH];

/// What the copy works on.
#[derive(Clone, Copy)]
pub(super) struct Copy<'a> {
    pub(super) root: &'a Path,
    pub(super) tree: &'a Tree,
    pub(super) plan: &'a Plan,
    pub(super) target: Target<'a>,
    pub(super) progress: &'a Progress<'a>,
    pub(super) cancel: &'a Cancel,
}

/// Some blocks of one file that go into a batch.
#[derive(Clone, Copy, Debug)]
struct Piece {
    inode: usize,
    /// First block in the file.
    logical: u64,
    blocks: u64,
}

/// Blocks in a row on disk.
#[derive(Debug, Default)]
struct Batch {
    first_block: u64,
    blocks: u64,
    pieces: Vec<Piece>,
}

/// Copies the data of all files.
pub(super) fn copy_files(copy: &Copy<'_>) -> Result<(), Ext4Error> {
    let queue = Mutex::new(Queue::new(copy.tree, copy.plan));
    let worker_count = std::thread::available_parallelism().map_or(1, usize::from).min(WORKERS_MAX);
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..worker_count)
            .map(|_| {
                scope.spawn(|| {
                    let result = work(copy, &queue);
                    if result.is_err() {
                        lock(&queue).is_stopped = true;
                    }
                    result
                })
            })
            .collect();
        let results = workers.into_iter().map(|worker| match worker.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        results.collect::<Vec<_>>().into_iter().collect()
    })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn work(copy: &Copy<'_>, queue: &Mutex<Queue<'_>>) -> Result<(), Ext4Error> {
    let mut reader = Reader { copy, walker: Walker::new(copy.root)?, open: None };
    let mut buffer = vec![0; length(BATCH_BLOCKS * BLOCK_BYTES)];
    let mut batch = Batch::default();
    loop {
        copy.cancel.check()?;
        if !lock(queue).next(&mut batch) {
            return Ok(());
        }
        let mut position = 0;
        for piece in &batch.pieces {
            let end = position + length(piece.blocks * BLOCK_BYTES);
            reader.read(*piece, &mut buffer[position..end])?;
            position = end;
        }
        write_batch(copy.target, batch.first_block, &buffer[..position])?;
        copy.progress.add(position as u64);
    }
}

/// Writes the blocks that are not zero.
fn write_batch(target: Target<'_>, first_block: u64, bytes: &[u8]) -> Result<(), Ext4Error> {
    let mut run_start = None;
    let mut block = first_block;
    for (index, chunk) in bytes.chunks_exact(BLOCK_LENGTH).enumerate() {
        let is_zero = chunk == ZERO_BLOCK;
        match (run_start, is_zero) {
            (None, false) => {
                run_start = Some(index);
                block = first_block + index as u64;
            }
            (Some(start), true) => {
                target.write(block, &bytes[start * BLOCK_LENGTH..index * BLOCK_LENGTH])?;
                run_start = None;
            }
            _ => {}
        }
    }
    match run_start {
        Some(start) => target.write(block, &bytes[start * BLOCK_LENGTH..]),
        None => Ok(()),
    }
}

/// Reads pieces of files; keeps the last file open, as the next piece is often of the same one.
struct Reader<'a> {
    copy: &'a Copy<'a>,
    walker: Walker<'a>,
    open: Option<(usize, OwnedFd)>,
}

impl Reader<'_> {
    fn read(&mut self, piece: Piece, buffer: &mut [u8]) -> Result<(), Ext4Error> {
        let tree = self.copy.tree;
        let file = match self.open.take() {
            Some((inode, file)) if inode == piece.inode => file,
            _ => self.walker.open_file(tree, piece.inode)?,
        };
        let Kind::File { bytes, .. } = tree.inodes[piece.inode].kind else { return Ok(()) };
        let offset = piece.logical * BLOCK_BYTES;
        let wanted = length((bytes - offset).min(buffer.len() as u64));
        let failed = |errno: Errno| self.walker.unreadable(tree, piece.inode, errno.into());
        let mut position = 0;
        while position < wanted {
            match pread(&file, &mut buffer[position..wanted], offset + position as u64) {
                Ok(0) => return Err(self.changed(piece.inode)),
                Ok(count) => position += count,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(failed(errno)),
            }
        }
        buffer[wanted..].fill(0);
        // Looked at after the reading, so that it covers all of it.
        let status =
            statx(&file, "", AtFlags::EMPTY_PATH, StatxFlags::SIZE | StatxFlags::MTIME).map_err(failed)?;
        let inode = &tree.inodes[piece.inode];
        let mtime = (status.stx_mtime.tv_sec, status.stx_mtime.tv_nsec);
        if status.stx_size != bytes || mtime != (inode.mtime_seconds, inode.mtime_nanoseconds) {
            return Err(self.changed(piece.inode));
        }
        self.open = Some((piece.inode, file));
        Ok(())
    }

    fn changed(&self, inode: usize) -> Ext4Error {
        Ext4Error::Changed { path: self.copy.tree.path(self.copy.root, inode) }
    }
}

/// Cuts all extents of all files, in order, into batches.
struct Queue<'a> {
    tree: &'a Tree,
    plan: &'a Plan,
    inode: usize,
    extent: usize,
    /// Blocks of the current extent that are already given out.
    blocks_done: u64,
    is_stopped: bool,
}

impl<'a> Queue<'a> {
    fn new(tree: &'a Tree, plan: &'a Plan) -> Self {
        Self { tree, plan, inode: 0, extent: 0, blocks_done: 0, is_stopped: false }
    }

    /// Fills the next batch; false when nothing is left.
    fn next(&mut self, batch: &mut Batch) -> bool {
        batch.pieces.clear();
        batch.blocks = 0;
        while !self.is_stopped && self.inode < self.tree.inodes.len() && batch.blocks < BATCH_BLOCKS {
            let extents = self.plan.extents(&self.plan.placements[self.inode]);
            let is_file = matches!(self.tree.inodes[self.inode].kind, Kind::File { .. });
            let Some(extent) = extents.get(self.extent).filter(|_| is_file) else {
                (self.inode, self.extent, self.blocks_done) = (self.inode + 1, 0, 0);
                continue;
            };
            let physical = extent.physical + self.blocks_done;
            if batch.pieces.is_empty() {
                batch.first_block = physical;
            } else if batch.first_block + batch.blocks != physical {
                break;
            }
            let left = u64::from(extent.blocks) - self.blocks_done;
            let blocks = left.min(BATCH_BLOCKS - batch.blocks);
            let logical = u64::from(extent.logical) + self.blocks_done;
            batch.pieces.push(Piece { inode: self.inode, logical, blocks });
            batch.blocks += blocks;
            self.blocks_done += blocks;
            if blocks == left {
                (self.extent, self.blocks_done) = (self.extent + 1, 0);
            }
        }
        !batch.pieces.is_empty()
    }
}
