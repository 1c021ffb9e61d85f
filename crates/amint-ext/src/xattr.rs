//! Extended attributes (`Documentation/filesystems/ext4/attributes.rst`): behind the fields of the inode, in a block, and
//! large values in inodes of their own.

use amint_fs::{FsError, XATTR_BYTES_MAX, Xattr};

use crate::acl;
use crate::bytes::{Fields, index};
use crate::checksum;
use crate::content::Content;
use crate::error::{bad_checksum, damaged, over_limit};
use crate::feature::incompatible;
use crate::inode::{Inode, flag};
use crate::volume::Volume;

const MAGIC: u32 = 0xEA02_0000;
/// Bytes of the header of a block.
const BLOCK_HEADER_BYTES: usize = 32;
/// Where that header has its checksum.
const CHECKSUM_OFFSET: usize = 0x10;
/// Bytes of an entry before its name.
const ENTRY_BYTES: usize = 16;
/// Entries may share a value, so that a small block could tell of very much.
const ALL_BYTES_MAX: usize = 16 << 20;
const INDEX_ACL_ACCESS: u8 = 2;
const INDEX_ACL_DEFAULT: u8 = 3;
const INDEX_SYSTEM: u8 = 7;
/// The attribute with the rest of inline content; the kernel shows it to nobody.
const INLINE_NAME: &[u8] = b"data";

/// Returns what a name begins with, by its index; none for what the kernel does not show.
fn prefix(index: u8) -> Option<&'static [u8]> {
    match index {
        0 => Some(b""),
        1 => Some(b"user."),
        INDEX_ACL_ACCESS => Some(b"system.posix_acl_access"),
        INDEX_ACL_DEFAULT => Some(b"system.posix_acl_default"),
        4 => Some(b"trusted."),
        5 => Some(b"lustre."),
        6 => Some(b"security."),
        INDEX_SYSTEM => Some(b"system."),
        8 => Some(b"system.richacl"),
        10 => Some(b"gnu."),
        // 9 is the context of encryption.
        _ => None,
    }
}

/// One attribute, as it is on the disk.
struct Entry<'b> {
    index: u8,
    name: &'b [u8],
    value_offset: usize,
    value_inode: u32,
    value_bytes: usize,
    hash: u32,
}

/// A place with entries, and from where offsets of values count.
#[derive(Clone, Copy)]
struct Area<'b> {
    entries: &'b [u8],
    values: &'b [u8],
}

impl<'b> Area<'b> {
    /// Calls `each` for every entry until it fails.
    fn visit(self, each: &mut dyn FnMut(&Entry<'b>) -> Result<(), FsError>) -> Result<(), FsError> {
        let fields = Fields::new(self.entries, "a list of attributes");
        let mut at = 0;
        // Four zero bytes end the list; where there is no room for them, the end does.
        while self.entries.len() - at >= 4 && fields.u32(at)? != 0 {
            let name_bytes = usize::from(fields.u8(at)?);
            let entry = Entry {
                index: fields.u8(at + 1)?,
                name: fields.slice(at + ENTRY_BYTES, name_bytes)?,
                value_offset: usize::from(fields.u16(at + 2)?),
                value_inode: fields.u32(at + 4)?,
                value_bytes: index(fields.u32(at + 8)?.into())?,
                hash: fields.u32(at + 12)?,
            };
            each(&entry)?;
            at += (ENTRY_BYTES + name_bytes).next_multiple_of(4);
            if at > self.entries.len() {
                return Err(damaged("a list of attributes that is cut short"));
            }
        }
        Ok(())
    }

    /// Returns the value of an entry.
    fn value(self, volume: &Volume, inode: &Inode, entry: &Entry<'_>) -> Result<Vec<u8>, FsError> {
        if entry.value_bytes > XATTR_BYTES_MAX {
            return Err(over_limit(format!("an attribute of {} bytes", entry.value_bytes)));
        }
        if entry.value_inode != 0 {
            return value_in_inode(volume, inode, entry);
        }
        if entry.value_bytes == 0 {
            return Ok(Vec::new());
        }
        Fields::new(self.values, "the value of an attribute")
            .slice(entry.value_offset, entry.value_bytes)
            .map(<[u8]>::to_vec)
    }
}

/// Reads a value from an inode of its own.
fn value_in_inode(volume: &Volume, owner: &Inode, entry: &Entry<'_>) -> Result<Vec<u8>, FsError> {
    let number = entry.value_inode;
    if !volume.superblock.features.has_incompatible(incompatible::EA_INODE) {
        return Err(damaged(format!("inode {} has an attribute in inode {number}", owner.number)));
    }
    let holder = Inode::read_used(volume, number)?;
    if !holder.has(flag::EA_INODE) || holder.size_bytes != entry.value_bytes as u64 {
        return Err(damaged(format!("inode {number} does not hold the attribute of inode {}", owner.number)));
    }
    let value = Content::open(volume, &holder)?.read_all(XATTR_BYTES_MAX)?;
    let fields = holder.fields();
    // The time of reading holds the checksum of the value; Lustre's older form names the owner in place of the time of
    // change and has no checksum.
    let is_of_lustre = fields.u32(0x10)? == owner.number;
    if !is_of_lustre && checksum::extend(volume.superblock.checksum_seed, &value) != fields.u32(0x8)? {
        return Err(bad_checksum(format!("the attribute in inode {number} (hash {:#x})", entry.hash)));
    }
    Ok(value)
}

/// Returns the area behind the fields of an inode.
fn inode_area(inode: &Inode) -> Result<Option<Area<'_>>, FsError> {
    let tail = inode.tail();
    if tail.len() < 4 || Fields::new(tail, "an inode").u32(0)? != MAGIC {
        return Ok(None);
    }
    let entries = tail.get(4..).unwrap_or_default();
    Ok(Some(Area { entries, values: entries }))
}

/// Checks the block with attributes, and returns its area.
fn block_area<'b>(volume: &Volume, number: u64, bytes: &'b [u8]) -> Result<Area<'b>, FsError> {
    let fields = Fields::new(bytes, "a block of attributes");
    if fields.u32(0)? != MAGIC || fields.u32(0x8)? != 1 {
        return Err(damaged(format!("block {number} holds no attributes")));
    }
    if volume.superblock.has_metadata_checksums() {
        let seed = checksum::extend(volume.superblock.checksum_seed, &number.to_le_bytes());
        if checksum::extend_around(seed, bytes, CHECKSUM_OFFSET, 4) != fields.u32(CHECKSUM_OFFSET)? {
            return Err(bad_checksum(format!("the attributes in block {number}")));
        }
    }
    Ok(Area { entries: bytes.get(BLOCK_HEADER_BYTES..).unwrap_or_default(), values: bytes })
}

/// Returns the part of inline content that does not fit the place of the block map.
pub(crate) fn inline_rest(volume: &Volume, inode: &Inode) -> Result<Vec<u8>, FsError> {
    let mut rest = Vec::new();
    if let Some(area) = inode_area(inode)? {
        area.visit(&mut |entry| {
            if (entry.index, entry.name) == (INDEX_SYSTEM, INLINE_NAME) {
                rest = area.value(volume, inode, entry)?;
            }
            Ok(())
        })?;
    }
    Ok(rest)
}

/// Returns all attributes that the kernel shows, sorted by name.
pub(crate) fn all(volume: &Volume, inode: &Inode) -> Result<Vec<Xattr>, FsError> {
    let mut attributes = Vec::new();
    if let Some(area) = inode_area(inode)? {
        collect(volume, inode, area, &mut attributes)?;
    }
    if inode.attribute_block != 0 {
        let bytes = volume.block(inode.attribute_block)?;
        let area = block_area(volume, inode.attribute_block, &bytes)?;
        collect(volume, inode, area, &mut attributes)?;
    }
    attributes.sort();
    Ok(attributes)
}

/// Adds the attributes of one area.
fn collect(volume: &Volume, inode: &Inode, area: Area<'_>, to: &mut Vec<Xattr>) -> Result<(), FsError> {
    let mut bytes: usize = to.iter().map(|attribute| attribute.value.len()).sum();
    area.visit(&mut |entry| {
        let Some(prefix) = prefix(entry.index) else { return Ok(()) };
        if (entry.index, entry.name) == (INDEX_SYSTEM, INLINE_NAME) {
            return Ok(());
        }
        let value = area.value(volume, inode, entry)?;
        bytes += value.len();
        if bytes > ALL_BYTES_MAX {
            return Err(over_limit(format!("inode {} with more attributes than any needs", inode.number)));
        }
        let value = match entry.index {
            INDEX_ACL_ACCESS | INDEX_ACL_DEFAULT => acl::to_program_form(&value)?,
            _ => value,
        };
        to.push(Xattr { name: [prefix, entry.name].concat(), value });
        Ok(())
    })
}
