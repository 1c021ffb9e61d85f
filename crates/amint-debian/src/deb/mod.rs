//! Debian binary packages (`deb(5)`): an `ar(5)` archive of a version, control files and files.
//!
//! Control files are read into memory within limits; the files of a package are streamed. Nothing is trusted: sizes
//! are checked before memory is taken, and every path is left to the caller to confine.

mod archive;
mod changelog;
mod compression;

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use amint_types::{Digest, DigestWriter};

pub use changelog::{PackageChangelog, read_changelog};
pub use compression::Compression;

use crate::control::{ControlError, Paragraph, Paragraphs};
use archive::Member;

/// Most bytes of all control files of a package together; the largest of Debian's archive have some 20 MiB.
const CONTROL_BYTES_MAX: u64 = 128 * 1024 * 1024;
/// Most control files of a package.
const CONTROL_COUNT_MAX: usize = 1000;
/// How much of a package file is read at once.
const READ_BYTES: usize = 256 * 1024;

/// A package file could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the package {}", path.display())]
pub struct DebError {
    /// The package file.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub kind: DebErrorKind,
}

/// Why a package file could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DebErrorKind {
    /// The file could not be read, or its compressed data is damaged.
    #[error("could not read it")]
    Read(#[from] io::Error),
    /// It is no Debian package, or not a whole one.
    #[error("not a Debian package: {0}")]
    Malformed(&'static str),
    /// A member is compressed in a way that is not known.
    #[error("`{0}` is compressed in an unknown way")]
    Compression(String),
    /// The control files are larger than any package's.
    #[error("its control files are larger than {} MiB", CONTROL_BYTES_MAX / 1024 / 1024)]
    TooLarge,
    /// The control file makes no sense.
    #[error("its control file makes no sense")]
    Control(#[from] ControlError),
    /// It is not the package that was asked for.
    #[error("it is not what was asked for: {found} instead of {wanted}")]
    Other {
        /// SHA-256, or size, of the file.
        found: String,
        /// SHA-256, or size, that it should have.
        wanted: String,
    },
}

/// One control file of a package: `postinst`, `conffiles`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlFile {
    /// Its name, without any folder.
    pub name: String,
    /// Its mode, permission bits only.
    pub mode: u32,
    /// Its content.
    pub content: Vec<u8>,
}

/// A package file whose control files have been read.
#[derive(Debug)]
pub struct Deb {
    path: PathBuf,
    control: Paragraph,
    files: Vec<ControlFile>,
    data: Member,
}

impl Deb {
    /// Opens a package file and reads its control files.
    pub fn open(path: &Path) -> Result<Self, DebError> {
        Self::read(path).map_err(|kind| DebError { path: path.to_owned(), kind })
    }

    fn read(path: &Path) -> Result<Self, DebErrorKind> {
        let mut file = File::open(path)?;
        let (control_member, data) = archive::find(&mut file)?;
        let source = control_member.open(&mut file, READ_BYTES)?;
        let files = read_control(source)?;
        let text = files.iter().find(|file| file.name == "control");
        let text = text.ok_or(DebErrorKind::Malformed("it has no control file"))?;
        let control = Paragraphs::new(text.content.as_slice())
            .next()
            .ok_or(DebErrorKind::Malformed("its control file is empty"))??;
        if control.get("Package").is_none() || control.get("Version").is_none() {
            return Err(DebErrorKind::Malformed("its control file names no package or version"));
        }
        Ok(Self { path: path.to_owned(), control, files, data })
    }

    /// Returns the package file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the fields of the control file.
    pub fn control(&self) -> &Paragraph {
        &self.control
    }

    /// Returns all control files, in the order of the package.
    pub fn control_files(&self) -> &[ControlFile] {
        &self.files
    }

    /// Returns the content of a control file, if there is one of that name.
    pub fn control_file(&self, name: &str) -> Option<&[u8]> {
        self.files.iter().find(|file| file.name == name).map(|file| file.content.as_slice())
    }

    /// Returns the files of the package as a tar archive to stream through.
    pub fn data(&self) -> Result<tar::Archive<Box<dyn Read + Send>>, DebError> {
        let open = || -> Result<_, DebErrorKind> {
            let mut file = File::open(&self.path)?;
            self.data.open(&mut file, READ_BYTES)
        };
        let source = open().map_err(|kind| DebError { path: self.path.clone(), kind })?;
        Ok(tar::Archive::new(source))
    }
}

/// Checks that a package file has this size and SHA-256.
pub fn verify(path: &Path, bytes: u64, sha256: &Digest) -> Result<(), DebError> {
    let check = || -> Result<(), DebErrorKind> {
        let mut file = File::open(path)?;
        let found = file.metadata()?.len();
        if found != bytes {
            return Err(DebErrorKind::Other {
                found: format!("{found} bytes"),
                wanted: format!("{bytes} bytes"),
            });
        }
        let mut writer = DigestWriter::new();
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let count = file.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            writer.update(&buffer[..count]);
        }
        let found = writer.finish();
        if found == *sha256 {
            return Ok(());
        }
        Err(DebErrorKind::Other { found: found.to_string(), wanted: sha256.to_string() })
    };
    check().map_err(|kind| DebError { path: path.to_owned(), kind })
}

fn read_control(source: Box<dyn Read + Send>) -> Result<Vec<ControlFile>, DebErrorKind> {
    let mut archive = tar::Archive::new(source.take(CONTROL_BYTES_MAX + 1));
    let mut files: Vec<ControlFile> = Vec::new();
    let mut total: u64 = 0;
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type() != tar::EntryType::Regular {
            continue;
        }
        total = total.saturating_add(entry.size());
        if total > CONTROL_BYTES_MAX || files.len() >= CONTROL_COUNT_MAX {
            return Err(DebErrorKind::TooLarge);
        }
        let path = entry.path_bytes();
        let name = path.strip_prefix(b"./").unwrap_or(&path);
        let Some(name) = std::str::from_utf8(name).ok().filter(|name| is_control_name(name)) else {
            return Err(DebErrorKind::Malformed("a control file has a name that none may have"));
        };
        let name = name.to_owned();
        let mode = entry.header().mode()? & 0o777;
        let mut content = Vec::new();
        entry.take(CONTROL_BYTES_MAX).read_to_end(&mut content)?;
        files.push(ControlFile { name, mode, content });
    }
    Ok(files)
}

/// Control files become files of dpkg's database: their names hold no folder and nothing that is special.
fn is_control_name(name: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '+');
    !name.is_empty() && name.len() <= 64 && !name.starts_with('.') && name.chars().all(is_plain)
}

impl Member {
    /// Returns the member's bytes, decompressed.
    fn open(&self, file: &mut File, buffer: usize) -> Result<Box<dyn Read + Send>, DebErrorKind> {
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(self.offset))?;
        let source = BufReader::with_capacity(buffer, file.take(self.bytes));
        Ok(self.compression.reader(source)?)
    }
}

#[cfg(test)]
mod tests;
