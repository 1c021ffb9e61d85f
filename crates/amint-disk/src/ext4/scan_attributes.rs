//! Reads the extended attributes of a file of a tree.

use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::fs::{lgetxattr, llistxattr};
use rustix::io::Errno;

use super::acl;
use super::model::Attribute;

/// Most bytes of a list of names, and of a value: the kernel's own limits.
const BYTES_MAX: usize = 65536;

/// The prefixes that ext4 stores as numbers.
const PREFIXES: [(&[u8], u8); 3] = [(b"user.", 1), (b"trusted.", 4), (b"security.", 6)];
const ACL_ACCESS: (&[u8], u8) = (b"system.posix_acl_access", 2);
const ACL_DEFAULT: (&[u8], u8) = (b"system.posix_acl_default", 3);

/// The attributes of one file.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    /// Sorted as attribute blocks demand.
    pub(super) attributes: Vec<Attribute>,
    /// How many have no place in ext4.
    pub(super) skipped: u64,
}

/// Why attributes could not be read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Failure {
    System(Errno),
    Acl,
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        Self::System(errno)
    }
}

/// Reads the attributes of a member of a directory, or of the directory itself when the name is empty.
pub(super) fn read(directory: BorrowedFd<'_>, name: &[u8]) -> Result<Attributes, Failure> {
    // There is no call relative to a directory before Linux 6.13, but the descriptor's entry in /proc pins
    // the directory just as well.
    let mut path = format!("/proc/self/fd/{}/", directory.as_raw_fd()).into_bytes();
    path.extend_from_slice(if name.is_empty() { b"." } else { name });
    let mut list = [0; 256];
    let listed = match llistxattr(path.as_slice(), &mut list) {
        Ok(0) | Err(Errno::OPNOTSUPP) => return Ok(Attributes::default()),
        Ok(length) => list[..length].to_vec(),
        Err(Errno::RANGE) => {
            let mut list = vec![0; BYTES_MAX];
            let length = llistxattr(path.as_slice(), list.as_mut_slice())?;
            list.truncate(length);
            list
        }
        Err(errno) => return Err(errno.into()),
    };
    read_listed(&path, &listed)
}

fn read_listed(path: &[u8], listed: &[u8]) -> Result<Attributes, Failure> {
    let mut found = Attributes::default();
    let mut buffer = vec![0; BYTES_MAX];
    for full_name in listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let Some((prefix, name)) = stored_name(full_name) else {
            found.skipped += 1;
            continue;
        };
        let length = lgetxattr(path, full_name, buffer.as_mut_slice())?;
        let value = &buffer[..length];
        let is_acl = [ACL_ACCESS.1, ACL_DEFAULT.1].contains(&prefix);
        let value = if is_acl { acl::to_disk(value).ok_or(Failure::Acl)? } else { value.to_vec() };
        let attribute = Attribute { prefix, name_length: name.len(), name: name.into(), value: value.into() };
        found.attributes.push(attribute);
    }
    found.attributes.sort_unstable();
    Ok(found)
}

/// Splits a name into the number of its prefix and the rest.
fn stored_name(full_name: &[u8]) -> Option<(u8, &[u8])> {
    for (name, number) in [ACL_ACCESS, ACL_DEFAULT] {
        if full_name == name {
            return Some((number, b""));
        }
    }
    PREFIXES.iter().find_map(|(prefix, number)| Some((*number, full_name.strip_prefix(*prefix)?)))
}
