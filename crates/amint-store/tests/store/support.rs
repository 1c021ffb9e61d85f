//! Disks made of numbers, and short ways to put and read them.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use amint_store::{ImageReader, ImageRecord, PutRequest, Store, StoreError, Stored};
use amint_types::{Architecture, BLOCK_BYTES, BlockSource, Cancel, Digest, ImageRef};
use jiff::Timestamp;
use tempfile::TempDir;

pub(crate) const BLOCK: usize = 512 << 10;

/// A disk whose blocks are filled from numbers; zero makes a block of zeroes.
#[derive(Clone, Debug)]
pub(crate) struct Disk {
    pub(crate) seeds: Vec<u64>,
    /// Bytes of the last block.
    pub(crate) last_bytes: usize,
    /// Whether zero blocks are told as such, or given as bytes.
    pub(crate) knows_holes: bool,
}

impl Disk {
    pub(crate) fn new(seeds: impl Into<Vec<u64>>) -> Self {
        Self { seeds: seeds.into(), last_bytes: BLOCK, knows_holes: true }
    }

    pub(crate) fn block(&self, index: usize) -> Vec<u8> {
        let bytes = if index + 1 == self.seeds.len() { self.last_bytes } else { BLOCK };
        block_bytes(self.seeds[index], bytes)
    }
}

/// Fills a block from a number, so that any two numbers give blocks that differ everywhere.
pub(crate) fn block_bytes(seed: u64, bytes: usize) -> Vec<u8> {
    if seed == 0 {
        return vec![0; bytes];
    }
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut block = Vec::with_capacity(bytes + 8);
    while block.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        block.extend_from_slice(&state.to_le_bytes());
    }
    block.truncate(bytes);
    block
}

impl BlockSource for Disk {
    fn disk_bytes(&self) -> u64 {
        (self.seeds.len() as u64 - 1) * BLOCK_BYTES + self.last_bytes as u64
    }

    fn read_block(&self, index: u64, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let index = usize::try_from(index).unwrap();
        if self.knows_holes && self.seeds[index] == 0 {
            return Ok(None);
        }
        let block = self.block(index);
        buffer[..block.len()].copy_from_slice(&block);
        Ok(Some(block.len()))
    }
}

/// A store in a folder that goes away.
pub(crate) struct Scene {
    pub(crate) store: Store,
    folder: TempDir,
}

impl Scene {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { store, folder }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    pub(crate) fn put(&self, name: &str, seeds: &[u64]) -> Stored {
        put(&self.store, name, &Disk::new(seeds)).unwrap()
    }

    pub(crate) fn resolve(&self, name: &str) -> ImageRecord {
        self.store.resolve(&reference(name)).unwrap()
    }

    pub(crate) fn reader(&self, name: &str) -> ImageReader {
        self.store.reader(&self.resolve(name)).unwrap()
    }

    pub(crate) fn block_path(&self, seed: u64) -> PathBuf {
        block_path(&self.root(), seed)
    }
}

pub(crate) fn block_path(root: &Path, seed: u64) -> PathBuf {
    let name = Digest::of(&block_bytes(seed, BLOCK)).to_string();
    root.join("blocks").join(&name[..2]).join(&name[2..])
}

pub(crate) fn reference(name: &str) -> ImageRef {
    name.parse().unwrap()
}

pub(crate) fn request(name: &str) -> PutRequest {
    let reference = reference(name);
    PutRequest {
        name: reference.name,
        version: reference.version.expect("NAME:VERSION"),
        architecture: Architecture::X86_64,
        created_at: "2026-11-24T10:00:00.5Z".parse::<Timestamp>().unwrap(),
        documents: Vec::new(),
    }
}

pub(crate) fn put(store: &Store, name: &str, disk: &Disk) -> Result<Stored, StoreError> {
    store.put(&request(name), disk, &|_, _| {}, &Cancel::new())
}

/// Reads a whole disk and compares it with what it should be.
pub(crate) fn assert_reads_as(reader: &ImageReader, disk: &Disk) {
    assert_eq!(reader.disk_bytes(), disk.disk_bytes());
    let mut buffer = vec![0; BLOCK];
    for (index, seed) in disk.seeds.iter().enumerate() {
        match reader.read_block(index as u64, &mut buffer).unwrap() {
            None => assert_eq!(*seed, 0, "block {index} is read as zeroes"),
            Some(bytes) => assert!(buffer[..bytes] == disk.block(index), "block {index} has other bytes"),
        }
    }
}

pub(crate) fn assert_sound(store: &Store) {
    let summary = store.check(&|_, _| {}, &Cancel::new()).unwrap();
    assert!(summary.is_sound(), "{:#?}", summary.problems);
}

/// Lists all files below a folder.
pub(crate) fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut files = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut files_below(&path));
        } else {
            files.insert(path);
        }
    }
    files
}
