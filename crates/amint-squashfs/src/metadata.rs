//! Reading on through the blocks of metadata.

use std::sync::Arc;

use amint_fs::FsError;

use crate::error::damaged;
use crate::image::{Image, MetadataBlock};

/// A place in metadata, from which reading goes on.
pub(crate) struct Reader<'a> {
    image: &'a Image,
    block: Arc<MetadataBlock>,
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Begins `offset` bytes into the block of `table` that begins `block` bytes behind its start.
    pub(crate) fn new(image: &'a Image, table: u64, block: u64, offset: u64) -> Result<Self, FsError> {
        let place = table.checked_add(block).ok_or_else(|| damaged("a place beyond all"))?;
        let block = image.metadata(place)?;
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        if offset > block.bytes.len() {
            return Err(damaged(format!("a place outside the block of metadata at {place}")));
        }
        Ok(Self { image, block, offset })
    }

    /// Begins at a reference: 48 bits of block and 16 bits of offset.
    pub(crate) fn at_reference(image: &'a Image, table: u64, reference: u64) -> Result<Self, FsError> {
        Self::new(image, table, reference >> 16, reference & 0xffff)
    }

    /// Fills `buffer`.
    pub(crate) fn fill(&mut self, buffer: &mut [u8]) -> Result<(), FsError> {
        let mut done = 0;
        while let Some(rest) = buffer.get_mut(done..).filter(|rest| !rest.is_empty()) {
            let found = self.block.bytes.get(self.offset..).unwrap_or_default();
            if found.is_empty() {
                self.block = self.image.metadata(self.block.next)?;
                self.offset = 0;
                if self.block.bytes.is_empty() {
                    return Err(damaged("an empty block of metadata"));
                }
                continue;
            }
            let count = found.len().min(rest.len());
            rest.iter_mut().zip(found).for_each(|(target, byte)| *target = *byte);
            self.offset += count;
            done += count;
        }
        Ok(())
    }

    /// Reads `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], FsError> {
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    /// Reads `count` bytes, of which the caller knows that they are few.
    pub(crate) fn vec(&mut self, count: usize) -> Result<Vec<u8>, FsError> {
        let mut bytes = vec![0; count];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }
}
