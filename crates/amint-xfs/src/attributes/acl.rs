//! Access control lists, from the form of the disk to the form of `getxattr`.

use amint_fs::FsError;

use crate::fields::{Fields, damaged};

/// The version of the form of `getxattr` (Linux, `posix_acl_xattr.h`).
const VERSION: u32 = 2;
/// Bytes of one entry on the disk: tag, id, permissions, and two unused.
const ENTRY_BYTES: usize = 12;
/// Tags whose id means something: a named user and a named group.
const TAG_USER: u32 = 2;
const TAG_GROUP: u32 = 8;

/// Translates a list.
pub(super) fn translate(disk: &[u8]) -> Result<Vec<u8>, FsError> {
    let count = usize::try_from(Fields(disk).u32(0)?).unwrap_or(usize::MAX);
    let total = count.checked_mul(ENTRY_BYTES).ok_or_else(|| damaged("an access list is too long"))?;
    let mut list = VERSION.to_le_bytes().to_vec();
    for entry in Fields(disk).slice(4, total)?.chunks_exact(ENTRY_BYTES) {
        let entry = Fields(entry);
        let tag = entry.u32(0)?;
        let short_tag = u16::try_from(tag).map_err(|_| damaged("an access list has an unknown tag"))?;
        let id = if matches!(tag, TAG_USER | TAG_GROUP) { entry.u32(4)? } else { u32::MAX };
        list.extend(short_tag.to_le_bytes());
        list.extend(entry.u16(8)?.to_le_bytes());
        list.extend(id.to_le_bytes());
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_access_list_looks_as_getxattr_shows_it() {
        // user::rw-, user:1000:r--, mask::r--
        let mut disk = 3_u32.to_be_bytes().to_vec();
        for (tag, id, permissions) in [(1_u32, 0_u32, 6_u16), (2, 1000, 4), (16, 0, 4)] {
            disk.extend(tag.to_be_bytes());
            disk.extend(id.to_be_bytes());
            disk.extend(permissions.to_be_bytes());
            disk.extend([0; 2]);
        }
        let shown = translate(&disk).unwrap();
        let nobody = [0xff; 4];
        let mut expected = vec![2, 0, 0, 0];
        for (head, id) in [([1, 0, 6, 0], nobody), ([2, 0, 4, 0], [0xe8, 3, 0, 0]), ([16, 0, 4, 0], nobody)] {
            expected.extend(head);
            expected.extend(id);
        }
        assert_eq!(shown, expected);
        assert!(translate(&disk[..30]).is_err());
    }
}
