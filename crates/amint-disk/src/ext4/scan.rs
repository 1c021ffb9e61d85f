//! Reads a tree into memory: names, owners, modes, attributes and holes, but no file content.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use amint_types::Cancel;
use rustix::fs::{AtFlags, Dir, FileType, SeekFrom, Statx, StatxFlags, readlinkat, seek, statx};
use rustix::io::Errno;

use super::Ext4Error;
use super::bytes::BLOCK_BYTES;
use super::model::{Attribute, Child, Inode, Kind, LOST_AND_FOUND, ROOT, Tree};
use super::scan_attributes;
use super::walk::Walker;

/// Bytes of the longest name in a directory.
const NAME_BYTES_MAX: usize = 255;
/// Most names that ext4 counts for one file that is no directory.
const LINKS_MAX: u32 = 65000;
/// Bytes of the largest file: block numbers within a file have 32 bits.
const FILE_BYTES_MAX: u64 = (u32::MAX as u64) * BLOCK_BYTES;
/// Bytes of the longest symbolic link's target, which ends with a zero byte within its block.
const TARGET_BYTES_MAX: usize = 4095;
const LOST_AND_FOUND_NAME: &[u8] = b"lost+found";

/// Reads a whole tree.
pub(super) fn scan(root: &Path, cancel: &Cancel) -> Result<Tree, Ext4Error> {
    let mut scanner = Scanner {
        root,
        walker: Walker::new(root)?,
        tree: Tree { inodes: Vec::new(), sockets_skipped: 0, attributes_skipped: 0 },
        first_names: HashMap::new(),
    };
    let mut waiting = scanner.read_top()?;
    while let Some(directory) = waiting.pop() {
        cancel.check()?;
        let names = scanner.names(directory)?;
        let below = scanner.read_members(directory, names)?;
        waiting.extend(below.into_iter().rev());
    }
    scanner.check_links()?;
    Ok(scanner.tree)
}

struct Scanner<'a> {
    root: &'a Path,
    walker: Walker<'a>,
    tree: Tree,
    /// Device and inode on the host of files with more names than one.
    first_names: HashMap<(u32, u32, u64), usize>,
}

impl Scanner<'_> {
    /// Reads the root, then `lost+found`, then the rest of the root's members.
    fn read_top(&mut self) -> Result<Vec<usize>, Ext4Error> {
        self.tree.inodes.push(lost_and_found());
        let status = self.status(ROOT, b"")?;
        let root = self.inode(ROOT, b"", &status)?;
        self.tree.inodes[ROOT] = root.unwrap_or_else(lost_and_found);
        self.tree.inodes.push(lost_and_found());
        let mut names = self.names(ROOT)?;
        let is_present = names.iter().any(|name| **name == *LOST_AND_FOUND_NAME);
        if is_present {
            let status = self.status(ROOT, LOST_AND_FOUND_NAME)?;
            match self.inode(ROOT, LOST_AND_FOUND_NAME, &status)? {
                Some(inode) if inode.kind.is_directory() => self.tree.inodes[LOST_AND_FOUND] = inode,
                _ => return Err(Ext4Error::LostAndFound { path: self.path(ROOT, LOST_AND_FOUND_NAME) }),
            }
        } else {
            names.push(LOST_AND_FOUND_NAME.into());
            names.sort_unstable();
        }
        let mut below = self.read_members(ROOT, names)?;
        below.retain(|index| is_present || *index != LOST_AND_FOUND);
        below.reverse();
        Ok(below)
    }

    /// Reads all about the members of a directory and returns those that are new directories.
    fn read_members(&mut self, directory: usize, names: Vec<Box<[u8]>>) -> Result<Vec<usize>, Ext4Error> {
        let mut members = Vec::with_capacity(names.len());
        let mut below = Vec::new();
        for name in names {
            let inode = if directory == ROOT && *name == *LOST_AND_FOUND_NAME {
                Some(LOST_AND_FOUND)
            } else {
                self.member(directory, &name)?
            };
            let Some(inode) = inode else { continue };
            if self.tree.inodes[inode].kind.is_directory() {
                below.push(inode);
            }
            members.push(Child { name, inode });
        }
        if let Kind::Directory { children } = &mut self.tree.inodes[directory].kind {
            *children = members;
        }
        Ok(below)
    }

    /// Finds the inode of a name, a known one when it is a further hard link; none when it is left out.
    fn member(&mut self, directory: usize, name: &[u8]) -> Result<Option<usize>, Ext4Error> {
        if name.len() > NAME_BYTES_MAX {
            return Err(Ext4Error::NameTooLong { path: self.path(directory, name) });
        }
        let status = self.status(directory, name)?;
        let identity = (status.stx_dev_major, status.stx_dev_minor, status.stx_ino);
        let is_directory = FileType::from_raw_mode(status.stx_mode.into()) == FileType::Directory;
        let may_be_known = status.stx_nlink > 1 && !is_directory;
        if may_be_known && let Some(known) = self.first_names.get(&identity) {
            self.tree.inodes[*known].links += 1;
            return Ok(Some(*known));
        }
        let Some(inode) = self.inode(directory, name, &status)? else { return Ok(None) };
        let index = self.tree.inodes.len();
        self.tree.inodes.push(inode);
        if let Kind::File { bytes: 1.., .. } = self.tree.inodes[index].kind {
            let holes_read = self.data_ranges(index)?;
            if let Kind::File { data, .. } = &mut self.tree.inodes[index].kind {
                *data = holes_read;
            }
        }
        if may_be_known {
            self.first_names.insert(identity, index);
        }
        Ok(Some(index))
    }

    /// Reads all about one file but its names below or its data; none when it is left out.
    fn inode(&mut self, parent: usize, name: &[u8], status: &Statx) -> Result<Option<Inode>, Ext4Error> {
        let (major, minor) = (status.stx_rdev_major, status.stx_rdev_minor);
        let kind = match FileType::from_raw_mode(status.stx_mode.into()) {
            FileType::Directory => Kind::Directory { children: Vec::new() },
            FileType::RegularFile if status.stx_size <= FILE_BYTES_MAX => {
                Kind::File { bytes: status.stx_size, data: Vec::new() }
            }
            FileType::RegularFile => {
                return Err(Ext4Error::FileTooLarge {
                    path: self.path(parent, name),
                    bytes: status.stx_size,
                });
            }
            FileType::Symlink => Kind::Symlink { target: self.target(parent, name)? },
            FileType::CharacterDevice => Kind::CharacterDevice { major, minor },
            FileType::BlockDevice => Kind::BlockDevice { major, minor },
            FileType::Fifo => Kind::Fifo,
            _ => {
                self.tree.sockets_skipped += 1;
                return Ok(None);
            }
        };
        Ok(Some(Inode {
            permissions: status.stx_mode & 0o7777,
            owner: status.stx_uid,
            group: status.stx_gid,
            mtime_seconds: status.stx_mtime.tv_sec,
            mtime_nanoseconds: status.stx_mtime.tv_nsec,
            links: 1,
            attributes: self.attributes(parent, name)?,
            parent,
            name: name.into(),
            kind,
        }))
    }

    /// Returns the names in a directory in byte order.
    fn names(&mut self, directory: usize) -> Result<Vec<Box<[u8]>>, Ext4Error> {
        let descriptor = self.walker.directory(&self.tree, directory)?;
        let read = || -> Result<Vec<Box<[u8]>>, Errno> {
            let mut names = Vec::new();
            for entry in Dir::read_from(descriptor)? {
                let entry = entry?;
                let name = entry.file_name().to_bytes();
                if name != b"." && name != b".." {
                    names.push(name.into());
                }
            }
            names.sort_unstable();
            Ok(names)
        };
        read().map_err(|source| self.unreadable(directory, b"", source))
    }

    fn status(&mut self, parent: usize, name: &[u8]) -> Result<Statx, Ext4Error> {
        let descriptor = self.walker.directory(&self.tree, parent)?;
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
        statx(descriptor, name, flags, StatxFlags::BASIC_STATS)
            .map_err(|source| self.unreadable(parent, name, source))
    }

    fn target(&mut self, parent: usize, name: &[u8]) -> Result<Box<[u8]>, Ext4Error> {
        let descriptor = self.walker.directory(&self.tree, parent)?;
        let target = readlinkat(descriptor, name, Vec::new())
            .map_err(|source| self.unreadable(parent, name, source))?
            .into_bytes();
        if target.len() > TARGET_BYTES_MAX {
            let bytes = target.len() as u64;
            return Err(Ext4Error::FileTooLarge { path: self.path(parent, name), bytes });
        }
        Ok(target.into())
    }

    fn attributes(&mut self, parent: usize, name: &[u8]) -> Result<Vec<Attribute>, Ext4Error> {
        let descriptor = self.walker.directory(&self.tree, parent)?;
        let read = scan_attributes::read(descriptor, name).map_err(|error| match error {
            scan_attributes::Failure::System(source) => self.unreadable(parent, name, source),
            scan_attributes::Failure::Acl => Ext4Error::InvalidAcl { path: self.path(parent, name) },
        })?;
        self.tree.attributes_skipped += read.skipped;
        Ok(read.attributes)
    }

    /// Returns the blocks of a file that are not holes.
    fn data_ranges(&mut self, index: usize) -> Result<Vec<Range<u32>>, Ext4Error> {
        let Kind::File { bytes, .. } = self.tree.inodes[index].kind else { return Ok(Vec::new()) };
        let file = self.walker.open_file(&self.tree, index)?;
        find_data(&file, bytes).map_err(|source| self.walker.unreadable(&self.tree, index, source.into()))
    }

    fn check_links(&self) -> Result<(), Ext4Error> {
        match self.tree.inodes.iter().position(|inode| inode.links > LINKS_MAX) {
            Some(index) => Err(Ext4Error::TooManyLinks {
                path: self.tree.path(self.root, index),
                links: self.tree.inodes[index].links,
            }),
            None => Ok(()),
        }
    }

    fn path(&self, parent: usize, name: &[u8]) -> PathBuf {
        let directory = self.tree.path(self.root, parent);
        if name.is_empty() { directory } else { directory.join(OsStr::from_bytes(name)) }
    }

    fn unreadable(&self, parent: usize, name: &[u8], source: Errno) -> Ext4Error {
        Ext4Error::Read { path: self.path(parent, name), source: source.into() }
    }
}

/// The directory for files that `e2fsck` finds, as `mke2fs` makes it.
fn lost_and_found() -> Inode {
    Inode {
        permissions: 0o700,
        owner: 0,
        group: 0,
        mtime_seconds: i64::MAX,
        mtime_nanoseconds: 0,
        links: 1,
        attributes: Vec::new(),
        parent: ROOT,
        name: LOST_AND_FOUND_NAME.into(),
        kind: Kind::Directory { children: Vec::new() },
    }
}

/// Asks for the holes of a file and keeps those that are whole blocks.
///
/// Every file is asked, also those whose block count looks full: a count depends on what the host's file
/// system allocates ahead.
fn find_data(file: impl AsFd, bytes: u64) -> Result<Vec<Range<u32>>, Errno> {
    let block_count = u32::try_from(bytes.div_ceil(BLOCK_BYTES)).expect("limited by FILE_BYTES_MAX");
    let mut ranges: Vec<Range<u32>> = Vec::new();
    let mut position = 0;
    while position < bytes {
        let start = match seek(&file, SeekFrom::Data(position)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            // A file system that knows no holes.
            Err(Errno::INVAL) => return Ok(std::iter::once(0..block_count).collect()),
            Err(errno) => return Err(errno),
        };
        let end = seek(&file, SeekFrom::Hole(start))?.min(bytes);
        if end <= start {
            break;
        }
        let first = u32::try_from(start / BLOCK_BYTES).unwrap_or(block_count);
        let last = u32::try_from(end.div_ceil(BLOCK_BYTES)).unwrap_or(block_count).min(block_count);
        match ranges.last_mut() {
            Some(range) if range.end >= first => range.end = last,
            _ => ranges.push(first..last),
        }
        position = end;
    }
    Ok(ranges)
}
