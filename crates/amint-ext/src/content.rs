//! Content of files: from blocks, or from the inode itself.

use amint_fs::{FsError, OpenFile};

use crate::bytes::index;
use crate::error::damaged;
use crate::inline;
use crate::inode::{Inode, flag};
use crate::mapping::{Mapping, Run};
use crate::volume::Volume;

/// The content of one inode.
pub(crate) enum Content<'a> {
    /// In blocks.
    Blocks { mapping: Mapping<'a>, bytes: u64 },
    /// In the inode; what the size says beyond it is zeros, as `mke2fs` leaves sparse files.
    Inline { content: Vec<u8>, bytes: u64 },
}

impl<'a> Content<'a> {
    /// Opens the content of an inode of any kind.
    pub(crate) fn open(volume: &'a Volume, inode: &Inode) -> Result<Self, FsError> {
        if inode.has(flag::ENCRYPT) {
            return Err(FsError::Encrypted);
        }
        if inode.has(flag::INLINE) {
            let content = inline::content(volume, inode)?;
            return Ok(Self::Inline { content, bytes: inode.size_bytes });
        }
        Ok(Self::Blocks { mapping: Mapping::new(volume, inode)?, bytes: inode.size_bytes })
    }

    /// Reads all of it, where it has at most `limit_bytes`.
    pub(crate) fn read_all(&mut self, limit_bytes: usize) -> Result<Vec<u8>, FsError> {
        let bytes = index(self.size_bytes())?;
        if bytes > limit_bytes {
            return Err(damaged(format!("{bytes} bytes where {limit_bytes} are allowed")));
        }
        let mut content = vec![0; bytes];
        let count = self.read_at(0, &mut content)?;
        content.truncate(count);
        Ok(content)
    }
}

impl OpenFile for Content<'_> {
    fn size_bytes(&self) -> u64 {
        match self {
            Self::Blocks { bytes, .. } | Self::Inline { bytes, .. } => *bytes,
        }
    }

    fn read_at(&mut self, offset: u64, buffer: &mut [u8]) -> Result<usize, FsError> {
        let left = self.size_bytes().saturating_sub(offset);
        let count = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let (buffer, _) = buffer.split_at_mut(count);
        match self {
            Self::Inline { content, .. } => {
                let rest = content.get(index(offset)?..).unwrap_or_default();
                let (part, zeros) = buffer.split_at_mut(rest.len().min(count));
                part.copy_from_slice(rest.get(..part.len()).unwrap_or_default());
                zeros.fill(0);
            }
            Self::Blocks { mapping, .. } => read_blocks(mapping, offset, buffer)?,
        }
        Ok(count)
    }
}

/// Fills a buffer, with one read for all that lies next to each other on the device.
fn read_blocks(mapping: &mut Mapping<'_>, mut offset: u64, mut buffer: &mut [u8]) -> Result<(), FsError> {
    let block_bytes = mapping.volume().superblock.block_bytes;
    while !buffer.is_empty() {
        let wanted = (offset % block_bytes).saturating_add(buffer.len() as u64).div_ceil(block_bytes);
        let run = merged(mapping, offset / block_bytes, wanted)?;
        let within = offset % block_bytes;
        let bytes = (run.count.min(wanted) * block_bytes - within).min(buffer.len() as u64);
        let (part, rest) = buffer.split_at_mut(index(bytes)?);
        match run.device {
            Some(device) => mapping.volume().read(device * block_bytes + within, part)?,
            None => part.fill(0),
        }
        offset += bytes;
        buffer = rest;
    }
    Ok(())
}

/// Returns the run at `block`, lengthened up to `wanted` blocks by runs that follow it on the device.
fn merged(mapping: &mut Mapping<'_>, block: u64, wanted: u64) -> Result<Run, FsError> {
    let mut run = mapping.run_at(block)?;
    while run.count < wanted {
        let next = mapping.run_at(run.end())?;
        if next.device != run.device.map(|device| device + run.count) {
            break;
        }
        run.count += next.count;
    }
    Ok(run)
}
