//! A tree in memory: everything but the bytes of the files.

use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Place of the root directory in [`Tree::inodes`].
pub(super) const ROOT: usize = 0;
/// Place of `lost+found` in [`Tree::inodes`].
pub(super) const LOST_AND_FOUND: usize = 1;
/// Number of the first inode that is not reserved, which is `lost+found`'s.
pub(super) const FIRST_INODE: u32 = 11;
/// Number of the root directory's inode.
pub(super) const ROOT_INODE: u32 = 2;

/// A tree, in an order that only the names decide.
#[derive(Debug)]
pub(super) struct Tree {
    /// Root, `lost+found`, then the members of each directory in byte order of their names.
    pub(super) inodes: Vec<Inode>,
    /// Sockets that were left out.
    pub(super) sockets_skipped: u64,
    /// Extended attributes that were left out.
    pub(super) attributes_skipped: u64,
}

/// One file of any kind.
#[derive(Debug)]
pub(super) struct Inode {
    /// The twelve permission bits.
    pub(super) permissions: u16,
    pub(super) owner: u32,
    pub(super) group: u32,
    pub(super) mtime_seconds: i64,
    /// Only for noticing changes; the image keeps whole seconds.
    pub(super) mtime_nanoseconds: u32,
    /// Names in the tree; 1 for directories.
    pub(super) links: u32,
    /// Sorted as attribute blocks demand.
    pub(super) attributes: Vec<Attribute>,
    /// Directory of the first name; the root is its own.
    pub(super) parent: usize,
    /// The first name; empty for the root.
    pub(super) name: Box<[u8]>,
    pub(super) kind: Kind,
}

/// What a file is.
#[derive(Debug)]
pub(super) enum Kind {
    Directory { children: Vec<Child> },
    File { bytes: u64, data: Vec<Range<u32>> },
    Symlink { target: Box<[u8]> },
    CharacterDevice { major: u32, minor: u32 },
    BlockDevice { major: u32, minor: u32 },
    Fifo,
}

/// One name in a directory.
#[derive(Debug)]
pub(super) struct Child {
    pub(super) name: Box<[u8]>,
    pub(super) inode: usize,
}

/// One extended attribute in its form on disk.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Attribute {
    /// Number of the name's prefix.
    pub(super) prefix: u8,
    /// Length of the name: attribute blocks are sorted by it before the name itself.
    pub(super) name_length: usize,
    /// The name after its prefix.
    pub(super) name: Box<[u8]>,
    pub(super) value: Box<[u8]>,
}

impl Kind {
    /// Returns the file type bits of the mode.
    pub(super) fn mode_bits(&self) -> u16 {
        match self {
            Self::Directory { .. } => 0o04_0000,
            Self::File { .. } => 0o10_0000,
            Self::Symlink { .. } => 0o12_0000,
            Self::CharacterDevice { .. } => 0o02_0000,
            Self::BlockDevice { .. } => 0o06_0000,
            Self::Fifo => 0o01_0000,
        }
    }

    /// Returns the file type in directory entries.
    pub(super) fn entry_type(&self) -> u8 {
        match self {
            Self::File { .. } => 1,
            Self::Directory { .. } => 2,
            Self::CharacterDevice { .. } => 3,
            Self::BlockDevice { .. } => 4,
            Self::Fifo => 5,
            Self::Symlink { .. } => 7,
        }
    }

    /// Tells whether it is a directory.
    pub(super) fn is_directory(&self) -> bool {
        matches!(self, Self::Directory { .. })
    }
}

impl Tree {
    /// Returns the inode's number on disk.
    pub(super) fn number(index: usize) -> u32 {
        if index == ROOT {
            return ROOT_INODE;
        }
        let offset = u32::try_from(index - LOST_AND_FOUND).expect("the scan limits the number of inodes");
        FIRST_INODE + offset
    }

    /// Returns the highest inode number in use.
    pub(super) fn last_number(&self) -> u32 {
        Self::number(self.inodes.len() - 1)
    }

    /// Returns the path by which the inode was first met.
    pub(super) fn path(&self, root: &Path, index: usize) -> PathBuf {
        let mut names = Vec::new();
        let mut current = index;
        while current != ROOT {
            names.push(&*self.inodes[current].name);
            current = self.inodes[current].parent;
        }
        let mut path = root.to_path_buf();
        path.extend(names.into_iter().rev().map(OsStr::from_bytes));
        path
    }
}
