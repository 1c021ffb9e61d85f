//! Sources laid end to end.

use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

/// Nothing but zeros.
#[derive(Debug)]
pub(crate) struct Zeros(pub(crate) u64);

impl ReadAt for Zeros {
    fn size_bytes(&self) -> u64 {
        self.0
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if offset.checked_add(buffer.len() as u64).is_none_or(|end| end > self.0) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        buffer.fill(0);
        Ok(())
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        offset.checked_add(bytes).is_some_and(|end| end <= self.0)
    }
}

/// Several sources, one after the other.
#[derive(Default)]
pub(crate) struct Joined {
    /// Each with where it ends, in order.
    parts: Vec<(u64, Arc<dyn ReadAt>)>,
}

impl Joined {
    /// Adds a source at the end; `None` when the sum has no number.
    #[must_use]
    pub(crate) fn push(&mut self, part: Arc<dyn ReadAt>) -> Option<()> {
        let bytes = part.size_bytes();
        if bytes > 0 {
            self.parts.push((self.size_bytes().checked_add(bytes)?, part));
        }
        Some(())
    }

    /// Calls `visit` with each part of the range, the offset there and the bytes; stops when it answers `false`.
    fn visit(
        &self,
        offset: u64,
        bytes: u64,
        mut visit: impl FnMut(&dyn ReadAt, u64, u64) -> io::Result<bool>,
    ) -> io::Result<bool> {
        let end = offset.checked_add(bytes).filter(|end| *end <= self.size_bytes());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut at = offset;
        let first = self.parts.partition_point(|(part_end, _)| *part_end <= offset);
        for (part_end, part) in self.parts.iter().skip(first) {
            if at >= end {
                break;
            }
            let length = end.min(*part_end) - at;
            let start = part_end - part.size_bytes();
            if !visit(&**part, at - start, length)? {
                return Ok(false);
            }
            at += length;
        }
        Ok(true)
    }
}

impl ReadAt for Joined {
    fn size_bytes(&self) -> u64 {
        self.parts.last().map_or(0, |(end, _)| *end)
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut rest = &mut *buffer;
        let bytes = rest.len() as u64;
        self.visit(offset, bytes, |part, at, length| {
            let length = usize::try_from(length).unwrap_or(usize::MAX).min(rest.len());
            let (now, later) = std::mem::take(&mut rest).split_at_mut(length);
            rest = later;
            part.read_exact_at(at, now).map(|()| true)
        })?;
        Ok(())
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        self.visit(offset, bytes, |part, at, length| Ok(part.is_known_zero(at, length))).unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_across_parts_and_not_beyond() {
        let mut joined = Joined::default();
        joined.push(Arc::new(vec![1, 2, 3])).unwrap();
        joined.push(Arc::new(Zeros(2))).unwrap();
        joined.push(Arc::new(Zeros(0))).unwrap();
        joined.push(Arc::new(vec![4])).unwrap();
        let mut buffer = [9; 5];
        joined.read_exact_at(1, &mut buffer).unwrap();
        assert_eq!(buffer, [2, 3, 0, 0, 4]);
        assert!(joined.read_exact_at(2, &mut buffer).is_err());
        assert!(joined.is_known_zero(3, 2));
        assert!(!joined.is_known_zero(3, 3));
        assert_eq!(joined.push(Arc::new(Zeros(u64::MAX))), None);
    }
}
