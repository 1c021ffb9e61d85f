//! What every reader offers.

use std::ops::ControlFlow;
use std::ops::Range;

use crate::{Entry, FsError, Node, NodeId, Xattr};

/// The longest name that a folder may hold, in bytes.
pub const NAME_BYTES_MAX: usize = 1024;
/// How many names one folder may hold.
pub const ENTRIES_MAX: u64 = 4_000_000;
/// The largest value of one extended attribute, in bytes (Linux: 64 KiB).
pub const XATTR_BYTES_MAX: usize = 64 * 1024;

/// What a visitor of names is: it says whether to go on.
pub type Visit<'a> = dyn FnMut(Entry<'_>) -> ControlFlow<()> + 'a;

/// What is known of a file system as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Info {
    /// What it is: `ext2`, `ext3`, `ext4`, `xfs`, `btrfs`, `vfat`, `ntfs`, `squashfs`.
    pub kind: &'static str,
    /// Its label, with what is no UTF-8 replaced.
    pub label: Option<String>,
    /// Its id, in the form that `blkid` shows as `UUID`.
    pub uuid: Option<String>,
    /// Bytes of one block (cluster).
    pub block_bytes: u64,
    /// Its size in bytes, as it says itself.
    pub size_bytes: u64,
    /// What a person should know: `journal replayed in memory: 12 blocks`, `not cleanly unmounted`.
    pub notes: Vec<String>,
}

/// An open regular file. Its own cursor-free view with its extents looked up once.
pub trait OpenFile: Send {
    /// Returns the size in bytes.
    fn size_bytes(&self) -> u64;

    /// Reads from `offset` on and returns how many bytes came: fewer than asked for only at the end; holes are zeros.
    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError>;
}

/// A file system to read, by several threads at once.
///
/// What a reader cannot understand is an error. Numbers of nodes come from [`Entry`] and [`FileSystem::root`]; any other
/// number is answered with an error or with some node, never with a panic.
pub trait FileSystem: Send + Sync {
    /// Tells what is known of it as a whole.
    fn info(&self) -> &Info;

    /// Returns the node of the topmost folder.
    fn root(&self) -> NodeId;

    /// Tells what is known of a node.
    fn node(&self, id: NodeId) -> Result<Node, FsError>;

    /// Visits the names of a folder in the order of the disk, without `.` and `..`.
    ///
    /// # Errors
    /// [`FsError::WrongKind`] for what is no folder; [`FsError::Limit`] beyond [`ENTRIES_MAX`] names.
    fn read_dir(&self, id: NodeId, visit: &mut Visit<'_>) -> Result<(), FsError>;

    /// Returns what a symbolic link says.
    fn read_link(&self, id: NodeId) -> Result<Vec<u8>, FsError>;

    /// Opens a regular file.
    fn open(&self, id: NodeId) -> Result<Box<dyn OpenFile + '_>, FsError>;

    /// Returns the extended attributes, sorted by name.
    fn xattrs(&self, id: NodeId) -> Result<Vec<Xattr>, FsError>;

    /// Returns where the content of a file begins, in bytes from the start of the file system, so that files can be read in
    /// the order of the disk. None for empty and inline content.
    fn position(&self, id: NodeId) -> Result<Option<u64>, FsError>;

    /// Returns what lies behind the end of a file in its last block, in bytes from the start of the file system. None where
    /// the content ends with its block or is not in blocks of its own, and where the reader does not know.
    fn slack(&self, _id: NodeId) -> Result<Option<Range<u64>>, FsError> {
        Ok(None)
    }

    /// Visits the ranges of bytes that belong to nothing, in order, merged.
    fn free_ranges(&self, visit: &mut dyn FnMut(Range<u64>) -> ControlFlow<()>) -> Result<(), FsError>;

    /// Looks up one name in a folder. Readers with an index may do better.
    fn lookup(&self, folder: NodeId, name: &[u8]) -> Result<NodeId, FsError> {
        let mut found = None;
        self.read_dir(folder, &mut |entry| {
            if entry.name == name {
                found = Some(entry.node);
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        })?;
        found.ok_or(FsError::NotFound)
    }
}
