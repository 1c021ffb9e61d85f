//! What is known of a file without reading it.

use std::ffi::OsString;

/// What kind of thing a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A folder.
    Directory,
    /// A symbolic link.
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

/// What is known of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits with setuid, setgid and sticky: `0o7777` at most.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Size in bytes.
    pub bytes: u64,
    /// Last change of the content, in seconds since 1970.
    pub mtime: i64,
    /// How many names it has.
    pub nlink: u64,
}

impl Metadata {
    /// Tells whether it is a regular file.
    pub fn is_file(&self) -> bool {
        self.kind == FileKind::File
    }

    /// Tells whether it is a folder.
    pub fn is_dir(&self) -> bool {
        self.kind == FileKind::Directory
    }

    /// Tells whether it is a symbolic link.
    pub fn is_link(&self) -> bool {
        self.kind == FileKind::Link
    }
}

/// An extended attribute (xattr(7)).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attribute {
    /// Its full name: `security.capability`, `system.posix_acl_access`, `user.note`.
    pub name: Vec<u8>,
    /// Its value, in the form that the kernel shows to programs.
    pub value: Vec<u8>,
}

/// One name in a folder.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// The name, as bytes.
    pub name: OsString,
    /// What it stands for.
    pub kind: FileKind,
}
