//! Opens directories and files of a tree without ever following a symbolic link.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, openat};

use super::Ext4Error;
use super::model::{ROOT, Tree};

/// Each level costs one open file while it is visited.
const DEPTH_MAX: usize = 200;

/// A walk from the root to one directory, each step opened by name relative to the one before.
#[derive(Debug)]
pub(super) struct Walker<'a> {
    root: &'a Path,
    /// The directories from the root down to the current one.
    chain: Vec<(usize, OwnedFd)>,
}

impl<'a> Walker<'a> {
    /// Opens the root of a tree; the root itself may be reached through a symbolic link.
    pub(super) fn new(root: &'a Path) -> Result<Self, Ext4Error> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let descriptor = openat(CWD, root, flags, Mode::empty())
            .map_err(|source| Ext4Error::Read { path: root.to_path_buf(), source: source.into() })?;
        Ok(Self { root, chain: vec![(ROOT, descriptor)] })
    }

    /// Goes to a directory, over the nearest common ancestor.
    pub(super) fn directory(&mut self, tree: &Tree, index: usize) -> Result<BorrowedFd<'_>, Ext4Error> {
        if self.chain.last().is_none_or(|(current, _)| *current != index) {
            self.go_to(tree, index)?;
        }
        let (_, descriptor) = self.chain.last().expect("the root is never left");
        Ok(descriptor.as_fd())
    }

    fn go_to(&mut self, tree: &Tree, index: usize) -> Result<(), Ext4Error> {
        let mut steps = vec![index];
        let mut current = index;
        while current != ROOT {
            current = tree.inodes[current].parent;
            steps.push(current);
        }
        steps.reverse();
        if steps.len() > DEPTH_MAX {
            return Err(Ext4Error::TooDeep { path: tree.path(self.root, index), depth_max: DEPTH_MAX });
        }
        let common = self.chain.iter().zip(&steps).take_while(|((have, _), want)| have == *want).count();
        self.chain.truncate(common);
        for step in &steps[common..] {
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let (_, above) = self.chain.last().expect("the root is never left");
            let descriptor = openat(above, &*tree.inodes[*step].name, flags, Mode::empty())
                .map_err(|source| self.unreadable(tree, *step, source.into()))?;
            self.chain.push((*step, descriptor));
        }
        Ok(())
    }

    /// Opens a regular file for reading.
    pub(super) fn open_file(&mut self, tree: &Tree, index: usize) -> Result<OwnedFd, Ext4Error> {
        // Should the file have become a pipe meanwhile, NONBLOCK keeps the open from waiting for a writer.
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let parent = self.directory(tree, tree.inodes[index].parent)?;
        openat(parent, &*tree.inodes[index].name, flags, Mode::empty())
            .map_err(|source| self.unreadable(tree, index, source.into()))
    }

    /// Makes the error for a file that could not be read.
    pub(super) fn unreadable(&self, tree: &Tree, index: usize, source: io::Error) -> Ext4Error {
        Ext4Error::Read { path: tree.path(self.root, index), source }
    }
}
