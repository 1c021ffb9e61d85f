//! The feature bits of the superblock.

use amint_fs::FsError;

use crate::error::unsupported;

/// Bits of `s_feature_compat`.
pub(crate) mod compatible {
    /// It has a journal.
    pub(crate) const JOURNAL: u32 = 0x4;
    /// Backups of the superblock are in two groups at most.
    pub(crate) const SPARSE_SUPER_2: u32 = 0x200;
}

/// Bits of `s_feature_ro_compat`.
pub(crate) mod read_only {
    /// Backups of the superblock are in few groups.
    pub(crate) const SPARSE_SUPER: u32 = 0x1;
    /// What ext3 knows: `sparse_super`, `large_file`, `btree_dir`.
    pub(crate) const OF_EXT3: u32 = 0x7;
    /// Group descriptors have a CRC-16.
    pub(crate) const GDT_CSUM: u32 = 0x10;
    /// Bits of block bitmaps stand for clusters.
    pub(crate) const BIGALLOC: u32 = 0x200;
    /// All metadata has a CRC-32C.
    pub(crate) const METADATA_CSUM: u32 = 0x400;
}

/// Bits of `s_feature_incompat`.
pub(crate) mod incompatible {
    /// Names in folders tell the kind.
    pub(crate) const FILETYPE: u32 = 0x2;
    /// The journal holds what was not written back.
    pub(crate) const RECOVER: u32 = 0x4;
    /// This is no file system but the journal of another.
    pub(crate) const JOURNAL_DEVICE: u32 = 0x8;
    /// Group descriptors lie in the groups.
    pub(crate) const META_BG: u32 = 0x10;
    /// What ext3 knows.
    pub(crate) const OF_EXT3: u32 = FILETYPE | RECOVER | JOURNAL_DEVICE | META_BG;
    /// Numbers of blocks have 64 bits.
    pub(crate) const BITS_64: u32 = 0x80;
    /// Large attributes lie in inodes of their own.
    pub(crate) const EA_INODE: u32 = 0x400;
    /// The seed of checksums is kept apart from the UUID.
    pub(crate) const CSUM_SEED: u32 = 0x2000;
    /// Folders may have more than 2 GiB.
    pub(crate) const LARGE_DIR: u32 = 0x4000;
}

/// The incompatible features, by bit, and whether this reader knows them.
const INCOMPATIBLE: [(u32, &str, bool); 16] = [
    (0x1, "compression", false),
    (incompatible::FILETYPE, "filetype", true),
    (incompatible::RECOVER, "needs_recovery", true),
    (incompatible::META_BG, "meta_bg", true),
    (0x40, "extent", true),
    (incompatible::BITS_64, "64bit", true),
    (0x100, "mmp", true),
    (0x200, "flex_bg", true),
    (incompatible::EA_INODE, "ea_inode", true),
    (0x1000, "dirdata", false),
    (incompatible::CSUM_SEED, "metadata_csum_seed", true),
    (incompatible::LARGE_DIR, "large_dir", true),
    (0x8000, "inline_data", true),
    (0x10000, "encrypt", true),
    (0x20000, "casefold", true),
    (incompatible::JOURNAL_DEVICE, "an external journal", false),
];

/// The features of a file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Features {
    /// May be ignored.
    pub(crate) compatible: u32,
    /// Must be known to be read.
    pub(crate) incompatible: u32,
    /// Must be known to be written.
    pub(crate) read_only: u32,
}

impl Features {
    /// Tells whether it has a bit of `compatible`.
    pub(crate) fn has(self, bit: u32) -> bool {
        self.compatible & bit != 0
    }

    /// Tells whether it has a bit of `incompatible`.
    pub(crate) fn has_incompatible(self, bit: u32) -> bool {
        self.incompatible & bit != 0
    }

    /// Tells whether it has a bit of `read_only`.
    pub(crate) fn has_read_only(self, bit: u32) -> bool {
        self.read_only & bit != 0
    }

    /// Tells whether group descriptors have a checksum, and with it flags that mean something.
    pub(crate) fn has_group_checksums(self) -> bool {
        self.has_read_only(read_only::GDT_CSUM | read_only::METADATA_CSUM)
    }

    /// Returns the name that tools give the file system, by what it uses.
    pub(crate) fn kind(self) -> &'static str {
        if self.incompatible & !incompatible::OF_EXT3 != 0 || self.read_only & !read_only::OF_EXT3 != 0 {
            "ext4"
        } else if self.has(compatible::JOURNAL) {
            "ext3"
        } else {
            "ext2"
        }
    }

    /// Refuses what this reader does not know.
    pub(crate) fn check(self) -> Result<(), FsError> {
        let mut unknown = Vec::new();
        for bit in (0..u32::BITS).map(|shift| 1 << shift).filter(|bit| self.incompatible & bit != 0) {
            match INCOMPATIBLE.iter().find(|(known, ..)| *known == bit) {
                Some((.., true)) => {}
                Some((_, name, false)) => unknown.push((*name).to_owned()),
                None => unknown.push(format!("an incompatible feature {bit:#x}")),
            }
        }
        if unknown.is_empty() { Ok(()) } else { Err(unsupported(unknown.join(", "))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_refused_by_name() {
        let features = Features { compatible: 0, incompatible: 0x1 | 0x2 | 0x800, read_only: 0 };
        let message = features.check().unwrap_err().to_string();
        assert!(message.contains("compression, an incompatible feature 0x800"), "{message}");
        assert!(Features { incompatible: 0x2c6, ..features }.check().is_ok());
    }
}
