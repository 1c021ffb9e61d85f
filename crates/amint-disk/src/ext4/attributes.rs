//! Extended attributes: in the inode as long as they fit, then in one block.

use super::bytes::{BLOCK_LENGTH, put_u16, put_u32};
use super::checksum;
use super::model::Attribute;

/// Bytes behind the fixed part of a 256-byte inode.
pub(super) const INLINE_BYTES: usize = 96;
const MAGIC: u32 = 0xea02_0000;
const INLINE_HEADER_BYTES: usize = 4;
const BLOCK_HEADER_BYTES: usize = 32;
const ENTRY_BYTES: usize = 16;
/// The zero word behind the last entry.
const END_BYTES: usize = 4;
const CHECKSUM_AT: usize = 16;

/// Which attributes go where, as places in the inode's list.
#[derive(Debug, Default)]
pub(super) struct AttributePlan {
    pub(super) inline: Vec<usize>,
    pub(super) block: Vec<usize>,
}

/// Divides attributes between inode and block; none when they do not fit.
pub(super) fn plan(attributes: &[Attribute]) -> Option<AttributePlan> {
    let mut plan = AttributePlan::default();
    let mut inline_free = INLINE_BYTES - INLINE_HEADER_BYTES - END_BYTES;
    let mut block_free = BLOCK_LENGTH - BLOCK_HEADER_BYTES - END_BYTES;
    for (index, attribute) in attributes.iter().enumerate() {
        let bytes = entry_bytes(attribute) + padded(attribute.value.len());
        if bytes <= inline_free {
            inline_free -= bytes;
            plan.inline.push(index);
        } else {
            block_free = block_free.checked_sub(bytes)?;
            plan.block.push(index);
        }
    }
    Some(plan)
}

/// Builds the part of the inode behind its fixed fields.
pub(super) fn build_inline(attributes: &[Attribute], plan: &AttributePlan) -> [u8; INLINE_BYTES] {
    let mut area = [0; INLINE_BYTES];
    if plan.inline.is_empty() {
        return area;
    }
    put_u32(&mut area, 0, MAGIC);
    let entries = plan.inline.iter().map(|index| &attributes[*index]);
    // The kernel leaves the hashes of attributes in inodes zero.
    put_entries(&mut area[INLINE_HEADER_BYTES..], 0, entries, |_| 0);
    area
}

/// Builds the block of those attributes that the inode has no room for.
pub(super) fn build_block(attributes: &[Attribute], plan: &AttributePlan, place: u64, seed: u32) -> Vec<u8> {
    let mut block = vec![0; BLOCK_LENGTH];
    put_u32(&mut block, 0, MAGIC);
    put_u32(&mut block, 4, 1);
    put_u32(&mut block, 8, 1);
    let entries = || plan.block.iter().map(|index| &attributes[*index]);
    let mut hashes = entries().map(entry_hash);
    let block_hash = if hashes.clone().any(|hash| hash == 0) {
        0
    } else {
        hashes.try_fold(0_u32, |all, hash| Some(all.rotate_left(16) ^ hash)).unwrap_or_default()
    };
    put_u32(&mut block, 12, block_hash);
    put_entries(&mut block, BLOCK_HEADER_BYTES, entries(), entry_hash);
    let sum = checksum::extend(checksum::extend(seed, &place.to_le_bytes()), &block);
    put_u32(&mut block, CHECKSUM_AT, sum);
    block
}

/// Writes entries from the front and values from the back; value offsets count from the area's start.
fn put_entries<'a>(
    area: &mut [u8],
    first_entry: usize,
    attributes: impl Iterator<Item = &'a Attribute>,
    hash: impl Fn(&Attribute) -> u32,
) {
    let mut entry_at = first_entry;
    let mut value_at = area.len();
    for attribute in attributes {
        let entry = &mut area[entry_at..];
        entry[0] = u8::try_from(attribute.name.len()).expect("the kernel limits names to 255 bytes");
        entry[1] = attribute.prefix;
        put_u32(entry, 8, u32::try_from(attribute.value.len()).expect("fits into a block"));
        put_u32(entry, 12, hash(attribute));
        entry[ENTRY_BYTES..ENTRY_BYTES + attribute.name.len()].copy_from_slice(&attribute.name);
        if !attribute.value.is_empty() {
            value_at -= padded(attribute.value.len());
            put_u16(entry, 2, u16::try_from(value_at).expect("fits into a block"));
            area[value_at..value_at + attribute.value.len()].copy_from_slice(&attribute.value);
        }
        entry_at += entry_bytes(attribute);
    }
}

fn entry_bytes(attribute: &Attribute) -> usize {
    ENTRY_BYTES + padded(attribute.name.len())
}

fn padded(length: usize) -> usize {
    length.next_multiple_of(4)
}

/// Hashes name and value as `ext4_xattr_hash_entry` does, with unsigned characters.
fn entry_hash(attribute: &Attribute) -> u32 {
    let name_hash = attribute.name.iter().fold(0_u32, |hash, byte| hash.rotate_left(5) ^ u32::from(*byte));
    attribute.value.chunks(4).fold(name_hash, |hash, chunk| {
        let mut word = [0; 4];
        word[..chunk.len()].copy_from_slice(chunk);
        hash.rotate_left(16) ^ u32::from_le_bytes(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(name: &str, value_length: usize) -> Attribute {
        let value = vec![b'v'; value_length].into();
        Attribute { prefix: 1, name_length: name.len(), name: name.as_bytes().into(), value }
    }

    #[test]
    fn fills_the_inode_first_and_then_one_block() {
        let attributes = [attribute("a", 40), attribute("b", 3000), attribute("c", 8)];
        let plan = plan(&attributes).unwrap();
        assert_eq!(plan.inline, [0, 2]);
        assert_eq!(plan.block, [1]);
    }

    #[test]
    fn refuses_what_fits_into_neither() {
        assert!(plan(&[attribute("a", 4096)]).is_none());
        assert!(plan(&[attribute("a", 4040)]).is_some());
        assert!(plan(&[attribute("a", 4044)]).is_none());
    }
}
