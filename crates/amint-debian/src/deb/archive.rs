//! The outer archive of a package: `ar(5)`, the few members of `deb(5)`.

use std::io::{Read, Seek, SeekFrom};

use super::DebErrorKind;
use super::compression::Compression;

const MAGIC: &[u8; 8] = b"!<arch>\n";
/// Most members that are looked at.
const MEMBER_COUNT_MAX: usize = 64;

/// Where a member of the archive lies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Member {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    pub(super) compression: Compression,
}

/// Finds the control and the data member.
pub(super) fn find(file: &mut (impl Read + Seek)) -> Result<(Member, Member), DebErrorKind> {
    let end = file.seek(SeekFrom::End(0))?;
    file.seek(SeekFrom::Start(0))?;
    let mut magic = [0; 8];
    read_all(file, &mut magic, "it is too short")?;
    if &magic != MAGIC {
        return Err(DebErrorKind::Malformed("it does not begin like an archive"));
    }
    let mut offset = 8;
    let mut control = None;
    for index in 0..MEMBER_COUNT_MAX {
        let mut header = [0; 60];
        read_all(file, &mut header, "it ends before its files")?;
        let (name, bytes) = parse_header(&header)?;
        offset += 60;
        if end.saturating_sub(offset) < bytes {
            return Err(DebErrorKind::Malformed("a member is longer than the file"));
        }
        if index == 0 {
            check_version(file, &name, bytes)?;
        } else if let Some(extension) = name.strip_prefix("control.tar") {
            control = Some(Member { offset, bytes, compression: compression(&name, extension)? });
        } else if let Some(extension) = name.strip_prefix("data.tar") {
            let data = Member { offset, bytes, compression: compression(&name, extension)? };
            let control =
                control.ok_or(DebErrorKind::Malformed("its files come before its control files"))?;
            return Ok((control, data));
        } else if !name.starts_with('_') {
            return Err(DebErrorKind::Malformed("it has a member that `deb(5)` does not know"));
        }
        offset = offset.saturating_add(bytes).saturating_add(bytes % 2);
        file.seek(SeekFrom::Start(offset))?;
    }
    Err(DebErrorKind::Malformed("it has too many members"))
}

fn read_all(file: &mut impl Read, buffer: &mut [u8], what: &'static str) -> Result<(), DebErrorKind> {
    file.read_exact(buffer).map_err(|error| match error.kind() {
        std::io::ErrorKind::UnexpectedEof => DebErrorKind::Malformed(what),
        _ => DebErrorKind::Read(error),
    })
}

fn parse_header(header: &[u8; 60]) -> Result<(String, u64), DebErrorKind> {
    let malformed = DebErrorKind::Malformed("a member's header makes no sense");
    if &header[58..60] != b"`\n" {
        return Err(malformed);
    }
    let text = |range: std::ops::Range<usize>| std::str::from_utf8(&header[range]).map(str::trim_end).ok();
    match (text(0..16), text(48..58).and_then(|size| size.parse().ok())) {
        // Some archivers end names with a slash.
        (Some(name), Some(bytes)) => Ok((name.trim_end_matches('/').to_owned(), bytes)),
        _ => Err(malformed),
    }
}

fn check_version(file: &mut impl Read, name: &str, bytes: u64) -> Result<(), DebErrorKind> {
    if name != "debian-binary" || !(4..=64).contains(&bytes) {
        return Err(DebErrorKind::Malformed("it does not begin with its format's version"));
    }
    let mut version = [0; 2];
    read_all(file, &mut version, "it is too short")?;
    if &version == b"2." { Ok(()) } else { Err(DebErrorKind::Malformed("its format is not version 2")) }
}

fn compression(name: &str, extension: &str) -> Result<Compression, DebErrorKind> {
    Compression::of_extension(extension).ok_or_else(|| DebErrorKind::Compression(name.to_owned()))
}
