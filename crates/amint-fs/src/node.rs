//! Nodes: what a name in a folder stands for.

/// The number of a node within one file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId {
    /// Which tree it is in: the subvolume of btrfs; 0 where there is only one.
    pub tree: u64,
    /// Its number there: the inode number, the record of NTFS, the first cluster of FAT.
    pub number: u64,
}

impl NodeId {
    /// A node of a file system with one tree.
    pub const fn new(number: u64) -> Self {
        Self { tree: 0, number }
    }
}

/// What kind of thing a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link (or a reparse point that acts as one).
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A character device.
    CharDevice,
    /// A block device.
    BlockDevice,
}

/// What is known of a node without reading its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// Permission bits with setuid, setgid and sticky: `0o7777` at most. Where the file system has none, what Linux
    /// shows by default: `0o755`.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size of the content in bytes.
    pub bytes: u64,
    /// How many names it has.
    pub nlink: u64,
    /// Last change of the content: seconds since 1970 and nanoseconds.
    pub modified: (i64, u32),
    /// Last change of any kind.
    pub changed: (i64, u32),
    /// Last reading.
    pub accessed: (i64, u32),
    /// When it was made, where that is kept.
    pub born: Option<(i64, u32)>,
    /// Major and minor number of a device.
    pub device: Option<(u32, u32)>,
}

/// One name in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// The name, as bytes; never empty, `.` or `..`, never with `/` or NUL.
    pub name: &'a [u8],
    /// What it stands for.
    pub node: NodeId,
    /// What kind that is, where the folder says so.
    pub kind: Option<Kind>,
}

/// An extended attribute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Xattr {
    /// Its full name: `security.capability`, `system.posix_acl_access`, `user.note`.
    pub name: Vec<u8>,
    /// Its value, in the form that the kernel shows to programs (an ACL in the form of `getxattr`, version 2).
    pub value: Vec<u8>,
}
