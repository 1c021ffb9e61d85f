//! A disk that is written block by block, in any order, by several threads, over hours.
//!
//! Each block goes to its place at once, and its index and digest to a list of the writer's own; nothing is held in
//! memory but the list. A killed process loses nothing that was confirmed: the next writer of the same name finds the
//! list, and a collection keeps what lists name. What a loss of power tore is found when the disk is finished.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use amint_types::{BLOCK_BYTES, Cancel, Digest};

use crate::blocks::{Placer, has_size, read_verified};
use crate::error::StoreError;
use crate::layout::{create_folder, remove_file};
use crate::manifest::{Manifest, check_disk_bytes};
use crate::put::sync;
use crate::store::{Inner, Store};
use crate::temporary::Temporary;

/// Bytes of an entry of a list: the index, little-endian, and the digest; zeros stand for a block of zeros.
const ENTRY_BYTES: usize = 40;
/// The longest list that is read: every block of the largest disk, written four times.
const LIST_BYTES_MAX: u64 = 4 * (1 << 27) * ENTRY_BYTES as u64;
const ZEROS: [u8; 32] = [0; 32];

/// A disk that is being written. A collection may come between its blocks: it leaves those that lists name.
#[derive(Debug)]
pub struct DiskWriter {
    inner: Arc<Inner>,
    path: PathBuf,
    placer: Placer,
    state: Mutex<State>,
    _scratch: Temporary,
}

#[derive(Debug)]
struct State {
    list: File,
    blocks: BTreeMap<u64, Option<Digest>>,
}

impl Store {
    /// Begins the disk `name`, or goes on with it. Names are letters, digits, `-` and `_`, at most 100 of them.
    ///
    /// # Errors
    /// Fails when the name has other letters, or the store cannot be written.
    pub fn writer(&self, name: &str) -> Result<DiskWriter, StoreError> {
        check_name(name)?;
        let inner = Arc::clone(&self.inner);
        let lock = inner.lock_shared(&Cancel::new())?;
        let folder = inner.layout.writers();
        create_folder(&folder).map_err(StoreError::io("create", &folder))?;
        let path = folder.join(name);
        let (list, blocks) = open_list(&path).map_err(StoreError::io("open", &path))?;
        let scratch = Temporary::create(&inner.layout, "put-", &lock)?;
        let placer = Placer::new(scratch.path().to_owned());
        let state = Mutex::new(State { list, blocks });
        Ok(DiskWriter { inner, path, placer, state, _scratch: scratch })
    }

    /// Gives the disk `name` up; a collection frees its space. Its writer must not be used any more.
    ///
    /// # Errors
    /// Fails when the name has other letters, or the list cannot be removed.
    pub fn abandon(&self, name: &str) -> Result<(), StoreError> {
        check_name(name)?;
        remove_file(&self.inner.layout.writers().join(name))
    }

    /// Returns the manifests that are kept though no image has them, each with its name.
    ///
    /// # Errors
    /// Fails when the catalogue cannot be read.
    pub fn pins(&self) -> Result<Vec<(String, Digest)>, StoreError> {
        self.inner.catalogue(|catalogue| catalogue.pins())
    }

    /// Keeps a manifest that the store has, under a name.
    ///
    /// # Errors
    /// Fails when there is no such manifest, or the catalogue cannot be written.
    pub fn pin(&self, name: &str, manifest: Digest) -> Result<(), StoreError> {
        let _lock = self.inner.lock_shared(&Cancel::new())?;
        self.inner.manifest(manifest)?;
        self.inner.catalogue(|catalogue| catalogue.pin(name, manifest, &[]))
    }

    /// Keeps a manifest no more; a collection frees its space. Returns whether there was a pin of the name.
    ///
    /// # Errors
    /// Fails when the catalogue cannot be written.
    pub fn unpin(&self, name: &str) -> Result<bool, StoreError> {
        self.inner.catalogue(|catalogue| catalogue.unpin(name))
    }

    /// Returns the names of disks that were begun, and neither finished nor given up; sorted.
    ///
    /// # Errors
    /// Fails when the store cannot be read.
    pub fn begun(&self) -> Result<Vec<String>, StoreError> {
        let folder = self.inner.layout.writers();
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::io("read", &folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(StoreError::io("read", &folder))?.file_name();
            names.extend(name.into_string().ok().filter(|name| check_name(name).is_ok()));
        }
        names.sort();
        Ok(names)
    }

    /// Returns the blocks that disks on their way have.
    pub(crate) fn blocks_on_their_way(&self) -> Result<Vec<Digest>, StoreError> {
        let mut blocks = Vec::new();
        for name in self.begun()? {
            let path = self.inner.layout.writers().join(name);
            let (_, list) = open_list(&path).map_err(StoreError::io("open", &path))?;
            blocks.extend(list.into_values().flatten());
        }
        Ok(blocks)
    }
}

impl DiskWriter {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a block, in place of an earlier one of the same index. `bytes` are those of a whole block.
    ///
    /// # Errors
    /// Fails when the bytes are not those of a whole block, or the store cannot be written.
    pub fn put(&self, index: u64, bytes: &[u8]) -> Result<(), StoreError> {
        self.put_as(index, bytes, Digest::of(bytes))
    }

    /// Writes a block when its digest is the one that is expected, and tells whether it was.
    ///
    /// # Errors
    /// Fails as [`put`](Self::put) does.
    pub fn put_expected(&self, index: u64, bytes: &[u8], expected: Digest) -> Result<bool, StoreError> {
        let digest = Digest::of(bytes);
        if digest != expected {
            return Ok(false);
        }
        self.put_as(index, bytes, digest)?;
        Ok(true)
    }

    fn put_as(&self, index: u64, bytes: &[u8], digest: Digest) -> Result<(), StoreError> {
        if bytes.len() as u64 != BLOCK_BYTES {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "a block has 524,288 bytes");
            return Err(StoreError::io("write", &self.path)(source));
        }
        // From the block to the list that names it no collection may come between.
        let _lock = self.inner.lock_shared(&Cancel::new())?;
        let is_zero = bytes.iter().all(|byte| *byte == 0);
        let digest = if is_zero { None } else { Some(digest) };
        if let Some(digest) = digest {
            self.place(bytes, digest)?;
        }
        let mut entry = [0; ENTRY_BYTES];
        entry[..8].copy_from_slice(&index.to_le_bytes());
        entry[8..].copy_from_slice(digest.as_ref().map_or(&ZEROS, |digest| digest.as_bytes()));
        let mut state = self.state();
        state.list.write_all(&entry).map_err(StoreError::io("write", &self.path))?;
        state.blocks.insert(index, digest);
        Ok(())
    }

    fn place(&self, bytes: &[u8], digest: Digest) -> Result<(), StoreError> {
        let path = self.inner.layout.block(digest);
        let is_trusted = self.inner.catalogue(|catalogue| catalogue.is_trusted(digest))?;
        if !(is_trusted && has_size(&path, bytes.len())?) {
            if is_trusted {
                self.inner.catalogue(|catalogue| catalogue.distrust(digest))?;
            }
            self.placer.place(&path, bytes)?;
        }
        Ok(())
    }

    /// Returns the blocks that were written, with none for those of zeros.
    pub fn blocks(&self) -> BTreeMap<u64, Option<Digest>> {
        self.state().blocks.clone()
    }

    /// Makes a disk of `disk_bytes` of the blocks, upon the manifest `base` where there is one, and pins it as `pin`.
    ///
    /// Blocks beyond the end of the disk are left out. Everything is durable when it returns.
    ///
    /// # Errors
    /// Fails when the size is none of a disk, a block is not what was written, or the store cannot be written; then
    /// the writer can be used again.
    pub fn finish(&self, base: Option<Digest>, disk_bytes: u64, pin: &str) -> Result<Digest, StoreError> {
        check_disk_bytes(disk_bytes).map_err(|source| StoreError::Disk { source })?;
        let _lock = self.inner.lock_shared(&Cancel::new())?;
        let disk_bytes = disk_bytes.next_multiple_of(BLOCK_BYTES);
        let count = usize::try_from(disk_bytes / BLOCK_BYTES).unwrap_or(usize::MAX);
        let written = self.blocks();
        let mut blocks = match base {
            Some(base) => self.base(base, &written)?,
            None => Vec::new(),
        };
        blocks.resize(count, None);
        for (index, digest) in &written {
            if let Some(block) = usize::try_from(*index).ok().and_then(|index| blocks.get_mut(index)) {
                *block = *digest;
            }
        }
        self.check_written(&written)?;
        let manifest = Manifest::new(disk_bytes, blocks).map_err(|source| StoreError::Disk { source })?;
        let bytes = manifest.to_bytes();
        let digest = Digest::of(&bytes);
        self.placer.place(&self.inner.layout.manifest(digest), &bytes)?;
        sync(&self.inner)?;
        let trusted: Vec<Digest> = written.into_values().flatten().collect();
        self.inner.catalogue(|catalogue| catalogue.pin(pin, digest, &trusted))?;
        remove_file(&self.path)?;
        Ok(digest)
    }

    /// Returns the blocks of a base; one that is cut at the end of the disk is made whole.
    fn base(
        &self,
        base: Digest,
        written: &BTreeMap<u64, Option<Digest>>,
    ) -> Result<Vec<Option<Digest>>, StoreError> {
        let manifest = self.inner.manifest(base)?;
        let mut blocks = manifest.blocks().to_vec();
        let last = (blocks.len() as u64).saturating_sub(1);
        let length = manifest.bytes_of(last);
        let is_cut = (length as u64) < BLOCK_BYTES && !written.contains_key(&last);
        if let (true, Some(Some(digest))) = (is_cut, blocks.last().copied()) {
            let mut bytes = vec![0; usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX)];
            self.read(digest, &mut bytes[..length])?;
            let whole = Digest::of(&bytes);
            self.place(&bytes, whole)?;
            if let Some(block) = blocks.last_mut() {
                *block = Some(whole);
            }
        }
        Ok(blocks)
    }

    fn read(&self, digest: Digest, buffer: &mut [u8]) -> Result<(), StoreError> {
        let path = self.inner.layout.block(digest);
        read_verified(&path, digest, buffer).map_err(|fault| {
            let _ = self.inner.catalogue.distrust(digest);
            StoreError::io("read", &path)(io::Error::new(io::ErrorKind::InvalidData, fault.to_string()))
        })
    }

    /// Makes sure that every block is whole: after a loss of power a name may stand without its bytes.
    fn check_written(&self, written: &BTreeMap<u64, Option<Digest>>) -> Result<(), StoreError> {
        for digest in written.values().flatten() {
            let path = self.inner.layout.block(*digest);
            if !has_size(&path, usize::try_from(BLOCK_BYTES).unwrap_or(usize::MAX))? {
                let source = io::Error::new(io::ErrorKind::InvalidData, "a block that was written is gone");
                return Err(StoreError::io("read", &path)(source));
            }
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), StoreError> {
    let is_allowed = |letter: u8| letter.is_ascii_alphanumeric() || letter == b'-' || letter == b'_';
    if (1..=100).contains(&name.len()) && name.bytes().all(is_allowed) {
        return Ok(());
    }
    let source = io::Error::new(io::ErrorKind::InvalidInput, "no name of a disk");
    Err(StoreError::io("open", Path::new(name))(source))
}

type List = (File, BTreeMap<u64, Option<Digest>>);

/// Opens a list; an entry that was cut off at the end was never confirmed.
fn open_list(path: &Path) -> io::Result<List> {
    let mut options = OpenOptions::new();
    let mut file = options.create(true).read(true).append(true).mode(0o600).open(path)?;
    let mut bytes = Vec::new();
    Read::by_ref(&mut file).take(LIST_BYTES_MAX).read_to_end(&mut bytes)?;
    let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
    if !rest.is_empty() {
        file.set_len((entries.len() * ENTRY_BYTES) as u64)?;
    }
    let mut blocks = BTreeMap::new();
    for entry in entries {
        let (index, digest) = entry.split_at(8);
        let (Ok(index), Ok(digest)) = (index.try_into(), <[u8; 32]>::try_from(digest)) else { continue };
        blocks.insert(u64::from_le_bytes(index), (digest != ZEROS).then(|| Digest::from_bytes(digest)));
    }
    Ok((file, blocks))
}
