//! Tables of small entries: a list of places, each of a block of metadata full of entries.

use amint_fs::FsError;
use amint_types::ReadAt;

use crate::bytes::u64_at;
use crate::error::{damaged, over_limit};
use crate::image::{Image, METADATA_BYTES};

/// How many entries a table may have: fragments of 128 KiB for 2 TiB.
const ENTRIES_MAX: u32 = 1 << 24;

/// A table of entries of `N` bytes, of which only the list of places is kept.
#[derive(Debug, Default)]
pub(crate) struct Table<const N: usize> {
    places: Vec<u64>,
    count: u32,
}

impl<const N: usize> Table<N> {
    /// Reads the list of places, which begins at `place`.
    pub(crate) fn read(source: &dyn ReadAt, place: u64, count: u32) -> Result<Self, FsError> {
        if count > ENTRIES_MAX {
            return Err(over_limit(format!("a table of {count} entries, over {ENTRIES_MAX}")));
        }
        let entries = usize::try_from(count).unwrap_or(usize::MAX);
        let blocks = entries.saturating_mul(N).div_ceil(METADATA_BYTES);
        let mut bytes = vec![0; blocks.saturating_mul(8)];
        source.read_exact_at(place, &mut bytes)?;
        let places = bytes.chunks_exact(8).filter_map(|place| u64_at(place, 0)).collect();
        Ok(Self { places, count })
    }

    /// Returns an entry.
    pub(crate) fn entry(&self, image: &Image, index: u32) -> Result<[u8; N], FsError> {
        let wrong = || damaged(format!("the entry {index} of a table of {}", self.count));
        let at = usize::try_from(index).ok().and_then(|index| index.checked_mul(N)).ok_or_else(wrong)?;
        let place = self.places.get(at / METADATA_BYTES).filter(|_| index < self.count);
        let block = image.metadata(*place.ok_or_else(wrong)?)?;
        let offset = at % METADATA_BYTES;
        let entry = block.bytes.get(offset..offset + N).ok_or_else(wrong)?;
        entry.try_into().map_err(|_| wrong())
    }
}
