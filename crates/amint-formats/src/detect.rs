//! Telling formats apart by content.
//!
//! Names lie and headers do not. The magic numbers are those of QEMU's `docs/interop/qcow2.txt`, `VMware`'s
//! "Virtual Disk Format 1.1", Microsoft's VHD 1.0 and `[MS-VHDX]`, `VirtualBox`'s `VDICore.h` and POSIX `ustar`.

use amint_types::ReadAt;

use crate::bytes::{SECTOR_BYTES, index};
use crate::{Format, FormatError};

/// Bytes looked at from the beginning.
const HEAD_BYTES: u64 = 512;
/// Where a boot sector has its signature.
const BOOT_SIGNATURE: (usize, &[u8]) = (510, b"\x55\xaa");

/// Magic bytes of formats, and where they are.
const FORMATS: &[(usize, &[u8], Format)] = &[
    (0, b"QFI\xfb", Format::Qcow2),
    (0, b"KDMV", Format::Vmdk),
    (0, b"COWD", Format::Vmdk),
    (0, b"\xbe\xba\xfe\xca\0\0\0\0", Format::Vmdk),
    (0, b"# Disk DescriptorFile", Format::Vmdk),
    (0, b"# Disk Descriptor File", Format::Vmdk),
    (0, b"conectix", Format::Vhd),
    (0, b"vhdxfile", Format::Vhdx),
    (0x40, b"\x7f\x10\xda\xbe", Format::Vdi),
    (257, b"ustar", Format::Ova),
];

/// Magic bytes of what has to be unpacked first.
const COMPRESSED: &[(&[u8], &str)] = &[
    (b"\x1f\x8b\x08", "gzip"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"BZh", "bzip2"),
    (b"PK\x03\x04", "zip"),
];

/// Tells what an image is, by its content; what is nothing known is raw.
///
/// # Errors
/// Fails when the image cannot be read, is empty, or is compressed as a whole.
pub fn detect(source: &dyn ReadAt) -> Result<Format, FormatError> {
    let bytes = source.size_bytes();
    if bytes == 0 {
        return Err(FormatError::Empty);
    }
    let read = |what, offset, buffer: &mut [u8]| {
        source.read_exact_at(offset, buffer).map_err(|source| FormatError::Read { what, offset, source })
    };
    let mut head = vec![0; index(bytes.min(HEAD_BYTES))];
    read("the beginning of the image", 0, &mut head)?;
    let has = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    // A VirtualBox disk and a tar archive have their magic amid text; a boot sector with the same bytes is still a
    // disk.
    let is_boot_sector = has(BOOT_SIGNATURE.0, BOOT_SIGNATURE.1);
    let found = FORMATS.iter().find(|(at, magic, _)| has(*at, magic) && (*at == 0 || !is_boot_sector));
    if let Some((_, _, format)) = found {
        return Ok(*format);
    }
    if let Some((_, with)) = COMPRESSED.iter().find(|(magic, _)| has(0, magic) && !is_boot_sector) {
        return Err(FormatError::Compressed(with));
    }
    if let Some(footer) = bytes.checked_sub(SECTOR_BYTES) {
        let mut cookie = [0; 8];
        read("the end of the image", footer, &mut cookie)?;
        // A fixed VHD is a raw disk with a footer behind it; taken for raw, its size would be wrong and the backup
        // partition table not at the end.
        if &cookie == b"conectix" {
            return Ok(Format::Vhd);
        }
    }
    Ok(Format::Raw)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(bytes: usize, magics: &[(usize, &[u8])]) -> Vec<u8> {
        let mut image = vec![0; bytes];
        for (at, magic) in magics {
            image[*at..at + magic.len()].copy_from_slice(magic);
        }
        image
    }

    #[test]
    fn goes_by_content() {
        for (at, magic, format) in FORMATS {
            assert_eq!(detect(&image(1024, &[(*at, magic)])).unwrap(), *format);
        }
        assert_eq!(detect(&image(2048, &[(1536, b"conectix")])).unwrap(), Format::Vhd);
        assert_eq!(detect(&image(2048, &[(1535, b"conectix")])).unwrap(), Format::Raw);
        assert_eq!(detect(&image(1, &[])).unwrap(), Format::Raw);
        assert_eq!(detect(&image(1024, &[(257, b"ustar"), (510, b"\x55\xaa")])).unwrap(), Format::Raw);
        assert!(matches!(detect(&Vec::new()), Err(FormatError::Empty)));
    }

    #[test]
    fn compressed_images_are_refused_with_a_hint() {
        use amint_types::Hint as _;
        for (magic, with) in COMPRESSED {
            let error = detect(&image(1024, &[(0, magic)])).unwrap_err();
            assert_eq!(error.to_string(), format!("the image is compressed with {with}"));
            assert!(error.hint().unwrap().contains("first"));
        }
    }
}
