//! The kinds of content that are told apart.

/// What lies in a part of a disk.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Content {
    /// ext2, ext3 or ext4.
    Ext,
    /// XFS.
    Xfs,
    /// btrfs.
    Btrfs,
    /// FAT12, FAT16 or FAT32.
    Fat,
    /// exFAT.
    Exfat,
    /// NTFS.
    Ntfs,
    /// SquashFS 4.
    Squashfs,
    /// EROFS.
    Erofs,
    /// A file system of optical discs.
    Iso9660,
    /// F2FS.
    F2fs,
    /// `ReiserFS` 3.
    Reiserfs,
    /// JFS.
    Jfs,
    /// A container of APFS.
    Apfs,
    /// Swap space of Linux.
    Swap {
        /// It holds the memory of a system that was put to sleep.
        is_hibernated: bool,
    },
    /// A physical volume of LVM2.
    LvmMember,
    /// A LUKS container.
    Luks {
        /// Version of its format: 1 or 2.
        version: u16,
        /// Its id.
        uuid: String,
    },
    /// A `BitLocker` volume.
    Bitlocker,
    /// A member of a software RAID of Linux.
    RaidMember,
    /// A member of a ZFS pool.
    ZfsMember,
    /// A device of bcache.
    Bcache,
    /// Where GRUB keeps itself on a PC without UEFI, by the type in the table.
    BiosBoot,
    /// What starts a POWER machine, by the type in the table.
    Prep,
    /// Zeros at the beginning and wherever a sample was taken.
    Empty,
    /// None of these.
    Unknown,
}

impl Content {
    /// Returns the lower-case name for reports.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ext => "ext",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Fat => "fat",
            Self::Exfat => "exfat",
            Self::Ntfs => "ntfs",
            Self::Squashfs => "squashfs",
            Self::Erofs => "erofs",
            Self::Iso9660 => "iso9660",
            Self::F2fs => "f2fs",
            Self::Reiserfs => "reiserfs",
            Self::Jfs => "jfs",
            Self::Apfs => "apfs",
            Self::Swap { .. } => "swap",
            Self::LvmMember => "lvm",
            Self::Luks { version: 1, .. } => "luks1",
            Self::Luks { .. } => "luks2",
            Self::Bitlocker => "bitlocker",
            Self::RaidMember => "mdraid",
            Self::ZfsMember => "zfs",
            Self::Bcache => "bcache",
            Self::BiosBoot => "bios-boot",
            Self::Prep => "prep",
            Self::Empty => "empty",
            Self::Unknown => "unknown",
        }
    }

    /// Tells whether the content is encrypted as a whole.
    pub fn is_encrypted(&self) -> bool {
        matches!(self, Self::Luks { .. } | Self::Bitlocker)
    }
}
