//! Opening whatever is named.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use amint_formats::{OpenOptions, Opened};
use amint_types::{BlockSource, ReadAt};
use amint_volumes::Division;

use super::{Ids, InspectError, Part};
use crate::source::{HostFolder, TarFs};

/// How an image is opened.
#[derive(Clone, Debug, Default)]
pub struct ImageOptions {
    /// Files that a qcow2 image may name as its backing file; others are refused.
    pub backing_files: Vec<PathBuf>,
    /// Which disk of an OVA is meant, from 0.
    pub disk_index: usize,
}

/// An opened image.
pub struct Image {
    /// Its form: `raw`, `qcow2`, `directory`, `tar`, `store`.
    pub format: String,
    /// Size of the disk, where it is one.
    pub disk_bytes: Option<u64>,
    /// Its parts, in the order of the disk, logical volumes last.
    pub parts: Vec<Part>,
    /// What a person should know of the image as a whole.
    pub notes: Vec<String>,
    /// What is in no part; none for what is no disk.
    pub(crate) unassigned: Option<Unassigned>,
}

/// What of a disk is in no part.
pub(crate) struct Unassigned {
    /// The disk.
    pub(crate) disk: Arc<dyn ReadAt>,
    /// The ranges of it, in order.
    pub(crate) ranges: Vec<Range<u64>>,
}

impl Image {
    /// Opens a file, a block device or a folder of this host.
    ///
    /// # Errors
    /// [`InspectError`] says what it is that cannot be read.
    pub fn open(path: &Path, options: &ImageOptions) -> Result<Self, InspectError> {
        let failed = |source| InspectError::Open { path: path.to_owned(), source };
        let metadata = std::fs::metadata(path).map_err(failed)?;
        if metadata.is_dir() {
            let folder = Arc::new(HostFolder::open(path).map_err(failed)?);
            let mut part = Part::of_files("directory", folder.clone());
            part.folder = Some(folder);
            return Ok(Self::of_part("directory", None, part));
        }
        let is_device = std::os::unix::fs::FileTypeExt::is_block_device(&metadata.file_type());
        if !metadata.is_file() && !is_device {
            return Err(InspectError::NotAnImage { path: path.to_owned() });
        }
        let settings = OpenOptions {
            backing_files: options.backing_files.clone(),
            disk_index: options.disk_index,
            ..OpenOptions::default()
        };
        if let Some(archive) = open_archive(path).map_err(failed)? {
            let bytes = metadata.len();
            let archive = Arc::new(TarFs::open(archive).map_err(InspectError::Archive)?);
            return Ok(Self::of_part("tar", Some(bytes), Part::of_files("archive", archive)));
        }
        let Opened { format, disk, notes, .. } = amint_formats::open(path, &settings)?;
        if disk.size_bytes() == 0 {
            return Err(InspectError::Empty { what: "a disk without content".to_owned() });
        }
        Self::of_disk(disk, format.as_str(), notes)
    }

    /// Opens a disk that is read in blocks, such as an image of the store.
    ///
    /// # Errors
    /// [`InspectError`] says what it is that cannot be read.
    pub fn of_blocks(blocks: Arc<dyn BlockSource>, format: &str) -> Result<Self, InspectError> {
        let disk = Arc::new(amint_formats::CachedBlocks::new(blocks, amint_formats::CacheOptions::default()));
        Self::of_disk(disk, format, Vec::new())
    }

    fn of_part(format: &str, disk_bytes: Option<u64>, part: Part) -> Self {
        Self { format: format.to_owned(), disk_bytes, parts: vec![part], notes: Vec::new(), unassigned: None }
    }

    fn of_disk(disk: Arc<dyn ReadAt>, format: &str, mut notes: Vec<String>) -> Result<Self, InspectError> {
        let disk_bytes = disk.size_bytes();
        let Division { parts: found, logical_volumes, mut gaps, unallocated, notes: told, .. } =
            amint_volumes::divide(disk.clone())?;
        gaps.extend(unallocated);
        gaps.sort_by_key(|gap| gap.start);
        notes.extend(told);
        let mut parts = Vec::with_capacity(found.len() + logical_volumes.len());
        for part in found {
            let label = match (part.number, part.name.is_empty()) {
                (None, _) => "whole disk".to_owned(),
                (Some(number), true) => number.to_string(),
                (Some(number), false) => format!("{number} ({})", part.name),
            };
            let ids = Ids {
                number: part.number,
                part_uuid: part.uuid,
                part_label: part.name,
                type_id: part.type_id,
                volume: None,
            };
            parts.push(Part::open(label, &part.content, ids, part.source));
        }
        for volume in logical_volumes {
            let label = format!("{}/{}", volume.group, volume.name);
            let ids = Ids { volume: Some((volume.group, volume.name)), ..Ids::default() };
            parts.push(match volume.source {
                Ok(source) => Part::open(label, &volume.content, ids, source),
                Err(why) => Part::unread(label, ids, why),
            });
        }
        if parts.is_empty() {
            return Err(InspectError::Empty { what: "a disk without partitions".to_owned() });
        }
        Ok(Self {
            format: format.to_owned(),
            disk_bytes: Some(disk_bytes),
            parts,
            notes,
            unassigned: Some(Unassigned { disk, ranges: gaps }),
        })
    }
}

/// Opens a tar archive that is no OVA: a root file system. None for whatever is something else.
fn open_archive(path: &Path) -> io::Result<Option<Arc<dyn ReadAt>>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let source = HostSource { file, bytes };
    let is_archive = TarFs::probe(&source) && !TarFs::has_description(&source);
    Ok(is_archive.then(|| Arc::new(source) as Arc<dyn ReadAt>))
}

/// A file of this host.
struct HostSource {
    file: File,
    bytes: u64,
}

impl ReadAt for HostSource {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }
}
