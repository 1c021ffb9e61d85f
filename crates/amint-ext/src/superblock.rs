//! The superblock: 1 KiB from byte 1024 on (`Documentation/filesystems/ext4/super.rst`).

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::{Fields, join};
use crate::checksum;
use crate::error::{KIND, bad_checksum, damaged, over_limit, unsupported};
use crate::feature::{Features, compatible, incompatible, read_only};

/// Where the superblock begins.
pub(crate) const SUPERBLOCK_OFFSET: u64 = 1024;
/// How long it is.
pub(crate) const SUPERBLOCK_BYTES: usize = 1024;
const MAGIC: u16 = 0xEF53;
/// Where its own checksum is.
const CHECKSUM_OFFSET: usize = 0x3FC;
/// Blocks of 64 KiB are the largest.
const LOG_BLOCK_BYTES_MAX: u32 = 6;
/// 2 PiB in groups of the usual size.
const GROUPS_MAX: u64 = 1 << 24;
/// The size of inodes and descriptors before they could be larger.
const INODE_BYTES_OLD: u64 = 128;
const DESCRIPTOR_BYTES_OLD: u64 = 32;
const DESCRIPTOR_BYTES_64: u64 = 64;

/// What the superblock says, checked as far as it can be alone.
#[derive(Clone, Debug)]
pub(crate) struct Superblock {
    pub(crate) features: Features,
    pub(crate) block_bytes: u64,
    pub(crate) block_count: u64,
    pub(crate) first_data_block: u64,
    pub(crate) blocks_per_group: u64,
    pub(crate) blocks_per_cluster: u64,
    pub(crate) inode_count: u32,
    pub(crate) inodes_per_group: u32,
    pub(crate) inode_bytes: u64,
    pub(crate) first_inode: u32,
    pub(crate) descriptor_bytes: u64,
    pub(crate) reserved_descriptor_blocks: u64,
    pub(crate) first_meta_group: u64,
    pub(crate) backup_groups: [u32; 2],
    pub(crate) group_count: u64,
    pub(crate) uuid: [u8; 16],
    pub(crate) label: Vec<u8>,
    pub(crate) state: u16,
    pub(crate) journal_inode: u32,
    pub(crate) last_orphan: u32,
    /// The seed of all checksums: of metadata, or of values in inodes of their own.
    pub(crate) checksum_seed: u32,
}

/// Tells whether something like a superblock is there.
pub(crate) fn looks_like_one(source: &dyn ReadAt) -> bool {
    let mut bytes = [0; SUPERBLOCK_BYTES];
    if source.read_exact_at(SUPERBLOCK_OFFSET, &mut bytes).is_err() {
        return false;
    }
    let fields = Fields::new(&bytes, "the superblock");
    let plausible = || -> Result<bool, FsError> {
        Ok(fields.u16(0x38)? == MAGIC
            && fields.u32(0x18)? <= LOG_BLOCK_BYTES_MAX
            && fields.u32(4)? | fields.u32(0x150)? > 0)
    };
    plausible().unwrap_or(false)
}

impl Superblock {
    /// Reads the superblock.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, FsError> {
        let fields = Fields::new(bytes, "the superblock");
        if fields.u16(0x38)? != MAGIC {
            return Err(FsError::NotThis(KIND));
        }
        let revised = fields.u32(0x4C)? > 0;
        let feature = |at| if revised { fields.u32(at) } else { Ok(0) };
        let features =
            Features { compatible: feature(0x5C)?, incompatible: feature(0x60)?, read_only: feature(0x64)? };
        features.check()?;
        if features.has_read_only(read_only::METADATA_CSUM) {
            verify(&fields)?;
        }
        let is_64 = features.has_incompatible(incompatible::BITS_64);
        let log_block_bytes = fields.u32(0x18)?;
        if log_block_bytes > LOG_BLOCK_BYTES_MAX {
            return Err(damaged(format!("blocks of 2^{log_block_bytes} KiB")));
        }
        let uuid: [u8; 16] = fields.array(0x68)?;
        let mut superblock = Self {
            features,
            block_bytes: 1024 << log_block_bytes,
            block_count: join(fields.u32(0x4)?, if is_64 { fields.u32(0x150)? } else { 0 }),
            first_data_block: u64::from(fields.u32(0x14)?),
            blocks_per_group: u64::from(fields.u32(0x20)?),
            blocks_per_cluster: blocks_per_cluster(features, log_block_bytes, fields.u32(0x1C)?)?,
            inode_count: fields.u32(0)?,
            inodes_per_group: fields.u32(0x28)?,
            inode_bytes: if revised { u64::from(fields.u16(0x58)?) } else { INODE_BYTES_OLD },
            first_inode: if revised { fields.u32(0x54)? } else { 11 },
            descriptor_bytes: if is_64 { u64::from(fields.u16(0xFE)?) } else { DESCRIPTOR_BYTES_OLD },
            reserved_descriptor_blocks: u64::from(fields.u16(0xCE)?),
            first_meta_group: u64::from(fields.u32(0x104)?),
            backup_groups: [fields.u32(0x24C)?, fields.u32(0x250)?],
            group_count: 0,
            uuid,
            label: label(fields.slice(0x78, 16)?),
            state: fields.u16(0x3A)?,
            journal_inode: fields.u32(0xE0)?,
            last_orphan: fields.u32(0xE8)?,
            checksum_seed: if features.has_incompatible(incompatible::CSUM_SEED) {
                fields.u32(0x270)?
            } else {
                checksum::of(&uuid)
            },
        };
        superblock.check()?;
        Ok(superblock)
    }

    /// Checks that the numbers fit each other, and counts the groups.
    fn check(&mut self) -> Result<(), FsError> {
        let bits_per_block = self.block_bytes * 8;
        let clusters_per_group = self.blocks_per_group / self.blocks_per_cluster;
        let is_size =
            |bytes: u64, least| bytes.is_power_of_two() && bytes >= least && bytes <= self.block_bytes;
        let least = if self.features.has_incompatible(incompatible::BITS_64) {
            DESCRIPTOR_BYTES_64
        } else {
            DESCRIPTOR_BYTES_OLD
        };
        if !is_size(self.inode_bytes, INODE_BYTES_OLD) || !is_size(self.descriptor_bytes, least) {
            return Err(damaged(format!(
                "inodes of {} bytes and group descriptors of {} bytes",
                self.inode_bytes, self.descriptor_bytes
            )));
        }
        if clusters_per_group == 0
            || clusters_per_group > bits_per_block
            || self.inodes_per_group == 0
            || u64::from(self.inodes_per_group) > bits_per_block
        {
            return Err(damaged(format!(
                "groups of {} blocks and {} inodes",
                self.blocks_per_group, self.inodes_per_group
            )));
        }
        // With 48 bits of a block's number in extents no file system is larger; offsets have to fit 63 bits.
        let bytes = self.block_count.checked_mul(self.block_bytes);
        let is_too_large =
            self.block_count > 1 << 48 || bytes.is_none_or(|bytes| i64::try_from(bytes).is_err());
        if self.first_data_block >= self.block_count || is_too_large {
            return Err(damaged(format!(
                "{} blocks, data from {} on",
                self.block_count, self.first_data_block
            )));
        }
        self.group_count = (self.block_count - self.first_data_block).div_ceil(self.blocks_per_group);
        if self.group_count > GROUPS_MAX {
            return Err(over_limit(format!("{} groups of blocks", self.group_count)));
        }
        if u64::from(self.inode_count) > self.group_count.saturating_mul(u64::from(self.inodes_per_group)) {
            return Err(damaged(format!("{} inodes in {} groups", self.inode_count, self.group_count)));
        }
        Ok(())
    }

    /// Tells whether metadata has checksums.
    pub(crate) fn has_metadata_checksums(&self) -> bool {
        self.features.has_read_only(read_only::METADATA_CSUM)
    }

    /// Returns the seed of what belongs to one inode.
    pub(crate) fn inode_seed(&self, number: u32, generation: u32) -> u32 {
        let seed = checksum::extend(self.checksum_seed, &number.to_le_bytes());
        checksum::extend(seed, &generation.to_le_bytes())
    }

    /// Tells whether a group begins with a copy of the superblock.
    pub(crate) fn has_superblock(&self, group: u64) -> bool {
        if group == 0 {
            return true;
        }
        if self.features.has(compatible::SPARSE_SUPER_2) {
            return self.backup_groups.iter().any(|backup| u64::from(*backup) == group);
        }
        group == 1
            || !self.features.has_read_only(read_only::SPARSE_SUPER)
            || [3, 5, 7].iter().any(|base| is_power_of(*base, group))
    }

    /// Refuses a number of a block that the file system does not have.
    pub(crate) fn check_blocks(&self, first: u64, count: u64) -> Result<(), FsError> {
        let end = first.checked_add(count);
        if first < self.first_data_block || end.is_none_or(|end| end > self.block_count) {
            return Err(damaged(format!("blocks from {first} on, {count} in number, that do not exist")));
        }
        Ok(())
    }

    /// Returns the UUID in its usual form.
    pub(crate) fn uuid_text(&self) -> Option<String> {
        if self.uuid == [0; 16] {
            return None;
        }
        let mut text = format!("{:032x}", u128::from_be_bytes(self.uuid));
        for place in [20, 16, 12, 8] {
            text.insert(place, '-');
        }
        Some(text)
    }
}

/// Verifies the superblock's own checksum.
fn verify(fields: &Fields<'_>) -> Result<(), FsError> {
    let kind = fields.u8(0x175)?;
    if kind != 1 {
        return Err(unsupported(format!("checksums of kind {kind}")));
    }
    if checksum::of(fields.slice(0, CHECKSUM_OFFSET)?) != fields.u32(CHECKSUM_OFFSET)? {
        return Err(bad_checksum("the superblock"));
    }
    Ok(())
}

/// Returns how many blocks one bit of a block bitmap stands for.
fn blocks_per_cluster(features: Features, log_block: u32, log_cluster: u32) -> Result<u64, FsError> {
    if !features.has_read_only(read_only::BIGALLOC) {
        return Ok(1);
    }
    match log_cluster.checked_sub(log_block) {
        Some(shift @ 0..=20) => Ok(1 << shift),
        _ => Err(damaged(format!("clusters of 2^{log_cluster} KiB"))),
    }
}

/// Returns the label up to its first NUL.
fn label(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().take_while(|byte| *byte != 0).collect()
}

/// Tells whether `number` is `base` to some power from 1 on.
fn is_power_of(base: u64, number: u64) -> bool {
    let mut power = base;
    while power < number {
        power *= base;
    }
    power == number
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes the superblock of a file system of so many blocks of 1 KiB.
    pub(crate) fn of_blocks(count: u32) -> Superblock {
        let mut bytes = vec![0; SUPERBLOCK_BYTES];
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        put(0, &16_u32.to_le_bytes());
        put(0x4, &count.to_le_bytes());
        put(0x14, &1_u32.to_le_bytes());
        put(0x20, &8192_u32.to_le_bytes());
        put(0x28, &16_u32.to_le_bytes());
        put(0x38, &MAGIC.to_le_bytes());
        Superblock::parse(&bytes).unwrap()
    }

    #[test]
    fn powers_are_told_from_multiples() {
        assert!([3, 9, 27, 2187].iter().all(|number| is_power_of(3, *number)));
        assert!(![1, 6, 12, 28].iter().any(|number| is_power_of(3, *number)));
    }
}
