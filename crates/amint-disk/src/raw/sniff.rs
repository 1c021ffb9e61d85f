//! Telling disk formats apart by content.
//!
//! Names lie and headers do not. The magic numbers are those of QEMU's `docs/interop/qcow2.txt`, `VMware`'s
//! "Virtual Disk Format 1.1", Microsoft's VHD and VHDX specifications and `VirtualBox`'s `VDICore.h`.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use super::RawError;
use super::disk::open_with_size;

/// What a disk file is, by its content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// A raw disk: it has a boot sector, a partition table or a file system.
    Raw,
    /// QEMU copy-on-write, any version.
    Qcow2,
    /// `VMware` disk: sparse extent or descriptor.
    Vmdk,
    /// Virtual PC disk, dynamic or fixed.
    Vhd,
    /// Hyper-V disk.
    Vhdx,
    /// `VirtualBox` disk.
    Vdi,
    /// Something compressed: gzip, xz, zstd or bzip2.
    Compressed,
    /// Nothing known. May be raw: an empty disk looks like this.
    Unknown,
}

impl Format {
    /// Tells whether the bytes of the file may be the bytes of the disk.
    pub fn may_be_raw(self) -> bool {
        matches!(self, Self::Raw | Self::Unknown)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Raw => "raw",
            Self::Qcow2 => "qcow2",
            Self::Vmdk => "vmdk",
            Self::Vhd => "vhd",
            Self::Vhdx => "vhdx",
            Self::Vdi => "vdi",
            Self::Compressed => "compressed",
            Self::Unknown => "unknown",
        })
    }
}

/// Bytes looked at from the beginning: boot sector, GPT header and the superblocks of ext4 and XFS.
const HEAD_BYTES: usize = 2048;
/// Bytes of the footer of a VHD.
const VHD_FOOTER_BYTES: u64 = 512;

/// Magic bytes of containers, and where they are.
const CONTAINERS: &[(usize, &[u8], Format)] = &[
    (0, b"QFI\xfb", Format::Qcow2),
    (0, b"KDMV", Format::Vmdk),
    (0, b"COWD", Format::Vmdk),
    (0, b"# Disk DescriptorFile", Format::Vmdk),
    (0, b"conectix", Format::Vhd),
    (0, b"vhdxfile", Format::Vhdx),
    (0x40, b"\x7f\x10\xda\xbe", Format::Vdi),
    (0, b"\x1f\x8b\x08", Format::Compressed),
    (0, b"\xfd7zXZ\0", Format::Compressed),
    (0, b"\x28\xb5\x2f\xfd", Format::Compressed),
    (0, b"BZh", Format::Compressed),
];

/// Magic bytes of what lies on raw disks, and where they are.
const CONTENTS: &[(usize, &[u8])] =
    &[(510, b"\x55\xaa"), (512, b"EFI PART"), (1024 + 0x38, b"\x53\xef"), (0, b"XFSB")];

/// Tells what the file at `path` is, by its content.
pub fn sniff(path: &Path) -> Result<Format, RawError> {
    let (file, bytes) = open_with_size(path)?;
    sniff_file(&file, bytes).map_err(|source| RawError::Open { path: path.to_owned(), source })
}

/// Tells what an open file of `bytes` bytes is.
pub(super) fn sniff_file(file: &File, bytes: u64) -> io::Result<Format> {
    let mut head = [0; HEAD_BYTES];
    let head_bytes = usize::try_from(bytes).unwrap_or(HEAD_BYTES).min(HEAD_BYTES);
    file.read_exact_at(&mut head[..head_bytes], 0)?;
    let has = |offset: usize, magic: &[u8]| {
        head[..head_bytes].get(offset..).is_some_and(|rest| rest.starts_with(magic))
    };
    // A VirtualBox disk has its magic amid text; a boot sector with the same four bytes is still a disk.
    if let Some((_, _, format)) = CONTAINERS.iter().find(|(offset, magic, format)| {
        has(*offset, magic) && (*format != Format::Vdi || !has(510, b"\x55\xaa"))
    }) {
        return Ok(*format);
    }
    if bytes >= VHD_FOOTER_BYTES {
        let mut cookie = [0; 8];
        file.read_exact_at(&mut cookie, bytes - VHD_FOOTER_BYTES)?;
        // A fixed VHD is a raw disk with a footer behind it; taken for raw, its size would be wrong and the
        // backup partition table not at the end.
        if &cookie == b"conectix" {
            return Ok(Format::Vhd);
        }
    }
    let is_raw = CONTENTS.iter().any(|(offset, magic)| has(*offset, magic));
    Ok(if is_raw { Format::Raw } else { Format::Unknown })
}
