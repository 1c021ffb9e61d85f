//! Public keys of others.

use std::fs;
use std::path::{Path, PathBuf};

use super::file::{Access, read};
use super::pem::blocks;
use super::{KeyError, PemError, PublicKey};

/// Most keys that are trusted at once: each may cost a pass over a payload.
pub const TRUSTED_KEYS_MAX: usize = 256;

/// Reads trusted keys: one file with one or more public keys, or a folder of such `*.pem` files.
///
/// Anything else that a `*.pem` file holds is an error, so that nobody takes a key for trusted that is not.
pub fn read_trusted_keys(path: &Path) -> Result<Vec<PublicKey>, KeyError> {
    let is_folder = fs::metadata(path).map_err(KeyError::io("read", path))?.is_dir();
    let files = if is_folder { pem_files(path)? } else { vec![path.to_owned()] };
    let mut keys: Vec<PublicKey> = Vec::new();
    for file in &files {
        for key in read_file(file)? {
            if keys.contains(&key) {
                continue;
            }
            if keys.len() == TRUSTED_KEYS_MAX {
                return Err(KeyError::TooManyKeys { path: path.to_owned() });
            }
            keys.push(key);
        }
    }
    Ok(keys)
}

fn pem_files(folder: &Path) -> Result<Vec<PathBuf>, KeyError> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(KeyError::io("read", folder))? {
        let path = entry.map_err(KeyError::io("read", folder))?.path();
        if path.extension().is_none_or(|extension| extension != "pem") {
            continue;
        }
        if files.len() == TRUSTED_KEYS_MAX {
            return Err(KeyError::TooManyKeys { path: folder.to_owned() });
        }
        files.push(path);
    }
    if files.is_empty() {
        return Err(KeyError::NoKeys { path: folder.to_owned() });
    }
    files.sort();
    Ok(files)
}

fn read_file(path: &Path) -> Result<Vec<PublicKey>, KeyError> {
    let bytes = read(path, Access::Public)?;
    let text = str::from_utf8(&bytes).map_err(|_| KeyError::pem(path)(PemError::NotPem))?;
    let blocks = blocks(text);
    if blocks.is_empty() {
        return Err(KeyError::pem(path)(PemError::NotPem));
    }
    blocks.into_iter().map(|block| PublicKey::from_pem(block).map_err(KeyError::pem(path))).collect()
}
