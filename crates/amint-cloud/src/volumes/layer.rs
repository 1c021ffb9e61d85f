//! What was written to a volume, page by page.
//!
//! A layer is two files: `N.v1.data` has each page at its place on the disk and holes elsewhere, and `N.v1.pages` has a
//! mask of 128 bits for each block of 512 KiB, little-endian: which of its pages the layer has.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use amint_types::BLOCK_BYTES;
use rustix::fs::{FallocateFlags, fallocate};

/// What a layer has or has not: the pages that file systems write.
pub(super) const PAGE_BYTES: u64 = 4096;
/// Pages of a block; a mask has a bit for each.
pub(super) const PAGES_OF_BLOCK: u64 = BLOCK_BYTES / PAGE_BYTES;
const MASK_BYTES: usize = 16;

/// One layer.
#[derive(Debug)]
pub(super) struct Layer {
    pub(super) number: u64,
    paths: [PathBuf; 2],
    data: File,
    pages: File,
    masks: BTreeMap<u64, u128>,
    /// Blocks whose masks are not in the file yet.
    unsaved: BTreeSet<u64>,
}

fn paths(folder: &Path, number: u64) -> [PathBuf; 2] {
    ["data", "pages"].map(|end| folder.join(format!("{number}.v1.{end}")))
}

/// Returns the numbers of the layers in a folder, ascending.
pub(super) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number: Option<u64> = name.to_str().and_then(|name| name.strip_suffix(".v1.pages")?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

impl Layer {
    /// Opens a layer, and makes one where there is none.
    pub(super) fn open(folder: &Path, number: u64) -> io::Result<Self> {
        let paths = paths(folder, number);
        let open = |path: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
        };
        let (data, pages) = (open(&paths[0])?, open(&paths[1])?);
        let masks = load(&pages)?;
        Ok(Self { number, paths, data, pages, masks, unsaved: BTreeSet::new() })
    }

    /// Returns which pages of a block the layer has.
    pub(super) fn mask(&self, block: u64) -> u128 {
        self.masks.get(&block).copied().unwrap_or(0)
    }

    /// Returns the blocks of which the layer has a page.
    pub(super) fn blocks(&self) -> impl Iterator<Item = u64> {
        self.masks.keys().copied()
    }

    pub(super) fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.data.read_at(&mut buffer[filled..], offset + filled as u64) {
                // The file ends where the last page was written; what lies beyond is zero.
                Ok(0) => {
                    buffer[filled..].fill(0);
                    break;
                }
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes whole pages.
    pub(super) fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.data.write_all_at(bytes, offset)?;
        self.mark(offset, bytes.len() as u64);
        Ok(())
    }

    /// Makes whole pages zero, without taking space where the file system can.
    pub(super) fn zero(&mut self, offset: u64, length: u64) -> io::Result<()> {
        let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if fallocate(&self.data, flags, offset, length).is_err() {
            let zeros = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(1 << 19)];
            let mut done = 0;
            while done < length {
                let step = (length - done).min(BLOCK_BYTES);
                self.data.write_all_at(&zeros[..usize::try_from(step).unwrap_or(0)], offset + done)?;
                done += step;
            }
        }
        self.mark(offset, length);
        Ok(())
    }

    fn mark(&mut self, offset: u64, length: u64) {
        for page in offset / PAGE_BYTES..(offset + length) / PAGE_BYTES {
            let (block, bit) = (page / PAGES_OF_BLOCK, page % PAGES_OF_BLOCK);
            let mask = self.masks.entry(block).or_insert(0);
            if *mask & (1 << bit) == 0 {
                *mask |= 1 << bit;
                self.unsaved.insert(block);
            }
        }
    }

    /// Makes everything durable. The masks come last: a page that is named is there.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.data.sync_data()?;
        for block in &self.unsaved {
            let mask = self.masks.get(block).copied().unwrap_or(0);
            self.pages.write_all_at(&mask.to_le_bytes(), block * MASK_BYTES as u64)?;
        }
        if !self.unsaved.is_empty() {
            self.pages.sync_data()?;
            self.unsaved.clear();
        }
        Ok(())
    }

    /// Removes the files of the layer.
    pub(super) fn remove(self) -> io::Result<()> {
        // First what makes it a layer.
        fs::remove_file(&self.paths[1])?;
        fs::remove_file(&self.paths[0])
    }
}

fn load(mut pages: &File) -> io::Result<BTreeMap<u64, u128>> {
    let mut masks = BTreeMap::new();
    let mut chunk = Vec::new();
    let mut block = 0;
    loop {
        chunk.clear();
        Read::by_ref(&mut pages).take(1 << 20).read_to_end(&mut chunk)?;
        let (entries, _) = chunk.as_chunks::<MASK_BYTES>();
        if entries.is_empty() {
            return Ok(masks);
        }
        for entry in entries {
            let mask = u128::from_le_bytes(*entry);
            if mask != 0 {
                masks.insert(block, mask);
            }
            block += 1;
        }
    }
}
