//! POSIX access control lists: from the form of the system calls to the form on disk.

const CALL_VERSION: [u8; 4] = [2, 0, 0, 0];
const DISK_VERSION: [u8; 4] = [1, 0, 0, 0];
/// Tag of an entry for a named user.
const USER: u16 = 0x02;
/// Tag of an entry for a named group.
const GROUP: u16 = 0x08;
/// Tags of the owner, the owning group, the mask and all others, whose entries have no id.
const WITHOUT_ID: [u16; 4] = [0x01, 0x04, 0x10, 0x20];

/// Converts a list; none when it has an unknown form.
pub(super) fn to_disk(value: &[u8]) -> Option<Vec<u8>> {
    let entries = value.strip_prefix(&CALL_VERSION)?;
    if !entries.len().is_multiple_of(8) {
        return None;
    }
    let mut disk = DISK_VERSION.to_vec();
    for entry in entries.chunks_exact(8) {
        let tag = u16::from_le_bytes([entry[0], entry[1]]);
        match tag {
            USER | GROUP => disk.extend_from_slice(entry),
            _ if WITHOUT_ID.contains(&tag) => disk.extend_from_slice(&entry[..4]),
            _ => return None,
        }
    }
    Some(disk)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_ids_only_of_named_users_and_groups() {
        let mut list = vec![2, 0, 0, 0];
        list.extend([1, 0, 7, 0, 255, 255, 255, 255]);
        list.extend([2, 0, 6, 0, 232, 3, 0, 0]);
        list.extend([0x20, 0, 4, 0, 255, 255, 255, 255]);
        let disk = to_disk(&list).unwrap();
        assert_eq!(disk, [1, 0, 0, 0, 1, 0, 7, 0, 2, 0, 6, 0, 232, 3, 0, 0, 0x20, 0, 4, 0]);
    }

    #[test]
    fn refuses_unknown_forms() {
        assert_eq!(to_disk(b""), None);
        assert_eq!(to_disk(&[1, 0, 0, 0]), None);
        assert_eq!(to_disk(&[2, 0, 0, 0, 1, 0, 7]), None);
        assert_eq!(to_disk(&[2, 0, 0, 0, 3, 0, 7, 0, 0, 0, 0, 0]), None);
    }
}
