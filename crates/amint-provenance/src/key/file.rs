//! Key files: who may read them, and how the own one is made.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{KeyError, PemError, SigningKey};

/// The largest key file that is read; one key has about 120 bytes.
pub const PEM_BYTES_MAX: usize = 64 << 10;

const OTHERS: u32 = 0o077;
const OTHERS_WRITE: u32 = 0o022;
/// In a folder with this bit, only the owner of a file may replace it.
const STICKY: u32 = 0o1000;
/// `O_NONBLOCK` of both architectures: to open a pipe would wait for its writer forever.
const NONBLOCK: i32 = 0o4000;

/// The own key, ready for use.
#[derive(Debug)]
pub struct OpenedKey {
    /// The key.
    pub key: SigningKey,
    /// Whether this call made it, which people should be told.
    pub is_new: bool,
}

/// Who may read a key file.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// Its owner alone.
    Private,
    /// Anybody.
    Public,
}

impl SigningKey {
    /// Reads a private key that only its owner may read.
    pub fn load(path: &Path) -> Result<Self, KeyError> {
        let bytes = read(path, Access::Private)?;
        let text = str::from_utf8(&bytes).map_err(|_| KeyError::pem(path)(PemError::NotPem))?;
        Self::from_pem(text).map_err(KeyError::pem(path))
    }

    /// Reads the own key if it was made already: verifying must not make one.
    pub fn load_if_present(path: &Path) -> Result<Option<Self>, KeyError> {
        match Self::load(path) {
            Err(error) if error.is_not_found() => Ok(None),
            found => found.map(Some),
        }
    }

    /// Reads the own key, and makes it on first use: file mode 0600, in a folder of mode 0700.
    ///
    /// Whoever sees the file sees it whole, and when several processes make it at once, all get the same key. A
    /// folder that is there already is left as it is, and refused when others may change it.
    pub fn load_or_create(path: &Path) -> Result<OpenedKey, KeyError> {
        let made = load_or_create_secret(path, || Ok(Self::generate()?.to_pem()))?;
        let text = str::from_utf8(&made.content).map_err(|_| KeyError::pem(path)(PemError::NotPem))?;
        let key = Self::from_pem(text).map_err(KeyError::pem(path))?;
        Ok(OpenedKey { key, is_new: made.is_new })
    }
}

/// The content of a file that only its owner may read.
#[derive(Debug)]
pub struct SecretFile {
    /// The content.
    pub content: Zeroizing<Vec<u8>>,
    /// Whether this call made it, which people should be told.
    pub is_new: bool,
}

/// Reads a file that only its owner may read, and makes it on first use: file mode 0600, in a folder of mode 0700.
///
/// Whoever sees the file sees it whole, and when several processes make it at once, all get the same content. A
/// folder that is there already is left as it is.
///
/// # Errors
/// Fails when others may read the file or change its folder, when it is larger than [`PEM_BYTES_MAX`], and as `make`
/// does.
pub fn load_or_create_secret<E: From<KeyError>>(
    path: &Path,
    make: impl FnOnce() -> Result<Zeroizing<String>, E>,
) -> Result<SecretFile, E> {
    let path = &std::path::absolute(path).map_err(KeyError::io("find", path))?;
    let folder = path.parent().ok_or_else(|| KeyError::NotAFile { path: path.clone() })?;
    create_folder(folder)?;
    match read(path, Access::Private) {
        Ok(content) => return Ok(SecretFile { content, is_new: false }),
        Err(error) if error.is_not_found() => {}
        Err(error) => return Err(error.into()),
    }
    let content = make()?;
    let is_new = write_new(folder, path, content.as_bytes())?;
    Ok(SecretFile { content: read(path, Access::Private)?, is_new })
}

fn create_folder(folder: &Path) -> Result<(), KeyError> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(KeyError::io("create", folder))?;
    let mode = permissions(&fs::metadata(folder).map_err(KeyError::io("read", folder))?);
    if mode & OTHERS_WRITE == 0 || mode & STICKY != 0 {
        return Ok(());
    }
    Err(KeyError::FolderExposed { path: folder.to_owned(), mode })
}

/// Writes a file that is not there yet; tells `false` when another process was faster.
fn write_new(folder: &Path, path: &Path, bytes: &[u8]) -> Result<bool, KeyError> {
    // Made with O_EXCL under a random name, and given its own name without ever replacing another file.
    let mut file = tempfile::Builder::new()
        .prefix(".new-key-")
        .permissions(Permissions::from_mode(0o600))
        .tempfile_in(folder)
        .map_err(KeyError::io("create a file in", folder))?;
    let written = file.write_all(bytes).and_then(|()| file.as_file().sync_all());
    written.map_err(KeyError::io("write", file.path()))?;
    match file.persist_noclobber(path) {
        Ok(_) => {}
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(failed) => return Err(KeyError::io("create", path)(failed.error)),
    }
    // A key that signed something must not be gone after a loss of power.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(KeyError::io("write", folder))?;
    Ok(true)
}

/// Reads a key file into memory that is wiped when dropped.
pub(super) fn read(path: &Path, access: Access) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |source| KeyError::io("read", path)(source);
    let mut file = OpenOptions::new().read(true).custom_flags(NONBLOCK).open(path).map_err(failed)?;
    // Asked of the open file, so that none can be put in its place in between.
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(KeyError::NotAFile { path: path.to_owned() });
    }
    let mode = permissions(&metadata);
    if access == Access::Private && mode & OTHERS != 0 {
        return Err(KeyError::Exposed { path: path.to_owned(), mode });
    }
    // Of its full size from the start: memory that grows leaves copies behind.
    let mut buffer = Zeroizing::new(vec![0; PEM_BYTES_MAX + 1]);
    let mut bytes = 0;
    while bytes < buffer.len() {
        match file.read(&mut buffer[bytes..]) {
            Ok(0) => break,
            Ok(read) => bytes += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failed(error)),
        }
    }
    if bytes > PEM_BYTES_MAX {
        return Err(KeyError::TooLarge { path: PathBuf::from(path) });
    }
    buffer.truncate(bytes);
    Ok(buffer)
}

fn permissions(metadata: &fs::Metadata) -> u32 {
    metadata.mode() & 0o7777
}
