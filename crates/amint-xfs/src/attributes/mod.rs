//! Extended attributes: in the inode (short form), in one leaf, or in a tree of leaves.

mod acl;
mod leaf;

use amint_fs::{FsError, XATTR_BYTES_MAX, Xattr};

use crate::fields::{Fields, damaged, limit};
use crate::inode::{Format, Inode};
use crate::volume::Volume;

/// How many bytes of names and values one node may have.
const TOTAL_BYTES_MAX: usize = 32 * 1024 * 1024;

/// Bits of the flags of an attribute.
const IS_LOCAL: u8 = 1;
const IS_ROOT: u8 = 1 << 1;
const IS_SECURE: u8 = 1 << 2;
const IS_PARENT: u8 = 1 << 3;
const IS_INCOMPLETE: u8 = 1 << 7;

/// Attributes as they are collected.
#[derive(Default)]
struct Collected {
    found: Vec<Xattr>,
    bytes: usize,
}

/// Returns the extended attributes of an inode, sorted by name.
pub(crate) fn read_attributes(volume: &Volume, inode: &Inode) -> Result<Vec<Xattr>, FsError> {
    let Some(fork) = &inode.attributes else { return Ok(Vec::new()) };
    let mut collected = Collected::default();
    match fork.format {
        Format::Local => short_form(inode.fork_bytes(fork), &mut collected)?,
        Format::Extents if fork.extents == 0 => {}
        Format::Extents | Format::Tree => leaf::read_leaves(volume, inode, fork, &mut collected)?,
        Format::Device => {
            return Err(damaged(format!("the attributes of inode {} have no format", inode.number)));
        }
    }
    collected.found.sort();
    Ok(collected.found)
}

/// Reads the attributes in the inode: a count, then lengths, flags, name and value of each.
fn short_form(bytes: &[u8], collected: &mut Collected) -> Result<(), FsError> {
    let total = usize::from(Fields(bytes).u16(0)?);
    let fields = Fields(Fields(bytes).slice(0, total)?);
    let count = fields.u8(2)?;
    let mut place = 4;
    for _ in 0..count {
        let name_bytes = usize::from(fields.u8(place)?);
        let value_bytes = usize::from(fields.u8(place + 1)?);
        let flags = fields.u8(place + 2)?;
        let name = fields.slice(place + 3, name_bytes)?;
        let value = fields.slice(place + 3 + name_bytes, value_bytes)?;
        collected.add(flags, name, value.to_vec())?;
        place += 3 + name_bytes + value_bytes;
    }
    Ok(())
}

impl Collected {
    /// Keeps an attribute under the name that programs see.
    fn add(&mut self, flags: u8, name: &[u8], value: Vec<u8>) -> Result<(), FsError> {
        // Links to parents are no attributes to programs, and what is not complete was never there.
        if flags & (IS_PARENT | IS_INCOMPLETE) != 0 {
            return Ok(());
        }
        if name.is_empty() || name.contains(&0) {
            return Err(damaged("an attribute has a name that no name can be"));
        }
        if value.len() > XATTR_BYTES_MAX {
            return Err(limit(format!("an attribute of more than {XATTR_BYTES_MAX} bytes")));
        }
        let (name, value) = match (flags & (IS_ROOT | IS_SECURE), name) {
            (IS_ROOT, b"SGI_ACL_FILE") => (b"system.posix_acl_access".to_vec(), acl::translate(&value)?),
            (IS_ROOT, b"SGI_ACL_DEFAULT") => (b"system.posix_acl_default".to_vec(), acl::translate(&value)?),
            (IS_ROOT, _) => ([b"trusted.", name].concat(), value),
            (IS_SECURE, _) => ([b"security.", name].concat(), value),
            (0, _) => ([b"user.", name].concat(), value),
            _ => return Err(damaged("an attribute is in two name spaces")),
        };
        self.bytes += name.len() + value.len();
        if self.bytes > TOTAL_BYTES_MAX {
            return Err(limit(format!("a node with more than {TOTAL_BYTES_MAX} bytes of attributes")));
        }
        self.found.push(Xattr { name, value });
        Ok(())
    }
}
