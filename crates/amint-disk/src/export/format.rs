//! The formats.

use std::fmt;
use std::str::FromStr;

/// A format to write disks in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Format {
    /// The disk byte by byte, with holes.
    Raw,
    /// QEMU copy-on-write, version 3.
    Qcow2,
    /// `VMware`, stream optimised: compressed, as VM Import and OVF packages take it.
    Vmdk,
    /// Virtual PC (Hyper-V, Azure), dynamic: grows with its content.
    Vhd,
    /// Virtual PC, fixed: the raw disk with a footer, as Azure takes it.
    VhdFixed,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 5] = [Self::Raw, Self::Qcow2, Self::Vmdk, Self::Vhd, Self::VhdFixed];

    /// Returns the name, as users type it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::VhdFixed => "vhd-fixed",
        }
    }

    /// Returns the usual end of file names, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::VhdFixed => "vhd",
            format => format.as_str(),
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no format that amint writes.
#[derive(Debug, thiserror::Error)]
#[error("unknown format `{0}` (known: raw, qcow2, vmdk, vhd, vhd-fixed)")]
pub struct ParseFormatError(String);

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == text)
            .ok_or_else(|| ParseFormatError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_reads_back_its_name_and_is_named_in_the_error() {
        let error = "ova".parse::<Format>().unwrap_err().to_string();
        for format in Format::ALL {
            assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
            assert!(error.contains(format.as_str()), "{error}");
        }
    }
}
