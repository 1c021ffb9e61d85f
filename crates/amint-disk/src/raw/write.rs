//! Writing a disk to a raw file.

use std::fs::File;
use std::os::unix::fs::FileExt as _;

use amint_types::{BLOCK_BYTES, BlockSource, Cancel};

use super::{CopyError, is_zero};

/// Granularity of holes: a page, which is the block of nearly every file system.
const HOLE_BYTES: usize = 4096;

/// Writes `source` to an empty file; zero pages become holes.
///
/// `progress` gets the bytes of the disk done and in all.
///
/// # Errors
/// Fails when a block cannot be read, the target cannot be written, or the user cancels; what was written by
/// then stays in `target`.
pub fn write_sparse(
    source: &dyn BlockSource,
    target: &File,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
) -> Result<(), CopyError> {
    let total = source.disk_bytes();
    target.set_len(total).map_err(|source| CopyError::Write { offset: 0, source })?;
    for_each_block(source, progress, cancel, |index, block| {
        block.map_or(Ok(()), |block| write_data(target, block, index * BLOCK_BYTES))
    })
}

/// Reads all blocks in order and passes each on with its index; `None` stands for a zero block.
pub(crate) fn for_each_block<E: From<CopyError>>(
    source: &dyn BlockSource,
    progress: &(dyn Fn(u64, u64) + Sync),
    cancel: &Cancel,
    mut each: impl FnMut(u64, Option<&[u8]>) -> Result<(), E>,
) -> Result<(), E> {
    let total = source.disk_bytes();
    let mut buffer = block_buffer();
    for index in 0..source.block_count() {
        cancel.check().map_err(CopyError::from)?;
        let length = read_block(source, index, &mut buffer)?;
        each(index, length.map(|length| &buffer[..length]))?;
        progress(total.min((index + 1) * BLOCK_BYTES), total);
    }
    Ok(())
}

/// Makes a buffer for one block.
pub(crate) fn block_buffer() -> Vec<u8> {
    vec![0; usize::try_from(BLOCK_BYTES).expect("512 KiB fit any usize")]
}

/// Reads one block and makes sure that the source tells a length that can be.
pub(crate) fn read_block(
    source: &dyn BlockSource,
    index: u64,
    buffer: &mut [u8],
) -> Result<Option<usize>, CopyError> {
    let failed = |source| CopyError::Read { block: index, source };
    let length = source.read_block(index, buffer).map_err(failed)?;
    let expected = (source.disk_bytes() - index * BLOCK_BYTES).min(BLOCK_BYTES);
    match length {
        Some(length) if length as u64 != expected => {
            let text = format!("the block has {length} bytes instead of {expected}");
            Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, text)))
        }
        length => Ok(length),
    }
}

/// Writes the runs of non-zero pages of `block` to their place.
pub(crate) fn write_data(target: &File, block: &[u8], offset: u64) -> Result<(), CopyError> {
    let mut start = 0;
    while start < block.len() {
        let page_end = |at: usize| block.len().min(at + HOLE_BYTES);
        if is_zero(&block[start..page_end(start)]) {
            start = page_end(start);
            continue;
        }
        let mut end = page_end(start);
        while end < block.len() && !is_zero(&block[end..page_end(end)]) {
            end = page_end(end);
        }
        let position = offset + start as u64;
        target
            .write_all_at(&block[start..end], position)
            .map_err(|source| CopyError::Write { offset: position, source })?;
        start = end;
    }
    Ok(())
}
