//! Access control lists: from the form of the disk to the form that programs get.
//!
//! On the disk (version 1) only entries for named users and groups have an id; `getxattr` (version 2, `acl(5)` and
//! `include/uapi/linux/posix_acl_xattr.h`) gives every entry one.

use amint_fs::FsError;

use crate::bytes::Fields;
use crate::error::damaged;

const DISK_VERSION: u32 = 1;
const PROGRAM_VERSION: u32 = 2;
/// The id of entries that have none.
const NO_ID: u32 = u32::MAX;

/// Turns a list of the disk into the list of `getxattr`.
pub(crate) fn to_program_form(disk: &[u8]) -> Result<Vec<u8>, FsError> {
    let fields = Fields::new(disk, "an access control list");
    let version = fields.u32(0)?;
    if version != DISK_VERSION {
        return Err(damaged(format!("an access control list of version {version}")));
    }
    let mut list = PROGRAM_VERSION.to_le_bytes().to_vec();
    let mut at = 4;
    while at < disk.len() {
        let tag = fields.u16(at)?;
        list.extend(fields.slice(at, 4)?);
        at += 4;
        let id = match tag {
            // The named user and the named group.
            0x02 | 0x08 => {
                let id = fields.u32(at)?;
                at += 4;
                id
            }
            0x01 | 0x04 | 0x10 | 0x20 => NO_ID,
            _ => return Err(damaged(format!("an access control list with an entry of kind {tag:#x}"))),
        };
        list.extend(id.to_le_bytes());
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_gets_an_id() {
        let disk = [1, 0, 0, 0, 1, 0, 6, 0, 2, 0, 4, 0, 0xE8, 3, 0, 0, 0x20, 0, 4, 0];
        let expected = [
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xE8, 3, 0, 0, 0x20, 0, 4, 0, 255, 255,
            255, 255,
        ];
        assert_eq!(to_program_form(&disk).unwrap(), expected);
        assert!(to_program_form(&disk[..14]).is_err());
        assert!(to_program_form(&[3, 0, 0, 0]).is_err());
    }
}
