//! The files of a package.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::OwnedFile;
use crate::content::{ContentDigest, DigestAlgorithm};

/// Most files of all packages of a database that are kept.
pub const FILES_MAX: usize = 8_000_000;
/// Longest path that is made of a folder and a name: that of Linux.
const PATH_BYTES_MAX: usize = 4096;

/// One file of a package; links are files as well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApkFile {
    folder: u32,
    name: Box<str>,
    /// Digest of its content, of its target if it is a link.
    pub digest: Option<ContentDigest>,
    /// User and group, where they are not 0.
    pub owner: Option<(u32, u32)>,
    /// Permission bits, where they are not the usual ones.
    pub mode: Option<u32>,
}

/// The files of a package, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ApkFiles {
    /// Without slashes at either end; the root is empty.
    folders: Vec<Box<str>>,
    files: Vec<ApkFile>,
}

impl ApkFiles {
    /// Returns how many files there are, without folders.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Tells whether there is none.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Returns the folders of the package, each beginning with `/`.
    pub fn folders(&self) -> impl Iterator<Item = String> {
        self.folders.iter().map(|folder| format!("/{folder}"))
    }

    /// Returns all files with their paths.
    pub fn iter(&self) -> impl Iterator<Item = (String, &ApkFile)> {
        self.files.iter().map(|file| {
            let folder = usize::try_from(file.folder).ok().and_then(|index| self.folders.get(index));
            let folder = folder.map_or("", |folder| &**folder);
            let slash = if folder.is_empty() { "" } else { "/" };
            (format!("/{folder}{slash}{}", file.name), file)
        })
    }

    /// Returns all files in the words that all databases share. What lies below `/etc` is configuration: apk keeps
    /// changes there by itself.
    pub fn owned(&self) -> impl Iterator<Item = OwnedFile> {
        self.iter().map(|(path, file)| OwnedFile {
            digest: file.digest,
            size_bytes: None,
            mode: file.mode,
            is_configuration: path.starts_with("/etc/"),
            may_be_missing: false,
            may_differ: false,
            path,
        })
    }

    pub(super) fn add_folder(&mut self, folder: &str) {
        self.folders.push(folder.trim_matches('/').into());
    }

    /// Adds a file to the folder that was added last; tells whether it could be.
    pub(super) fn add_file(&mut self, name: &str) -> bool {
        let Some(folder) = self.folders.last() else { return false };
        let is_short = folder.len() + name.len() < PATH_BYTES_MAX;
        let Ok(index) = u32::try_from(self.folders.len() - 1) else { return false };
        if is_short {
            self.files.push(ApkFile {
                folder: index,
                name: name.into(),
                digest: None,
                owner: None,
                mode: None,
            });
        }
        is_short
    }

    pub(super) fn last_mut(&mut self) -> Option<&mut ApkFile> {
        self.files.last_mut()
    }
}

/// Reads a checksum: `Q1` and SHA-1, `Q2` and SHA-256, both base64; before apk 2.0 hexadecimal digits of MD5.
pub fn parse_checksum(text: &str) -> Option<ContentDigest> {
    let base64 = |algorithm: DigestAlgorithm, text: &str| {
        // The longest has 44 characters: whatever is longer need not be decoded.
        let bytes = STANDARD.decode(text.get(..).filter(|text| text.len() <= 64)?).ok()?;
        ContentDigest::new(algorithm, &bytes)
    };
    match text.get(..2) {
        Some("Q1") => base64(DigestAlgorithm::Sha1, text.get(2..)?),
        Some("Q2") => base64(DigestAlgorithm::Sha256, text.get(2..)?),
        _ if text.len() == 40 => ContentDigest::from_hex(DigestAlgorithm::Sha1, text.as_bytes()),
        _ => ContentDigest::from_hex(DigestAlgorithm::Md5, text.as_bytes()),
    }
}
