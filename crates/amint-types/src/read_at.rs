//! Bytes at any place.

use std::io;

/// Something that can be read at any place, by several threads at once: a disk, a partition, a volume.
///
/// Image formats give it, partition tables and volume managers cut pieces out of it, file systems read through it.
pub trait ReadAt: Send + Sync {
    /// Returns the size in bytes.
    fn size_bytes(&self) -> u64;

    /// Fills all of `buffer` from `offset` on.
    ///
    /// # Errors
    /// Fails with `UnexpectedEof` when the range leaves the source, and with whatever reading it meets.
    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Tells whether the range is known to be zero without reading it: a hole of a sparse file, an unallocated cluster.
    ///
    /// `false` says nothing. Ranges beyond the end are not known to be zero.
    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        let _ = (offset, bytes);
        false
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn size_bytes(&self) -> u64 {
        (**self).size_bytes()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read_exact_at(offset, buffer)
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        (**self).is_known_zero(offset, bytes)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for std::sync::Arc<T> {
    fn size_bytes(&self) -> u64 {
        (**self).size_bytes()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        (**self).read_exact_at(offset, buffer)
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        (**self).is_known_zero(offset, bytes)
    }
}

/// Bytes in memory, read as a source: for tests and for what is small.
impl ReadAt for [u8] {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let range = usize::try_from(offset)
            .ok()
            .and_then(|start| Some(start..start.checked_add(buffer.len())?))
            .and_then(|range| self.get(range));
        match range {
            Some(bytes) => {
                buffer.copy_from_slice(bytes);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl ReadAt for Vec<u8> {
    fn size_bytes(&self) -> u64 {
        self.len() as u64
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.as_slice().read_exact_at(offset, buffer)
    }
}

/// A piece of a source, with offsets of its own.
#[derive(Clone, Debug)]
pub struct Piece<T> {
    source: T,
    start: u64,
    bytes: u64,
}

impl<T: ReadAt> Piece<T> {
    /// Cuts out `bytes` from `start` on; what would lie beyond the end of the source cannot be read later.
    pub fn new(source: T, start: u64, bytes: u64) -> Self {
        Self { source, start, bytes }
    }
}

impl<T: ReadAt> ReadAt for Piece<T> {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > self.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let offset = self.start.checked_add(offset).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.source.read_exact_at(offset, buffer)
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        let fits = offset.checked_add(bytes).is_some_and(|end| end <= self.bytes);
        fits && self.start.checked_add(offset).is_some_and(|offset| self.source.is_known_zero(offset, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_ends_where_it_ends() {
        let piece = Piece::new(vec![0, 1, 2, 3, 4], 1, 3);
        let mut buffer = [0; 3];
        piece.read_exact_at(0, &mut buffer).unwrap();
        assert_eq!(buffer, [1, 2, 3]);
        assert!(piece.read_exact_at(1, &mut buffer).is_err());
        assert!(piece.read_exact_at(u64::MAX, &mut buffer).is_err());
        let beyond = Piece::new(vec![0, 1], 1, 3);
        assert!(beyond.read_exact_at(0, &mut buffer).is_err());
    }
}
