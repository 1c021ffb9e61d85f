//! Content inside inodes (`Documentation/filesystems/ext4/inlinedata.rst`).

use amint_fs::FsError;

use crate::inode::{Inode, MAP_BYTES};
use crate::volume::Volume;
use crate::xattr;

/// Bytes at the beginning of an inline folder that name its parent.
const PARENT_BYTES: usize = 4;

/// Returns the content: what takes the place of the block map, then the value of the attribute `system.data`.
///
/// It may be longer than the size of the inode says.
pub(crate) fn content(volume: &Volume, inode: &Inode) -> Result<Vec<u8>, FsError> {
    let mut content = inode.map()?.to_vec();
    content.extend(xattr::inline_rest(volume, inode)?);
    Ok(content)
}

/// Returns the two parts of a folder that hold names, each with entries of its own.
pub(crate) fn folder_parts(volume: &Volume, inode: &Inode) -> Result<[Vec<u8>; 2], FsError> {
    let mut content = content(volume, inode)?;
    let rest = content.split_off(MAP_BYTES.min(content.len()));
    content.drain(..PARENT_BYTES.min(content.len()));
    Ok([content, rest])
}
