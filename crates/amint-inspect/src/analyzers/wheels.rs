//! Files that Python packages list with their digests, as they were installed.
//!
//! An installer writes `RECORD` beside a package's metadata: path, SHA-256 and size of every file (Python's
//! "Recording installed projects"). What came from a folder or a repository instead of an index has a
//! `direct_url.json` (PEP 610), and is somebody's own.

use std::collections::HashMap;
use std::rc::Rc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::index::{EntryId, Index};

const RECORD_BYTES_MAX: u64 = 32 << 20;
/// Files up to this size are compared with their digest.
const FILE_BYTES_MAX: u64 = 16 << 20;
/// How far above a file the folder of its package is looked for.
const LEVELS_MAX: usize = 16;

/// What one file should hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Listed {
    package: Rc<str>,
    digest: [u8; 32],
}

/// The packages that lie in the folders that were asked about.
#[derive(Default)]
pub(crate) struct Wheels {
    /// For each folder the files that packages list, by their path from there.
    folders: HashMap<EntryId, HashMap<Box<[u8]>, Listed>>,
}

impl Wheels {
    /// Returns the package from an index that lists a file whose content is still the same.
    pub(crate) fn package(&mut self, index: &Index, path: &str) -> Option<String> {
        let id = index.find_exact(path.as_bytes())?;
        let listed = path.rmatch_indices('/').take(LEVELS_MAX).find_map(|(at, _)| {
            let folder = index.find_exact(path.get(..at)?.as_bytes())?;
            let files = self.folders.entry(folder).or_insert_with(|| listed(index, folder));
            files.get(path.get(at + 1..)?.as_bytes()).cloned()
        })?;
        let content = index.read(id, FILE_BYTES_MAX).ok()?;
        (Sha256::digest(&content).as_slice() == listed.digest).then(|| listed.package.to_string())
    }
}

/// Reads what all packages of one folder list.
fn listed(index: &Index, folder: EntryId) -> HashMap<Box<[u8]>, Listed> {
    let mut files = HashMap::new();
    for (id, entry) in index.children(folder) {
        let name = String::from_utf8_lossy(entry.name());
        let Some(package) = name.strip_suffix(".dist-info") else { continue };
        if index.child(id, b"direct_url.json").is_some() {
            continue;
        }
        let Some(content) = index.child(id, b"RECORD").and_then(|id| index.read(id, RECORD_BYTES_MAX).ok())
        else {
            continue;
        };
        let package: Rc<str> = package.replacen('-', " ", 1).into();
        files.extend(content.split(|byte| *byte == b'\n').filter_map(|line| {
            let (path, digest) = record_line(line)?;
            Some((path.into(), Listed { package: Rc::clone(&package), digest }))
        }));
    }
    files
}

/// Reads a line of `RECORD`: `path,sha256=…,size`. One without a digest or with quotes says nothing.
fn record_line(line: &[u8]) -> Option<(&[u8], [u8; 32])> {
    let mut fields = line.rsplitn(3, |byte| *byte == b',').skip(1);
    let digest = fields.next()?.strip_prefix(b"sha256=")?;
    let path = fields.next().filter(|path| !path.starts_with(b"\""))?;
    let digest = URL_SAFE_NO_PAD.decode(digest).ok()?;
    Some((path, digest.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_installers_write_them() {
        let digest = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";
        let line = format!("x/tests/key,a.pem,{digest},0\r");
        assert_eq!(
            record_line(line.as_bytes()).map(|(path, digest)| (path, digest[..2].to_vec())),
            Some((b"x/tests/key,a.pem".as_slice(), vec![0xE3, 0xB0]))
        );
        for line in ["x/__pycache__/y.cpython-311.pyc,,", "\"x,y\",sha256=AA,0", "", ",,", "x,sha256=!!,1"] {
            assert_eq!(record_line(line.as_bytes()), None, "{line}");
        }
    }
}
