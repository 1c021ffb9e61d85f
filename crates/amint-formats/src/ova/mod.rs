//! Open virtualisation archives (DMTF DSP0243, "Open Virtualization Format"): a tar archive of a description
//! (`.ovf`), disks, and a manifest of checksums (`.mf`).
//!
//! A disk is read where it lies in the archive. Certificates (`.cert`) are not looked at.

mod description;
mod manifest;
mod tar;

use std::sync::Arc;

use amint_types::{Piece, ReadAt};

use crate::open::OpenOptions;
use crate::{Format, FormatError, open_source};
use description::Description;
use tar::Member;

const FORMAT: Format = Format::Ova;
/// Longest description.
const DESCRIPTION_BYTES_MAX: u64 = 4 << 20;

/// Opens the disk that the options ask for.
pub(crate) fn open(
    archive: &Arc<dyn ReadAt>,
    options: &OpenOptions,
    notes: &mut Vec<String>,
) -> Result<Arc<dyn ReadAt>, FormatError> {
    let members = tar::members(&**archive)?;
    let described = members
        .iter()
        .find(|member| has_ending(&member.name, "ovf"))
        .ok_or_else(|| FORMAT.damaged("the tar archive has no description (`.ovf`)"))?;
    let text = described.read(&**archive, "the description", DESCRIPTION_BYTES_MAX)?;
    let description = Description::parse(&String::from_utf8_lossy(&text))?;
    if options.verify_manifest {
        manifest::verify(&**archive, &members)?;
        notes.push("all files of the archive match its manifest".to_owned());
    }
    let count = description.disks.len();
    let disk = description.disks.get(options.disk_index);
    let disk = disk.ok_or(FormatError::NoDisk { index: options.disk_index, count })?;
    if disk.is_chunked {
        return Err(FORMAT.unsupported(format!("the disk `{}` in chunks", disk.file)));
    }
    if let Some(compression) = disk.compression.as_deref().filter(|name| !matches!(*name, "" | "identity")) {
        return Err(FORMAT.unsupported(format!("the disk `{}` compressed with {compression}", disk.file)));
    }
    let member = members
        .iter()
        .find(|member| member.name == disk.file)
        .ok_or_else(|| FORMAT.damaged(format!("the archive lacks the disk `{}`", disk.file)))?;
    if count > 1 {
        notes.push(format!(
            "the archive has {count} disks; this is disk {}, `{}`",
            options.disk_index, disk.file
        ));
    }
    let inside: Arc<dyn ReadAt> = Arc::new(Piece::new(Arc::clone(archive), member.offset, member.bytes));
    let opened = match crate::detect(&*inside) {
        // An archive in an archive in an archive would be opened to any depth.
        Ok(Format::Ova) => Err(FORMAT.unsupported("an archive as disk")),
        Ok(_) => open_source(inside, options),
        Err(error) => Err(error),
    };
    let opened = opened.map_err(|error| error.part(&disk.file))?;
    if opened.format != Format::Vmdk {
        notes.push(format!("the disk in the archive is {}", opened.format));
    }
    notes.extend(opened.notes);
    Ok(opened.disk)
}

/// Tells whether a name ends in a dot and `ending`, in any case.
fn has_ending(name: &str, ending: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, found)| found.eq_ignore_ascii_case(ending))
}

impl Member {
    /// Reads the whole member.
    fn read(&self, archive: &dyn ReadAt, what: &'static str, bytes_max: u64) -> Result<Vec<u8>, FormatError> {
        let (offset, bytes) = (self.offset, self.bytes);
        if bytes > bytes_max {
            return Err(FORMAT.limit(format!("`{}` of {bytes} bytes, more than {bytes_max}", self.name)));
        }
        crate::bytes::Part { format: FORMAT, what, offset, bytes }.read(archive)
    }
}
