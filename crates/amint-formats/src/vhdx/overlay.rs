//! A file with changes laid over it.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use amint_types::ReadAt;

/// What a stretch of the file was changed to.
#[derive(Clone, Debug)]
enum Change {
    Zeros,
    /// The bytes, from where in them the stretch begins.
    Bytes(Arc<[u8]>, usize),
}

/// A file and what is to be read in its stead.
pub(super) struct Overlay {
    file: Arc<dyn ReadAt>,
    bytes: u64,
    /// Changed stretches by where they begin, with where they end; none overlaps another.
    changes: BTreeMap<u64, (u64, Change)>,
}

impl Overlay {
    pub(super) fn new(file: Arc<dyn ReadAt>) -> Self {
        Self { bytes: file.size_bytes(), file, changes: BTreeMap::new() }
    }

    /// Lengthens the file with zeros, if it is shorter.
    pub(super) fn extend_to(&mut self, bytes: u64) {
        self.bytes = self.bytes.max(bytes);
    }

    pub(super) fn write(&mut self, start: u64, bytes: Arc<[u8]>) {
        let end = start.saturating_add(bytes.len() as u64);
        self.change(start, end, Change::Bytes(bytes, 0));
    }

    pub(super) fn write_zeros(&mut self, start: u64, bytes: u64) {
        self.change(start, start.saturating_add(bytes), Change::Zeros);
    }

    fn change(&mut self, start: u64, end: u64, change: Change) {
        if start >= end {
            return;
        }
        let before = self.changes.range(..start).next_back().map(|(at, _)| *at);
        let covered: Vec<u64> = self.changes.range(start..end).map(|(at, _)| *at).collect();
        for at in before.into_iter().chain(covered) {
            let Some((old_end, old)) = self.changes.remove(&at) else { continue };
            if at < start {
                self.changes.insert(at, (old_end.min(start), old.clone()));
            }
            if old_end > end {
                self.changes.insert(end, (old_end, old.skip(end - at)));
            }
        }
        self.changes.insert(start, (end, change));
    }

    /// Reads what lies in the file itself, with zeros behind its end.
    fn read_file(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let has = self.file.size_bytes().saturating_sub(offset);
        let (stored, beyond) = buffer.split_at_mut(crate::bytes::index(has).min(buffer.len()));
        beyond.fill(0);
        if stored.is_empty() { Ok(()) } else { self.file.read_exact_at(offset, stored) }
    }

    /// Returns the changed stretch that reaches into what follows `offset`, or the first one behind it.
    fn next_change(&self, offset: u64) -> Option<(u64, u64, &Change)> {
        let before = self.changes.range(..=offset).next_back().filter(|(_, (end, _))| *end > offset);
        before
            .or_else(|| self.changes.range(offset..).next())
            .map(|(start, (end, change))| (*start, *end, change))
    }
}

impl Change {
    /// Returns the change without its first bytes.
    fn skip(self, bytes: u64) -> Self {
        match self {
            Self::Zeros => Self::Zeros,
            Self::Bytes(content, start) => {
                Self::Bytes(content, start.saturating_add(crate::bytes::index(bytes)))
            }
        }
    }
}

impl ReadAt for Overlay {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.bytes);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        let (mut at, mut rest) = (offset, buffer);
        while at < end {
            let change = self.next_change(at).filter(|(start, _, _)| *start < end);
            let until = match change {
                None => end,
                Some((start, _, _)) if start > at => start,
                Some((_, change_end, _)) => change_end.min(end),
            };
            let (now, later) = rest.split_at_mut(crate::bytes::index(until - at));
            match change {
                Some((start, _, change)) if start <= at => match change {
                    Change::Zeros => now.fill(0),
                    Change::Bytes(content, first) => {
                        let first = first.saturating_add(crate::bytes::index(at - start));
                        let bytes = first.checked_add(now.len()).and_then(|last| content.get(first..last));
                        now.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
                    }
                },
                _ => self.read_file(at, now)?,
            }
            (at, rest) = (until, later);
        }
        Ok(())
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        let Some(end) = offset.checked_add(bytes) else { return false };
        // Only metadata are logged: of a block's content there is hardly ever a change.
        self.next_change(offset).is_none_or(|(start, _, _)| start >= end)
            && self.file.is_known_zero(offset, bytes)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn later_changes_win(
            changes in proptest::collection::vec((0_u64..90, 1_usize..20, any::<bool>()), 0..12),
            start in 0_usize..100,
            length in 0_usize..100,
        ) {
            let file: Vec<u8> = vec![200; 80];
            let mut expected = file.clone();
            expected.resize(110, 0);
            let mut overlay = Overlay::new(Arc::new(file));
            overlay.extend_to(110);
            for (number, (at, bytes, is_zero)) in (0_u8..).zip(changes) {
                let content: Vec<u8> = (0..bytes).map(|byte| number * 20 + u8::try_from(byte).unwrap() + 1).collect();
                let place = usize::try_from(at).unwrap();
                if is_zero {
                    overlay.write_zeros(at, bytes as u64);
                    expected[place..place + bytes].fill(0);
                } else {
                    expected[place..place + bytes].copy_from_slice(&content);
                    overlay.write(at, content.into());
                }
            }
            let length = length.min(110 - start);
            let mut buffer = vec![9; length];
            overlay.read_exact_at(start as u64, &mut buffer).unwrap();
            prop_assert_eq!(&buffer, &expected[start..start + length]);
        }
    }
}
