//! What the journal changes, kept in memory over the disk.

use std::collections::BTreeMap;

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::fields::{damaged, limit};

/// Bytes of the pieces that are kept.
pub(crate) const SECTOR_BYTES: usize = 512;
/// How many pieces may be kept: 256 MiB.
const SECTORS_MAX: usize = 512 * 1024;

/// Sectors that stand over those of the disk.
#[derive(Default)]
pub(crate) struct Overlay {
    sectors: BTreeMap<u64, Box<[u8; SECTOR_BYTES]>>,
}

impl Overlay {
    /// Returns how many sectors of 512 bytes are kept.
    pub(crate) fn len(&self) -> usize {
        self.sectors.len()
    }

    /// Tells whether any byte of a range is kept here.
    pub(crate) fn touches(&self, offset: u64, bytes: usize) -> bool {
        !self.sectors.is_empty() && self.sectors.range(span(offset, bytes)).next().is_some()
    }

    /// Reads from the disk, then lays what is kept over it.
    pub(crate) fn read(&self, source: &dyn ReadAt, offset: u64, buffer: &mut [u8]) -> Result<(), FsError> {
        let end = offset.checked_add(buffer.len() as u64);
        if end.is_none_or(|end| end > source.size_bytes()) {
            return Err(damaged(format!("byte {offset} lies beyond the end of the image")));
        }
        source.read_exact_at(offset, buffer)?;
        if self.sectors.is_empty() || buffer.is_empty() {
            return Ok(());
        }
        for (number, sector) in self.sectors.range(span(offset, buffer.len())) {
            let start = number * SECTOR_BYTES as u64;
            // Both differences are below the lengths of the sector and of the buffer.
            let skip = usize::try_from(offset.saturating_sub(start)).unwrap_or(SECTOR_BYTES);
            let place = usize::try_from(start.saturating_sub(offset)).unwrap_or(usize::MAX);
            let (Some(from), Some(to)) = (sector.get(skip..), buffer.get_mut(place..)) else { continue };
            let count = from.len().min(to.len());
            to[..count].copy_from_slice(&from[..count]);
        }
        Ok(())
    }

    /// Changes bytes.
    pub(crate) fn write(&mut self, source: &dyn ReadAt, offset: u64, bytes: &[u8]) -> Result<(), FsError> {
        let mut done = 0;
        while let Some(rest) = bytes.get(done..).filter(|rest| !rest.is_empty()) {
            let place =
                offset.checked_add(done as u64).ok_or_else(|| damaged("the journal leaves the disk"))?;
            let number = place / SECTOR_BYTES as u64;
            let within = usize::try_from(place % SECTOR_BYTES as u64).unwrap_or(0);
            if !self.sectors.contains_key(&number) {
                self.load(source, number)?;
            }
            let Some(to) = self.sectors.get_mut(&number).and_then(|sector| sector.get_mut(within..)) else {
                break;
            };
            let count = to.len().min(rest.len());
            to[..count].copy_from_slice(&rest[..count]);
            done += count;
        }
        Ok(())
    }

    fn load(&mut self, source: &dyn ReadAt, number: u64) -> Result<(), FsError> {
        if self.sectors.len() >= SECTORS_MAX {
            return Err(limit("more changes in its journal than fit into memory"));
        }
        let mut sector = Box::new([0; SECTOR_BYTES]);
        self.read(source, number * SECTOR_BYTES as u64, sector.as_mut_slice())?;
        self.sectors.insert(number, sector);
        Ok(())
    }
}

/// Returns the sectors that a range of bytes touches.
fn span(offset: u64, bytes: usize) -> std::ops::Range<u64> {
    let end = offset.saturating_add(bytes as u64).div_ceil(SECTOR_BYTES as u64);
    let start = offset / SECTOR_BYTES as u64;
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_stands_over_the_disk_and_nothing_else_changes() {
        let disk: Vec<u8> = (0..4096_u32).map(|byte| u8::try_from(byte % 251).unwrap()).collect();
        let mut expected = disk.clone();
        let mut overlay = Overlay::default();
        for (offset, bytes) in [(500, vec![0xaa; 30]), (1024, vec![0xbb; 512]), (4090, vec![0xcc; 6])] {
            overlay.write(&disk, offset, &bytes).unwrap();
            let start = usize::try_from(offset).unwrap();
            expected[start..start + bytes.len()].copy_from_slice(&bytes);
        }
        for (offset, count) in [(0, 4096), (1, 4000), (511, 2), (505, 3), (1100, 1), (4095, 1), (0, 0)] {
            let mut buffer = vec![0; count];
            overlay.read(&disk, offset, &mut buffer).unwrap();
            let start = usize::try_from(offset).unwrap();
            assert_eq!(buffer, expected[start..start + count], "{offset} {count}");
        }
        assert!(overlay.touches(1023, 1));
        assert!(!overlay.touches(1536, 512));
        assert!(overlay.write(&disk, 4090, &[0; 7]).is_err());
    }
}
