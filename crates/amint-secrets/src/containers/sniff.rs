//! Which container begins with these bytes.

/// Bytes that must be there to tell every form: the header of a tar archive.
pub(crate) const HEAD_BYTES: usize = 512;

/// A form of container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// RFC 1952.
    Gzip,
    /// <https://tukaani.org/xz/xz-file-format.txt>.
    Xz,
    /// RFC 8878.
    Zstd,
    /// Recognised and not read.
    Bzip2,
    /// Recognised and not read.
    Lz4,
    /// Recognised and not read.
    SevenZip,
    /// APPNOTE.TXT; also jar, war, wheel, nupkg, office documents.
    Zip,
    /// POSIX.1-2017 `pax`, section "ustar Interchange Format".
    Tar,
    /// `ar(5)`, as packages of Debian are.
    Ar,
}

/// Tells whether content that begins so is compressed or an archive; 512 bytes tell every form.
pub fn is_container(head: &[u8]) -> bool {
    sniff(head).is_some()
}

/// Tells the form by its magic number.
pub(crate) fn sniff(head: &[u8]) -> Option<Form> {
    let bzip2 = head.starts_with(b"BZh") && head.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59");
    match head {
        [0x1F, 0x8B, 8, ..] => Some(Form::Gzip),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Some(Form::Xz),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => Some(Form::Zstd),
        [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Some(Form::Zip),
        [0x04, 0x22, 0x4D, 0x18, ..] => Some(Form::Lz4),
        [b'7', b'z', 0xBC, 0xAF, 0x27, 0x1C, ..] => Some(Form::SevenZip),
        _ if bzip2 => Some(Form::Bzip2),
        _ if head.starts_with(b"!<arch>\n") => Some(Form::Ar),
        _ if super::tar::is_header(head) => Some(Form::Tar),
        _ => None,
    }
}
