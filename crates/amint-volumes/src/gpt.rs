//! The table of UEFI (UEFI specification 2.10, section 5.3).

use amint_types::ReadAt;
use uuid::Uuid;

use crate::VolumeError;
use crate::bytes::{array, has, le_u32, le_u64};
use crate::division::RawPart;

/// `EFI PART`.
const SIGNATURE: &[u8] = b"EFI PART";
/// Sector sizes in which a table may count.
pub(crate) const SECTOR_BYTES: [u64; 2] = [512, 4096];
/// Bytes of a header without padding.
const HEADER_BYTES_MIN: usize = 92;
/// Bytes of an entry without padding.
const ENTRY_BYTES_MIN: u32 = 128;
const ENTRY_BYTES_MAX: u32 = 4096;
/// Entries that a table may have; Linux itself knows no more than 256 partitions on a disk.
const ENTRIES_MAX: u32 = 1024;
/// Where in a header its own checksum stands.
const CHECKSUM_AT: usize = 16;

/// A GPT that was found and checked.
#[derive(Clone, Debug)]
pub(crate) struct Gpt {
    pub(crate) sector_bytes: u64,
    pub(crate) parts: Vec<RawPart>,
    pub(crate) notes: Vec<String>,
}

/// One copy of the table, its checksums verified.
#[derive(Clone, Debug)]
struct Copy {
    alternate_sector: u64,
    disk_id: [u8; 16],
    entries_checksum: u32,
    parts: Vec<RawPart>,
    notes: Vec<String>,
}

/// Tells whether a header's signature stands where a primary table has it.
pub(crate) fn has_primary_signature(disk: &dyn ReadAt) -> Result<bool, VolumeError> {
    for sector_bytes in SECTOR_BYTES {
        if read_sector(disk, sector_bytes, 1)?.is_some_and(|sector| has(&sector, 0, SIGNATURE)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reads the table, from its backup if need be.
///
/// # Errors
/// [`VolumeError::DamagedTable`] when neither copy can be trusted.
pub(crate) fn read(disk: &dyn ReadAt) -> Result<Gpt, VolumeError> {
    let mut problem = "the header is missing".to_owned();
    for sector_bytes in SECTOR_BYTES {
        match read_copy(disk, sector_bytes, 1)? {
            Ok(copy) => return with_backup(disk, sector_bytes, copy),
            Err(CopyProblem::Absent) => {}
            Err(CopyProblem::Bad(what)) => problem = what,
        }
    }
    let mut backup_problem = "the backup's header is missing".to_owned();
    for sector_bytes in SECTOR_BYTES {
        let Some(last) = (disk.size_bytes() / sector_bytes).checked_sub(1) else { continue };
        match read_copy(disk, sector_bytes, last)? {
            Ok(copy) => {
                let mut notes = vec![format!(
                    "the first partition table is damaged ({problem}); its backup at the end was used"
                )];
                notes.extend(copy.notes);
                return Ok(Gpt { sector_bytes, parts: copy.parts, notes });
            }
            Err(CopyProblem::Absent) => {}
            Err(CopyProblem::Bad(what)) => backup_problem = what,
        }
    }
    Err(VolumeError::DamagedTable { what: format!("{problem}; in the backup: {backup_problem}") })
}

/// Compares a good primary table with its backup.
fn with_backup(disk: &dyn ReadAt, sector_bytes: u64, copy: Copy) -> Result<Gpt, VolumeError> {
    let mut notes = copy.notes;
    let last = (disk.size_bytes() / sector_bytes).saturating_sub(1);
    match read_copy(disk, sector_bytes, copy.alternate_sector)? {
        Ok(backup) if (backup.disk_id, backup.entries_checksum) != (copy.disk_id, copy.entries_checksum) => {
            notes.push(
                "the backup of the partition table differs from the table; the table was used".to_owned(),
            );
        }
        Ok(_) if copy.alternate_sector != last => {
            notes.push("the backup of the partition table is not at the end of the disk".to_owned());
        }
        Ok(_) => {}
        Err(CopyProblem::Absent) => notes.push("the partition table has no backup".to_owned()),
        Err(CopyProblem::Bad(what)) => {
            notes.push(format!("the backup of the partition table is damaged: {what}"));
        }
    }
    Ok(Gpt { sector_bytes, parts: copy.parts, notes })
}

/// Why a copy cannot be used.
enum CopyProblem {
    /// There is no header.
    Absent,
    /// There is one, and it cannot be trusted.
    Bad(String),
}

/// Reads one sector, none beyond the end of the disk.
fn read_sector(disk: &dyn ReadAt, sector_bytes: u64, sector: u64) -> Result<Option<Vec<u8>>, VolumeError> {
    let range = sector.checked_mul(sector_bytes).and_then(|at| Some((at, at.checked_add(sector_bytes)?)));
    let Some((at, _)) = range.filter(|(_, end)| *end <= disk.size_bytes()) else { return Ok(None) };
    let mut buffer = vec![0; usize::try_from(sector_bytes).unwrap_or_default()];
    disk.read_exact_at(at, &mut buffer)?;
    Ok(Some(buffer))
}

/// Reads and checks the copy whose header is in `sector`.
fn read_copy(
    disk: &dyn ReadAt,
    sector_bytes: u64,
    sector: u64,
) -> Result<Result<Copy, CopyProblem>, VolumeError> {
    let Some(header) = read_sector(disk, sector_bytes, sector)? else { return Ok(Err(CopyProblem::Absent)) };
    if !has(&header, 0, SIGNATURE) {
        return Ok(Err(CopyProblem::Absent));
    }
    let fields = match Header::parse(&header, sector) {
        Ok(fields) => fields,
        Err(what) => return Ok(Err(CopyProblem::Bad(what.to_owned()))),
    };
    let entries_bytes = u64::from(fields.entry_count) * u64::from(fields.entry_bytes);
    let start = fields.entries_sector.checked_mul(sector_bytes);
    let is_inside =
        |start: &u64| start.checked_add(entries_bytes).is_some_and(|end| end <= disk.size_bytes());
    let (Some(start), Ok(length)) = (start.filter(is_inside), usize::try_from(entries_bytes)) else {
        return Ok(Err(CopyProblem::Bad("the entries lie outside of the disk".to_owned())));
    };
    let mut entries = vec![0; length];
    disk.read_exact_at(start, &mut entries)?;
    if crc32fast::hash(&entries) != fields.entries_checksum {
        return Ok(Err(CopyProblem::Bad("the checksum of the entries is wrong".to_owned())));
    }
    let mut copy = Copy {
        alternate_sector: fields.alternate_sector,
        disk_id: fields.disk_id,
        entries_checksum: fields.entries_checksum,
        parts: Vec::new(),
        notes: Vec::new(),
    };
    let entry_bytes = usize::try_from(fields.entry_bytes).unwrap_or(usize::MAX);
    for (number, entry) in (1..).zip(entries.chunks_exact(entry_bytes)) {
        add_entry(&mut copy, number, entry, sector_bytes);
    }
    Ok(Ok(copy))
}

/// The fields of a header that matter.
struct Header {
    alternate_sector: u64,
    disk_id: [u8; 16],
    entries_sector: u64,
    entry_count: u32,
    entry_bytes: u32,
    entries_checksum: u32,
}

impl Header {
    /// Checks a header that stands in `sector`.
    fn parse(bytes: &[u8], sector: u64) -> Result<Self, &'static str> {
        const SHORT: &str = "the header is cut off";
        let header_bytes = usize::try_from(le_u32(bytes, 12).ok_or(SHORT)?).map_err(|_| SHORT)?;
        if header_bytes < HEADER_BYTES_MIN {
            return Err("the header's size is wrong");
        }
        let mut covered = bytes.get(..header_bytes).ok_or("the header's size is wrong")?.to_vec();
        if let Some(field) = covered.get_mut(CHECKSUM_AT..CHECKSUM_AT + 4) {
            field.fill(0);
        }
        if crc32fast::hash(&covered) != le_u32(bytes, CHECKSUM_AT).ok_or(SHORT)? {
            return Err("the checksum of the header is wrong");
        }
        if le_u64(bytes, 24).ok_or(SHORT)? != sector {
            return Err("the header names another place than its own");
        }
        let header = Self {
            alternate_sector: le_u64(bytes, 32).ok_or(SHORT)?,
            disk_id: array(bytes, 56).ok_or(SHORT)?,
            entries_sector: le_u64(bytes, 72).ok_or(SHORT)?,
            entry_count: le_u32(bytes, 80).ok_or(SHORT)?,
            entry_bytes: le_u32(bytes, 84).ok_or(SHORT)?,
            entries_checksum: le_u32(bytes, 88).ok_or(SHORT)?,
        };
        if !(ENTRY_BYTES_MIN..=ENTRY_BYTES_MAX).contains(&header.entry_bytes)
            || !header.entry_bytes.is_power_of_two()
        {
            return Err("the size of its entries is wrong");
        }
        if header.entry_count > ENTRIES_MAX {
            return Err("it has more than 1024 entries");
        }
        Ok(header)
    }
}

/// Adds the partition of an entry, if it has one.
fn add_entry(copy: &mut Copy, number: u32, entry: &[u8], sector_bytes: u64) {
    let fields = || Some((array(entry, 0)?, array(entry, 16)?, le_u64(entry, 32)?, le_u64(entry, 40)?));
    let Some((type_id, id, first, last)) = fields() else { return };
    if type_id == [0; 16] {
        return;
    }
    let range = || {
        let count = last.checked_add(1)?.checked_sub(first).filter(|count| *count > 0)?;
        let (start, bytes) = (first.checked_mul(sector_bytes)?, count.checked_mul(sector_bytes)?);
        start.checked_add(bytes).map(|_| (start, bytes))
    };
    let Some((start_bytes, bytes)) = range() else {
        copy.notes.push(format!("partition {number} ends before it begins and was left out"));
        return;
    };
    let units: Vec<u16> = entry
        .get(56..128)
        .unwrap_or_default()
        .chunks_exact(2)
        .filter_map(|unit| array(unit, 0).map(u16::from_le_bytes))
        .take_while(|unit| *unit != 0)
        .collect();
    copy.parts.push(RawPart {
        number,
        name: String::from_utf16_lossy(&units),
        // On the disk the first three fields are little-endian (UEFI specification, appendix A).
        type_id: Uuid::from_bytes_le(type_id).to_string(),
        uuid: Uuid::from_bytes_le(id).to_string(),
        start_bytes,
        bytes,
    });
}
