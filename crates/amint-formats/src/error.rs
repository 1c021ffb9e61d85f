//! What can go wrong with disk images.

use std::io;
use std::path::PathBuf;

use amint_types::Hint;

use crate::Format;

/// A disk image could not be opened, or contradicts itself.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The file cannot be opened.
    #[error("failed to open `{path}`")]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The path names a folder, a socket or the like.
    #[error("`{path}` is neither a file nor a block device")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// There is not one byte.
    #[error("the image is empty")]
    Empty,
    /// Reading failed.
    #[error("failed to read {what} at byte {offset}")]
    Read {
        /// What was read.
        what: &'static str,
        /// Where in the file.
        offset: u64,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The content is compressed as a whole.
    #[error("the image is compressed with {0}")]
    Compressed(&'static str),
    /// The image uses something that the reader does not know; whatever it said would be a guess.
    #[error("the {format} image uses {feature}, which amint cannot read")]
    Unsupported {
        /// Which format.
        format: Format,
        /// What it uses.
        feature: String,
    },
    /// The image contradicts itself, or is cut off.
    #[error("the {format} image is damaged: {what}")]
    Damaged {
        /// Which format.
        format: Format,
        /// What does not fit, and where.
        what: String,
    },
    /// A limit of the reader was met: more than any honest image has.
    #[error("the {format} image has {what}")]
    Limit {
        /// Which format.
        format: Format,
        /// What went over which limit.
        what: String,
    },
    /// The image is the difference to another file, which the caller did not name.
    #[error("the {format} image refers to the backing file `{name}`, which was not allowed")]
    Backing {
        /// Which format.
        format: Format,
        /// The other file, as the image names it.
        name: String,
    },
    /// A chain of backing files leads back to itself, or is too long.
    #[error("the backing file `{name}` {what}")]
    BackingChain {
        /// The file at which the chain was given up.
        name: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// A disk of several files names one that may not be opened: outside its folder, or the image has no folder.
    #[error("the {format} image refers to the file `{name}`, {why}")]
    Reference {
        /// Which format.
        format: Format,
        /// The other file, as the image names it.
        name: String,
        /// Why it is not opened.
        why: &'static str,
    },
    /// A file that the image refers to cannot be used.
    #[error("failed to use `{name}`, to which the image refers")]
    Part {
        /// The other file, as the image names it.
        name: String,
        /// Why.
        #[source]
        source: Box<FormatError>,
    },
    /// The archive has no disk of the number that was asked for.
    #[error("the archive has no disk {index}: it has {count}")]
    NoDisk {
        /// The number, from 0.
        index: usize,
        /// How many disks there are.
        count: usize,
    },
    /// A file of the archive differs from its manifest, or the manifest cannot be used.
    #[error("the manifest of the archive does not hold: {what}")]
    Manifest {
        /// What does not hold.
        what: String,
    },
}

impl FormatError {
    pub(crate) fn part(self, name: &str) -> Self {
        Self::Part { name: name.to_owned(), source: Box::new(self) }
    }
}

impl From<FormatError> for io::Error {
    fn from(error: FormatError) -> Self {
        let kind = match &error {
            FormatError::Read { source, .. } | FormatError::Open { source, .. } => source.kind(),
            FormatError::Unsupported { .. } => io::ErrorKind::Unsupported,
            _ => io::ErrorKind::InvalidData,
        };
        Self::new(kind, error)
    }
}

impl Hint for FormatError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Open { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                "read permission is needed; a block device usually needs root"
            }
            Self::Empty => "the file may be the remains of a failed download; fetch or make it again",
            Self::Compressed(with) => return Some(decompress_hint(with)),
            Self::Damaged { .. } => {
                "the file may be cut off or broken; compare its checksum and fetch or make it again"
            }
            Self::Manifest { .. } => "fetch the archive again, or check who changed it",
            Self::Unsupported {
                format: Format::Vmdk | Format::Vhd | Format::Vhdx | Format::Qcow2 | Format::Vdi,
                ..
            } => "convert it with a tool that knows it: qemu-img convert -O raw IMAGE disk.raw",
            Self::Backing { name, .. } => {
                return Some(format!(
                    "allow `{name}` by name if you trust it, or flatten the image: qemu-img convert -O qcow2 IMAGE flat.qcow2"
                ));
            }
            Self::BackingChain { .. } => "flatten the image: qemu-img convert -O qcow2 IMAGE flat.qcow2",
            Self::Reference { .. } => {
                "put all files of the disk into one folder and open its descriptor there, or convert it to one file"
            }
            Self::NoDisk { count, .. } if *count > 0 => {
                return Some(format!("ask for a disk from 0 to {}", count - 1));
            }
            Self::Part { source, .. } => return source.hint(),
            _ => return None,
        };
        Some(text.to_owned())
    }
}

fn decompress_hint(with: &str) -> String {
    match with {
        "gzip" => "decompress it first: gzip -dk IMAGE".to_owned(),
        "xz" => "decompress it first: xz -dk IMAGE".to_owned(),
        "zstd" => "decompress it first: zstd -d IMAGE".to_owned(),
        "bzip2" => "decompress it first: bzip2 -dk IMAGE".to_owned(),
        _ => "unpack it first".to_owned(),
    }
}
