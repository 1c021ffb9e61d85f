//! Names of the formats.

use std::fmt;

use crate::FormatError;

/// What a disk image is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// The disk byte by byte; also everything that is none of the others.
    Raw,
    /// QEMU copy-on-write, version 2 or 3.
    Qcow2,
    /// `VMware` disk: a sparse extent or a descriptor.
    Vmdk,
    /// Virtual PC disk, fixed or dynamic.
    Vhd,
    /// Hyper-V disk.
    Vhdx,
    /// Open virtualisation archive: a tar archive of a description and disks.
    Ova,
    /// `VirtualBox` disk.
    Vdi,
}

impl Format {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Ova => "ova",
            Self::Vdi => "vdi",
        }
    }

    pub(crate) fn damaged(self, what: impl Into<String>) -> FormatError {
        FormatError::Damaged { format: self, what: what.into() }
    }

    pub(crate) fn unsupported(self, feature: impl Into<String>) -> FormatError {
        FormatError::Unsupported { format: self, feature: feature.into() }
    }

    pub(crate) fn limit(self, what: impl Into<String>) -> FormatError {
        FormatError::Limit { format: self, what: what.into() }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}
