//! Files that are named by the SHA-256 of their bytes: blocks and manifests.

use std::error::Error;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use amint_types::{Digest, Hint, ImageRef};
use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;

use crate::error::StoreError;
use crate::layout::{create_folder, create_private, remove_file};

/// How a block of the store is damaged.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BlockFault {
    /// Its file is not there.
    #[error("its file is missing")]
    Missing,
    /// Its file is too short or too long.
    #[error("its file has {found} bytes instead of {expected}")]
    Length {
        /// Bytes of the file.
        found: u64,
        /// Bytes of the block.
        expected: u64,
    },
    /// Its bytes have changed since they were written.
    #[error("its bytes have changed: their digest is {found}")]
    Digest {
        /// The digest of the bytes found.
        found: Digest,
    },
    /// Its file could not be read.
    #[error("its file could not be read")]
    Unreadable(#[source] io::Error),
}

/// A block of an image is missing or damaged.
#[derive(Debug, thiserror::Error)]
#[error("block {index} of `{image}` is damaged ({path})")]
pub struct BlockError {
    /// The image that was read.
    pub image: ImageRef,
    /// The block's place on the disk.
    pub index: u64,
    /// The block's file.
    pub path: PathBuf,
    /// How it is damaged.
    #[source]
    pub fault: BlockFault,
}

impl Hint for BlockError {
    fn hint(&self) -> Option<String> {
        Some("build the image again (the store then writes this block anew), or restore the file from a backup".into())
    }
}

/// Finds the damaged block among an error and its causes, also inside an [`io::Error`] that an
/// [`ImageReader`](crate::ImageReader) gave.
pub fn find_block_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a BlockError> {
    let mut current = Some(error);
    while let Some(error) = current {
        if let Some(found) = error.downcast_ref::<BlockError>() {
            return Some(found);
        }
        // The source of an `io::Error` is the source of what is inside it, which would be passed over.
        let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        current = match inside {
            Some(inside) => Some(inside as &'a (dyn Error + 'static)),
            None => error.source(),
        };
    }
    None
}

/// Reads a block into the front of `buffer` and compares it with its digest.
pub(crate) fn read_verified(path: &Path, digest: Digest, buffer: &mut [u8]) -> Result<(), BlockFault> {
    let mut file = open_to_read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => BlockFault::Missing,
        _ => BlockFault::Unreadable(error),
    })?;
    let found = file.metadata().map_err(BlockFault::Unreadable)?.len();
    let expected = buffer.len() as u64;
    if found != expected {
        return Err(BlockFault::Length { found, expected });
    }
    file.read_exact(buffer).map_err(BlockFault::Unreadable)?;
    match Digest::of(buffer) {
        found if found == digest => Ok(()),
        found => Err(BlockFault::Digest { found }),
    }
}

/// Tells whether a file of that size is there.
pub(crate) fn has_size(path: &Path, bytes: usize) -> Result<bool, StoreError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(metadata.is_file() && metadata.len() == bytes as u64),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(StoreError::io("read", path)(error)),
    }
}

/// Puts files into their places, each under a temporary name first.
#[derive(Debug)]
pub(crate) struct Placer {
    scratch: PathBuf,
    next: AtomicU64,
}

/// What became of a file that was to be placed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// It was written.
    New,
    /// It was there, with the same bytes.
    Same,
    /// It was there with other bytes, torn or rotten, and was written anew.
    Healed,
}

impl Placer {
    /// Writes temporary files in `scratch`, which is on the file system of the store.
    pub(crate) fn new(scratch: PathBuf) -> Self {
        Self { scratch, next: AtomicU64::new(0) }
    }

    /// Makes sure that `target` holds `bytes`, whatever it held before.
    ///
    /// What is there is trusted for nothing: before the first commit that vouches for a file, a loss of power may
    /// have left it empty, short or full of zeroes under its final name, since neither its bytes nor its name were
    /// synced. Comparing is as safe as hashing what was found, and cheaper.
    pub(crate) fn place(&self, target: &Path, bytes: &[u8]) -> Result<Placed, StoreError> {
        match holds(target, bytes)? {
            Some(true) => return Ok(Placed::Same),
            Some(false) => return self.replace(target, bytes),
            None => {}
        }
        let (temporary, _) = self.write(target, bytes)?;
        match self.rename_new(&temporary, target) {
            Ok(()) => Ok(Placed::New),
            Err(error) => {
                // Another thread or process may have placed the same bytes meanwhile.
                remove_file(&temporary)?;
                match (error.kind(), holds(target, bytes)) {
                    (io::ErrorKind::AlreadyExists, Ok(Some(true))) => Ok(Placed::Same),
                    (io::ErrorKind::AlreadyExists, Ok(Some(false))) => self.replace(target, bytes),
                    _ => Err(StoreError::io("write", target)(error)),
                }
            }
        }
    }

    /// Replaces a bad file. The new one is synced first: unlike a new name, this one may be in use by an image that
    /// another process commits at this moment, whose one sync may have come before our bytes.
    fn replace(&self, target: &Path, bytes: &[u8]) -> Result<Placed, StoreError> {
        let (temporary, file) = self.write(target, bytes)?;
        let result = file.sync_all().and_then(|()| fs::rename(&temporary, target));
        if let Err(error) = result {
            remove_file(&temporary)?;
            return Err(StoreError::io("write", target)(error));
        }
        Ok(Placed::Healed)
    }

    fn write(&self, target: &Path, bytes: &[u8]) -> Result<(PathBuf, File), StoreError> {
        let path = self.scratch.join(self.next.fetch_add(1, Ordering::Relaxed).to_string());
        let written = create_private(&path).and_then(|mut file| {
            file.write_all(bytes)?;
            Ok(file)
        });
        match written {
            Ok(file) => Ok((path, file)),
            Err(error) => {
                remove_file(&path)?;
                Err(StoreError::io("write", target)(error))
            }
        }
    }

    /// Renames, unless the new name is taken. Never over an existing file: see [`Self::replace`].
    fn rename_new(&self, from: &Path, to: &Path) -> io::Result<()> {
        let rename = || match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            // Some file systems know no flags of renameat2(2).
            Err(Errno::INVAL | Errno::NOSYS) => fs::hard_link(from, to).and_then(|()| fs::remove_file(from)),
            result => result.map_err(io::Error::from),
        };
        match rename() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                create_folder(to.parent().unwrap_or(&self.scratch))?;
                rename()
            }
            result => result,
        }
    }
}

/// Tells whether a file holds exactly `bytes`; none when it is not there.
fn holds(path: &Path, bytes: &[u8]) -> Result<Option<bool>, StoreError> {
    let mut file = match open_to_read(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::io("open", path)(error)),
    };
    let found = file.metadata().map_err(StoreError::io("read", path))?.len();
    Ok(Some(found == bytes.len() as u64 && is_same(&mut file, bytes)))
}

/// A file that cannot be read, on a bad sector for example, is as good as one with other bytes: it gets replaced.
fn is_same(file: &mut File, bytes: &[u8]) -> bool {
    let mut buffer = vec![0; 64 << 10];
    bytes.chunks(buffer.len()).all(|expected| {
        let found = &mut buffer[..expected.len()];
        file.read_exact(found).is_ok() && found == expected
    })
}

fn open_to_read(path: &Path) -> io::Result<File> {
    // A link planted in the store must lead nowhere.
    let flags = i32::try_from(OFlags::NOFOLLOW.bits()).unwrap_or_default();
    OpenOptions::new().read(true).custom_flags(flags).open(path)
}
