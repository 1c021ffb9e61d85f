//! From a disk to its parts.

use std::sync::Arc;

use amint_types::{Piece, ReadAt};

use crate::content::{detect, detect_or_note};
use crate::division::RawPart;
use crate::gaps::{merge, uncovered};
use crate::mbr::{Mbr, TABLE_BYTES};
use crate::{Content, Division, LogicalVolume, Part, Table, VolumeError, gpt, lvm};

/// GPT type of the partition where GRUB keeps itself on a PC without UEFI.
const BIOS_BOOT: &str = "21686148-6449-6e6f-744e-656564454649";
/// GPT type of the partition that starts a POWER machine.
const PREP: &str = "9e1a2d38-c612-4316-aa26-8b49521e5a8b";
/// MBR type of the same.
const PREP_MBR: &str = "41";
/// Notes that one disk may have; a table of nonsense would have thousands.
const NOTES_MAX: usize = 100;

/// Divides a disk: reads its partition table, looks at what lies in each part, and opens LVM2 volumes.
///
/// # Errors
/// Fails when the table cannot be read, and when a GPT is there and neither copy of it can be trusted. What is wrong with
/// one part is a note, and that part's content is [`Content::Unknown`].
#[expect(clippy::needless_pass_by_value, reason = "the parts keep the disk")]
pub fn divide(disk: Arc<dyn ReadAt>) -> Result<Division, VolumeError> {
    let layout = read_layout(&disk)?;
    let mut notes = layout.notes;
    if layout.table != Table::None {
        note_misplaced(&layout.parts, disk.size_bytes(), &mut notes);
    }
    let gaps = uncovered(0..disk.size_bytes(), layout.parts.iter().map(RawPart::range));
    let is_whole = layout.table == Table::None;
    let parts: Vec<Part> =
        layout.parts.into_iter().map(|part| open_part(&disk, part, is_whole, &mut notes)).collect();
    let lvm::Groups { volumes, unallocated } = lvm::open(&parts, &mut notes);
    let logical_volumes = volumes.into_iter().map(|volume| open_volume(volume, &mut notes)).collect();
    if notes.len() > NOTES_MAX {
        let more = notes.len() - NOTES_MAX;
        notes.truncate(NOTES_MAX);
        notes.push(format!("{more} more notes were left out"));
    }
    Ok(Division {
        table: layout.table,
        sector_bytes: layout.sector_bytes,
        parts,
        gaps,
        logical_volumes,
        unallocated: merge(unallocated),
        notes,
    })
}

/// What the table says.
struct Layout {
    table: Table,
    sector_bytes: u64,
    parts: Vec<RawPart>,
    notes: Vec<String>,
}

fn read_layout(disk: &Arc<dyn ReadAt>) -> Result<Layout, VolumeError> {
    let mut sector = vec![0; TABLE_BYTES];
    if disk.size_bytes() < TABLE_BYTES as u64 {
        return Ok(whole_disk(disk, Vec::new()));
    }
    disk.read_exact_at(0, &mut sector)?;
    let mbr = Mbr::parse(&sector);
    let is_protective = mbr.is_some_and(|mbr| mbr.is_protective() && mbr.is_plausible(disk.size_bytes()));
    let has_gpt = gpt::has_primary_signature(disk.as_ref())?;
    let has_plain_table = mbr.is_some_and(|mbr| !is_protective && mbr.is_plausible(disk.size_bytes()));
    if is_protective || (has_gpt && !has_plain_table) {
        return gpt_layout(disk, mbr, is_protective);
    }
    let content = detect(disk.as_ref()).unwrap_or(Content::Unknown);
    let is_known = !matches!(content, Content::Unknown | Content::Empty);
    let Some(mbr) = mbr.filter(|mbr| mbr.is_plausible(disk.size_bytes()) || (mbr.is_empty() && !is_known))
    else {
        return Ok(whole_disk(disk, Vec::new()));
    };
    let mut layout = mbr_layout(disk, mbr);
    if has_gpt {
        layout.notes.push("an older GPT lies behind the partition table; it was not used".to_owned());
    }
    if is_known {
        layout
            .notes
            .push(format!("the whole disk also looks like {}; the partition table was used", content.name()));
    }
    Ok(layout)
}

fn whole_disk(disk: &Arc<dyn ReadAt>, notes: Vec<String>) -> Layout {
    let whole = RawPart {
        number: 0,
        name: String::new(),
        type_id: String::new(),
        uuid: String::new(),
        start_bytes: 0,
        bytes: disk.size_bytes(),
    };
    Layout { table: Table::None, sector_bytes: 512, parts: vec![whole], notes }
}

fn gpt_layout(disk: &Arc<dyn ReadAt>, mbr: Option<Mbr>, is_protective: bool) -> Result<Layout, VolumeError> {
    let gpt = match gpt::read(disk.as_ref()) {
        Ok(gpt) => gpt,
        // Without the entry that guards it, a damaged GPT is as good as none if something else is there.
        Err(VolumeError::DamagedTable { what })
            if !is_protective
                && !matches!(detect(disk.as_ref()), Err(_) | Ok(Content::Unknown | Content::Empty)) =>
        {
            return Ok(whole_disk(disk, vec![format!("remains of a GPT were passed over: {what}")]));
        }
        Err(error) => return Err(error),
    };
    let mut notes = gpt.notes;
    if !is_protective {
        notes.push("the MBR that guards the GPT is missing".to_owned());
    }
    if mbr.is_some_and(|mbr| mbr.is_hybrid()) {
        notes.push("the MBR has partitions beside the GPT (hybrid); the GPT was used".to_owned());
    }
    Ok(Layout { table: Table::Gpt, sector_bytes: gpt.sector_bytes, parts: gpt.parts, notes })
}

/// Reads an MBR, whose unit is not written anywhere: 512 bytes, unless only 4096 leads to something known.
fn mbr_layout(disk: &Arc<dyn ReadAt>, mbr: Mbr) -> Layout {
    let [small, large] = gpt::SECTOR_BYTES;
    let leads_to_known = |parts: &[RawPart]| {
        parts.iter().any(|part| {
            let piece = Piece::new(Arc::clone(disk), part.start_bytes, part.bytes);
            detect(&piece).is_ok_and(|content| !matches!(content, Content::Unknown | Content::Empty))
        })
    };
    let fits = |parts: &[RawPart]| parts.iter().all(|part| part.range().end <= disk.size_bytes());
    let (parts, notes) = mbr.parts(disk.as_ref(), small);
    if !leads_to_known(&parts) {
        let (large_parts, large_notes) = mbr.parts(disk.as_ref(), large);
        if fits(&large_parts) && leads_to_known(&large_parts) {
            return Layout { table: Table::Mbr, sector_bytes: large, parts: large_parts, notes: large_notes };
        }
    }
    Layout { table: Table::Mbr, sector_bytes: small, parts, notes }
}

/// Notes partitions that overlap or leave the disk.
fn note_misplaced(parts: &[RawPart], disk_bytes: u64, notes: &mut Vec<String>) {
    let mut sorted: Vec<&RawPart> = parts.iter().collect();
    sorted.sort_by_key(|part| (part.start_bytes, part.number));
    let mut widest: Option<&RawPart> = None;
    for part in sorted {
        if let Some(before) = widest.filter(|before| before.range().end > part.start_bytes) {
            notes.push(format!("partitions {} and {} overlap", before.number, part.number));
        }
        if part.range().end > disk_bytes {
            notes.push(format!("partition {} ends behind the end of the disk", part.number));
        }
        if widest.is_none_or(|before| before.range().end < part.range().end) {
            widest = Some(part);
        }
    }
}

fn open_part(disk: &Arc<dyn ReadAt>, part: RawPart, is_whole: bool, notes: &mut Vec<String>) -> Part {
    let source: Arc<dyn ReadAt> = if is_whole {
        Arc::clone(disk)
    } else {
        Arc::new(Piece::new(Arc::clone(disk), part.start_bytes, part.bytes))
    };
    let label = if is_whole { "whole disk".to_owned() } else { format!("partition {}", part.number) };
    let found = detect_or_note(source.as_ref(), &label, notes);
    let content = match (found, part.type_id.as_str()) {
        (Content::Unknown | Content::Empty, BIOS_BOOT) => Content::BiosBoot,
        (Content::Unknown | Content::Empty, PREP | PREP_MBR) => Content::Prep,
        (found, _) => found,
    };
    Part {
        number: (!is_whole).then_some(part.number),
        name: part.name,
        type_id: part.type_id,
        uuid: part.uuid,
        start_bytes: part.start_bytes,
        bytes: part.bytes,
        content,
        source,
    }
}

fn open_volume(mut volume: LogicalVolume, notes: &mut Vec<String>) -> LogicalVolume {
    if let Ok(source) = &volume.source {
        let label = format!("{}/{}", volume.group, volume.name);
        volume.content = detect_or_note(source.as_ref(), &label, notes);
    }
    volume
}
