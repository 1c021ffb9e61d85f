//! The names of folders: runs of up to 256 names whose inodes are in one block of metadata.

use amint_fs::{ENTRIES_MAX, Entry, FsError, NodeId, Visit};

use crate::error::{damaged, over_limit};
use crate::image::{Image, short, word};
use crate::inode::{Listing, kind_of};
use crate::metadata::Reader;

/// The size of a folder counts `.` and `..`, which are not stored, as this many bytes.
const EMPTY_BYTES: u32 = 3;
const HEADER_BYTES: u32 = 12;
const ENTRY_BYTES: u32 = 8;
/// Names in one run.
const RUN_MAX: u32 = 256;
/// The longest name, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// Visits the names of a folder.
pub(crate) fn visit(image: &Image, listing: Listing, visit: &mut Visit<'_>) -> Result<(), FsError> {
    let mut left = listing.bytes.saturating_sub(EMPTY_BYTES);
    if left == 0 {
        return Ok(());
    }
    let table = image.superblock().directory_table;
    let mut reader = Reader::new(image, table, u64::from(listing.block), u64::from(listing.offset))?;
    let mut spend = |bytes: u32| {
        left = left.checked_sub(bytes).ok_or_else(|| damaged("a folder that ends within a name"))?;
        Ok::<_, FsError>(left)
    };
    let mut count = 0;
    loop {
        spend(HEADER_BYTES)?;
        let head: [u8; HEADER_BYTES as usize] = reader.array()?;
        let names = word(&head, 0).saturating_add(1);
        if names > RUN_MAX {
            return Err(damaged(format!("a run of {names} names")));
        }
        let block = u64::from(word(&head, 4)) << 16;
        for _ in 0..names {
            count += 1;
            if count > ENTRIES_MAX {
                return Err(over_limit(format!("a folder of more than {ENTRIES_MAX} names")));
            }
            spend(ENTRY_BYTES)?;
            let entry: [u8; ENTRY_BYTES as usize] = reader.array()?;
            let name_bytes = u32::from(short(&entry, 6)) + 1;
            spend(name_bytes)?;
            let name = read_name(&mut reader, name_bytes)?;
            let kind = kind_of(short(&entry, 4))
                .ok_or_else(|| damaged(format!("a name of type {}", short(&entry, 4))))?;
            let node = NodeId::new(block | u64::from(short(&entry, 0)));
            if visit(Entry { name: &name, node, kind: Some(kind) }).is_break() {
                return Ok(());
            }
        }
        if spend(0)? == 0 {
            return Ok(());
        }
    }
}

/// Reads a name and refuses what no kernel could have made.
fn read_name(reader: &mut Reader<'_>, bytes: u32) -> Result<Vec<u8>, FsError> {
    let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
    if bytes > NAME_BYTES_MAX {
        return Err(damaged(format!("a name of {bytes} bytes")));
    }
    let name = reader.vec(bytes)?;
    if name == b"." || name == b".." || name.iter().any(|byte| matches!(byte, b'/' | 0)) {
        return Err(damaged(format!("the name {:?}", String::from_utf8_lossy(&name))));
    }
    Ok(name)
}
