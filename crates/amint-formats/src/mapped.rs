//! Disks whose bytes lie somewhere else in a file.
//!
//! A format tells where a stretch of the disk lies ([`Layout`]); [`Mapped`] does the reading: stretches that lie next
//! to each other are read at once, unpacked clusters are kept for the next reads.

use std::io;

use amint_types::ReadAt;

use crate::bytes::index;
use crate::cache::SharedCache;

/// Bytes of unpacked clusters that are kept for each image.
const UNPACKED_BYTES_MAX: usize = 8 << 20;

/// Where bytes of a disk come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Run {
    /// From nowhere: they are zero.
    Zero,
    /// From a source, as they are.
    Stored {
        /// Number of the source.
        source: usize,
        /// Where they begin there.
        offset: u64,
    },
    /// From something that has to be unpacked first.
    Packed {
        /// Number of the packed unit.
        unit: u64,
        /// Where they begin in the unpacked unit.
        inside: u64,
    },
}

/// A stretch of a disk that comes from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) run: Run,
    /// Its length; may reach further than was asked for, and is never zero.
    pub(crate) bytes: u64,
}

/// What a format knows of its disk.
pub(crate) trait Layout: Send + Sync {
    fn disk_bytes(&self) -> u64;

    fn source(&self, number: usize) -> Option<&dyn ReadAt>;

    /// Finds where the disk's bytes from `offset` on lie; `offset` is below the size, `bytes_max` tells how far
    /// the caller cares.
    fn locate(&self, offset: u64, bytes_max: u64) -> io::Result<Stretch>;

    /// Unpacks a unit.
    fn unpack(&self, unit: u64) -> io::Result<Vec<u8>> {
        let _ = unit;
        Err(io::ErrorKind::Unsupported.into())
    }
}

/// A disk read through its layout.
pub(crate) struct Mapped<L> {
    layout: L,
    unpacked: SharedCache,
}

/// A part of a buffer that waits to be filled from a source.
#[derive(Clone, Copy, Debug)]
struct Pending {
    source: usize,
    offset: u64,
    start: usize,
    bytes: usize,
}

impl<L: Layout> Mapped<L> {
    pub(crate) fn new(layout: L) -> Self {
        Self { layout, unpacked: SharedCache::new(UNPACKED_BYTES_MAX) }
    }

    fn fits(&self, offset: u64, bytes: u64) -> bool {
        offset.checked_add(bytes).is_some_and(|end| end <= self.layout.disk_bytes())
    }

    fn fill(&self, pending: Pending, buffer: &mut [u8]) -> io::Result<()> {
        let source = self.layout.source(pending.source).ok_or(io::ErrorKind::NotFound)?;
        source.read_exact_at(pending.offset, &mut buffer[pending.start..pending.start + pending.bytes])
    }

    fn unpack(&self, unit: u64, inside: u64, target: &mut [u8]) -> io::Result<()> {
        let unpacked = self.unpacked.get_or_read(unit, || self.layout.unpack(unit))?;
        let start = index(inside);
        let bytes = start.checked_add(target.len()).and_then(|end| unpacked.get(start..end));
        target.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

impl<L: Layout> ReadAt for Mapped<L> {
    fn size_bytes(&self) -> u64 {
        self.layout.disk_bytes()
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        if !self.fits(offset, buffer.len() as u64) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut filled = 0;
        let mut pending: Option<Pending> = None;
        while filled < buffer.len() {
            let left = buffer.len() - filled;
            let stretch = self.layout.locate(offset + filled as u64, left as u64)?;
            let bytes = index(stretch.bytes).min(left);
            assert!(bytes > 0, "a layout never answers with nothing");
            match stretch.run {
                Run::Zero => buffer[filled..filled + bytes].fill(0),
                Run::Packed { unit, inside } => {
                    self.unpack(unit, inside, &mut buffer[filled..filled + bytes])?;
                }
                Run::Stored { source, offset } => match &mut pending {
                    Some(waiting)
                        if waiting.source == source
                            && waiting.start + waiting.bytes == filled
                            && waiting.offset.checked_add(waiting.bytes as u64) == Some(offset) =>
                    {
                        waiting.bytes += bytes;
                    }
                    _ => {
                        let next = Pending { source, offset, start: filled, bytes };
                        if let Some(waiting) = pending.replace(next) {
                            self.fill(waiting, buffer)?;
                        }
                    }
                },
            }
            filled += bytes;
        }
        pending.map_or(Ok(()), |waiting| self.fill(waiting, buffer))
    }

    fn is_known_zero(&self, offset: u64, bytes: u64) -> bool {
        if !self.fits(offset, bytes) {
            return false;
        }
        let (mut at, end) = (offset, offset + bytes);
        while at < end {
            let Ok(stretch) = self.layout.locate(at, end - at) else { return false };
            let bytes = stretch.bytes.min(end - at);
            let is_zero = match stretch.run {
                Run::Zero => true,
                Run::Stored { source, offset } => {
                    self.layout.source(source).is_some_and(|source| source.is_known_zero(offset, bytes))
                }
                Run::Packed { .. } => false,
            };
            if !is_zero || bytes == 0 {
                return false;
            }
            at += bytes;
        }
        true
    }
}
