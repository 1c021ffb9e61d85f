//! One entry of a layer as bytes.
//!
//! Numbers are little-endian; lengths come first and are checked against limits before memory is taken.

use std::io::{self, Read, Write};

/// Longest path or link target.
const PATH_BYTES_MAX: u32 = 16 * 1024;
/// Most extended attributes of an entry, and the largest of them (`xattr(7)`).
const ATTRIBUTE_COUNT_MAX: u32 = 256;
const ATTRIBUTE_BYTES_MAX: u32 = 64 * 1024;

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    /// A file whose content of so many bytes follows.
    File(u64),
    Link(Vec<u8>),
    /// Another name of a file that was restored before.
    HardLink(Vec<u8>),
    Character(u32, u32),
    Block(u32, u32),
    Fifo,
    Socket,
    /// The path is not there any more.
    Removed,
}

/// An entry of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) seconds: i64,
    pub(super) nanoseconds: u32,
    /// Name (with its end of NUL left out) and value.
    pub(super) attributes: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Record {
    pub(super) fn removed(path: &[u8]) -> Self {
        Self {
            path: path.to_owned(),
            kind: Kind::Removed,
            mode: 0,
            uid: 0,
            gid: 0,
            seconds: 0,
            nanoseconds: 0,
            attributes: Vec::new(),
        }
    }

    pub(super) fn write(&self, target: &mut impl Write) -> io::Result<()> {
        let (tag, first, second, text): (u8, u64, u64, &[u8]) = match &self.kind {
            Kind::Folder => (b'd', 0, 0, b""),
            Kind::File(bytes) => (b'f', *bytes, 0, b""),
            Kind::Link(link) => (b'l', 0, 0, link),
            Kind::HardLink(link) => (b'h', 0, 0, link),
            Kind::Character(major, minor) => (b'c', u64::from(*major), u64::from(*minor), b""),
            Kind::Block(major, minor) => (b'b', u64::from(*major), u64::from(*minor), b""),
            Kind::Fifo => (b'p', 0, 0, b""),
            Kind::Socket => (b's', 0, 0, b""),
            Kind::Removed => (b'x', 0, 0, b""),
        };
        target.write_all(&[tag])?;
        for number in [self.mode, self.uid, self.gid, self.nanoseconds] {
            target.write_all(&number.to_le_bytes())?;
        }
        target.write_all(&self.seconds.to_le_bytes())?;
        target.write_all(&first.to_le_bytes())?;
        target.write_all(&second.to_le_bytes())?;
        write_bytes(target, &self.path)?;
        write_bytes(target, text)?;
        target.write_all(&length(self.attributes.len())?.to_le_bytes())?;
        for (name, value) in &self.attributes {
            write_bytes(target, name)?;
            write_bytes(target, value)?;
        }
        Ok(())
    }

    /// Reads the next record; none at the end.
    pub(super) fn read(source: &mut impl Read) -> io::Result<Option<Self>> {
        let mut tag = [0];
        if source.read(&mut tag)? == 0 {
            return Ok(None);
        }
        let mode = read_u32(source)?;
        let uid = read_u32(source)?;
        let gid = read_u32(source)?;
        let nanoseconds = read_u32(source)?;
        let seconds = i64::from_le_bytes(read_array(source)?);
        let first = u64::from_le_bytes(read_array(source)?);
        let second = u64::from_le_bytes(read_array(source)?);
        let path = read_bytes(source, PATH_BYTES_MAX)?;
        let text = read_bytes(source, PATH_BYTES_MAX)?;
        let device = || -> io::Result<(u32, u32)> {
            let number = |value| u32::try_from(value).map_err(|_| damaged("a device number is too large"));
            Ok((number(first)?, number(second)?))
        };
        let kind = match tag[0] {
            b'd' => Kind::Folder,
            b'f' => Kind::File(first),
            b'l' => Kind::Link(text),
            b'h' => Kind::HardLink(text),
            b'c' => device().map(|(major, minor)| Kind::Character(major, minor))?,
            b'b' => device().map(|(major, minor)| Kind::Block(major, minor))?,
            b'p' => Kind::Fifo,
            b's' => Kind::Socket,
            b'x' => Kind::Removed,
            _ => return Err(damaged("an entry is of no known kind")),
        };
        let count = read_u32(source)?;
        if count > ATTRIBUTE_COUNT_MAX {
            return Err(damaged("an entry has too many attributes"));
        }
        let mut attributes = Vec::new();
        for _ in 0..count {
            let name = read_bytes(source, PATH_BYTES_MAX)?;
            attributes.push((name, read_bytes(source, ATTRIBUTE_BYTES_MAX)?));
        }
        Ok(Some(Self { path, kind, mode, uid, gid, seconds, nanoseconds, attributes }))
    }
}

pub(super) fn damaged(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

fn length(bytes: usize) -> io::Result<u32> {
    u32::try_from(bytes).map_err(|_| damaged("a length is too large"))
}

fn write_bytes(target: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    target.write_all(&length(bytes.len())?.to_le_bytes())?;
    target.write_all(bytes)
}

fn read_array<const N: usize>(source: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn read_u32(source: &mut impl Read) -> io::Result<u32> {
    Ok(u32::from_le_bytes(read_array(source)?))
}

fn read_bytes(source: &mut impl Read, most: u32) -> io::Result<Vec<u8>> {
    let count = read_u32(source)?;
    if count > most {
        return Err(damaged("a text is too long"));
    }
    let mut bytes = vec![0; usize::try_from(count).map_err(|_| damaged("a text is too long"))?];
    source.read_exact(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> impl Strategy<Value = Kind> {
        prop_oneof![
            Just(Kind::Folder),
            any::<u64>().prop_map(Kind::File),
            any::<Vec<u8>>().prop_map(Kind::Link),
            any::<Vec<u8>>().prop_map(Kind::HardLink),
            any::<(u32, u32)>().prop_map(|(major, minor)| Kind::Character(major, minor)),
            any::<(u32, u32)>().prop_map(|(major, minor)| Kind::Block(major, minor)),
            Just(Kind::Fifo),
            Just(Kind::Removed),
        ]
    }

    proptest! {
        #[test]
        fn reads_what_it_wrote(
            path in any::<Vec<u8>>(), kind in kinds(), numbers in any::<(u32, u32, u32, i64, u32)>(),
            attributes in any::<Vec<(Vec<u8>, Vec<u8>)>>(),
        ) {
            let (mode, uid, gid, seconds, nanoseconds) = numbers;
            let record = Record { path, kind, mode, uid, gid, seconds, nanoseconds, attributes };
            let mut bytes = Vec::new();
            record.write(&mut bytes).unwrap();
            let mut source = bytes.as_slice();
            prop_assert_eq!(Record::read(&mut source).unwrap(), Some(record));
            prop_assert_eq!(Record::read(&mut source).unwrap(), None);
        }

        #[test]
        fn never_panics_on_foreign_bytes(bytes in any::<Vec<u8>>()) {
            let mut source = bytes.as_slice();
            while let Ok(Some(_)) = Record::read(&mut source) {}
        }
    }
}
