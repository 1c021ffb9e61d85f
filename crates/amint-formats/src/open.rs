//! Opening an image of any format.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use amint_types::ReadAt;

use crate::file::FileSource;
use crate::{Format, FormatError, detect, ova, qcow2, vdi, vhd, vhdx, vmdk};

/// Backing files behind each other that are opened at most.
const BACKING_DEPTH_MAX: usize = 8;

/// How to open an image.
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    /// Backing files that a qcow2 may refer to: as the image names them, or by any path to the same file. Others are
    /// refused, since an image that came from elsewhere could otherwise have any file of this machine read.
    pub backing_files: Vec<PathBuf>,
    /// Whether all files of an OVA are compared with its manifest, which reads them whole.
    pub verify_manifest: bool,
    /// Which disk of an OVA is taken, from 0, in the order of its description.
    pub disk_index: usize,
}

/// An open image.
#[derive(Clone)]
#[non_exhaustive]
pub struct Opened {
    /// What it is.
    pub format: Format,
    /// The disk inside.
    pub disk: Arc<dyn ReadAt>,
    /// What the user should know about it, as lower-case fragments: an unclean shutdown, ignored snapshots.
    pub notes: Vec<String>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Opened")
            .field("format", &self.format)
            .field("disk_bytes", &self.disk.size_bytes())
            .field("notes", &self.notes)
            .finish()
    }
}

/// What an image may lead to.
#[derive(Clone, Debug)]
pub(crate) struct Surroundings<'a> {
    pub(crate) options: &'a OpenOptions,
    /// The folder of the image; none when it lies inside another file.
    pub(crate) folder: Option<PathBuf>,
    /// The files that led here, this one last.
    chain: Vec<(u64, u64)>,
}

/// Opens the image at `path`: a file of any format, or a block device.
///
/// # Errors
/// Fails when the file cannot be read, when it is damaged, uses what amint cannot read, or refers to other files that
/// were not allowed.
pub fn open(path: &Path, options: &OpenOptions) -> Result<Opened, FormatError> {
    let surroundings = Surroundings { options, folder: None, chain: Vec::new() };
    surroundings.open(path, "", None)
}

/// Opens an image that lies inside something else; it may not refer to other files.
///
/// # Errors
/// Fails as [`open`] does.
pub fn open_source(source: Arc<dyn ReadAt>, options: &OpenOptions) -> Result<Opened, FormatError> {
    let format = detect(&*source)?;
    open_as(format, source, &Surroundings { options, folder: None, chain: Vec::new() })
}

impl Surroundings<'_> {
    /// Opens a file that is `named` so by the last of the chain.
    fn open(&self, path: &Path, named: &str, format: Option<Format>) -> Result<Opened, FormatError> {
        let source = FileSource::open(path)?;
        let identity = source.identity();
        let refuse = |what| FormatError::BackingChain { name: named.to_owned(), what };
        if self.chain.contains(&identity) {
            return Err(refuse("leads back to itself"));
        }
        if self.chain.len() > BACKING_DEPTH_MAX {
            return Err(refuse("is the ninth behind each other; amint follows eight"));
        }
        let mut chain = self.chain.clone();
        chain.push(identity);
        // The folder of the real file: names in an image that is reached through a link mean what lies beside it.
        let real = std::fs::canonicalize(path)
            .map_err(|source| FormatError::Open { path: path.to_owned(), source })?;
        let folder = real.parent().map(Path::to_owned);
        let format = match format {
            Some(format) => format,
            None => detect(&source)?,
        };
        open_as(format, Arc::new(source), &Surroundings { options: self.options, folder, chain })
    }

    /// Opens the backing file that an image names, if it is allowed.
    pub(crate) fn open_backing(&self, name: &str, format: Option<Format>) -> Result<Opened, FormatError> {
        let refused = || FormatError::Backing { format: Format::Qcow2, name: name.to_owned() };
        let folder = self.folder.as_ref().ok_or_else(refused)?;
        let plain = name.strip_prefix("file:").unwrap_or(name);
        let path = folder.join(plain);
        let is_allowed = self.options.backing_files.iter().any(|allowed| {
            allowed == Path::new(plain)
                || matches!((allowed.canonicalize(), path.canonicalize()), (Ok(one), Ok(other)) if one == other)
        });
        if !is_allowed {
            return Err(refused());
        }
        self.open(&path, name, format).map_err(|error| match error {
            error @ (FormatError::BackingChain { .. } | FormatError::Backing { .. }) => error,
            error => error.part(name),
        })
    }
}

fn open_as(
    format: Format,
    source: Arc<dyn ReadAt>,
    surroundings: &Surroundings<'_>,
) -> Result<Opened, FormatError> {
    let mut notes = Vec::new();
    let disk = match format {
        Format::Raw => {
            if !source.size_bytes().is_multiple_of(512) {
                notes.push(format!(
                    "the raw disk has {} bytes, which is no whole number of 512-byte sectors",
                    source.size_bytes()
                ));
            }
            source
        }
        Format::Qcow2 => qcow2::open(source, surroundings, &mut notes)?,
        Format::Vmdk => vmdk::open(source, surroundings, &mut notes)?,
        Format::Vhd => vhd::open(source, &mut notes)?,
        Format::Vhdx => vhdx::open(source, &mut notes)?,
        Format::Vdi => vdi::open(source)?,
        Format::Ova => ova::open(&source, surroundings.options, &mut notes)?,
    };
    Ok(Opened { format, disk, notes })
}
