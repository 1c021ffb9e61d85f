//! What can go wrong while a disk is divided.

use std::io;

use amint_types::Hint;

/// A disk could not be divided.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VolumeError {
    /// The table itself could not be read.
    #[error("failed to read the disk's partition table")]
    Io(#[from] io::Error),
    /// There is a partition table, and no copy of it can be trusted.
    #[error("the partition table is damaged: {what}")]
    DamagedTable {
        /// What does not fit.
        what: String,
    },
    /// The table has more than any honest disk has.
    #[error("the partition table has {what}")]
    Limit {
        /// What went over which limit.
        what: String,
    },
}

impl Hint for VolumeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::DamagedTable { .. } => {
                Some("check a copy of the image with `sgdisk --verify` or `sfdisk --verify`".to_owned())
            }
            Self::Io(_) | Self::Limit { .. } => None,
        }
    }
}
