//! What stands at the beginning of a physical volume: the label, and where the text is.

use amint_types::ReadAt;

use crate::bytes::{array, has, le_u32, le_u64};

const SECTOR_BYTES: usize = 512;
/// The label is in one of the first sectors.
const LABEL_SECTORS: u64 = 4;
/// From here on the label's checksum covers its sector.
const LABEL_CHECKED_FROM: usize = 20;
/// What LVM2's checksums begin with; otherwise they are CRC-32 without the final inversion.
const CHECKSUM_START: u32 = 0xf597_a6cf;
/// Mark of an area with text.
const AREA_MAGIC: &[u8] = b" LVM2 x[5A%r0N*>";
/// Areas that one volume may have; LVM2 makes two at most.
const AREAS_MAX: usize = 16;
/// The longest text; LVM2's areas have 1 MiB by default.
const TEXT_BYTES_MAX: u64 = 32 * 1024 * 1024;
/// Flag of a text that shall not be used.
const TEXT_IGNORED: u32 = 1;

/// A physical volume's label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Label {
    /// Its id, with LVM's dashes.
    pub(super) uuid: String,
    /// Where areas with text are: offset and size in bytes.
    areas: Vec<(u64, u64)>,
}

/// Returns LVM2's checksum.
fn checksum(bytes: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(!CHECKSUM_START);
    hasher.update(bytes);
    !hasher.finalize()
}

/// Puts dashes into an id of 32 characters, as LVM's tools do.
pub(super) fn uuid_text(id: &[u8; 32]) -> String {
    let mut text = String::with_capacity(38);
    for (at, byte) in id.iter().enumerate() {
        if matches!(at, 6 | 10 | 14 | 18 | 22 | 26) {
            text.push('-');
        }
        text.push(if byte.is_ascii_graphic() { char::from(*byte) } else { '?' });
    }
    text
}

impl Label {
    /// Reads the label.
    ///
    /// # Errors
    /// Tells what is wrong with it, as a whole clause.
    pub(super) fn read(source: &dyn ReadAt) -> Result<Self, String> {
        let mut problem = "it has no label".to_owned();
        for number in 0..LABEL_SECTORS {
            let mut sector = [0; SECTOR_BYTES];
            let at = number * SECTOR_BYTES as u64;
            source
                .read_exact_at(at, &mut sector)
                .map_err(|error| format!("it could not be read: {error}"))?;
            if !has(&sector, 0, b"LABELONE") || !has(&sector, 24, b"LVM2 001") {
                continue;
            }
            match Self::parse(&sector, number) {
                Ok(label) => return Ok(label),
                Err(what) => what.clone_into(&mut problem),
            }
        }
        Err(problem)
    }

    fn parse(sector: &[u8; SECTOR_BYTES], number: u64) -> Result<Self, &'static str> {
        const SHORT: &str = "its label is cut off";
        let (_, checked) = sector.split_at(LABEL_CHECKED_FROM);
        if le_u64(sector, 8) != Some(number) || le_u32(sector, 16) != Some(checksum(checked)) {
            return Err("the checksum of its label is wrong");
        }
        let header = usize::try_from(le_u32(sector, 20).ok_or(SHORT)?).map_err(|_| SHORT)?;
        let uuid = uuid_text(&array(sector, header).ok_or(SHORT)?);
        // Id, size, then two lists of (offset, size), each ended by zeros: where data is, where text is.
        let mut at = header + 40;
        let mut lists = [Vec::new(), Vec::new()];
        for list in &mut lists {
            loop {
                let (offset, bytes) =
                    (le_u64(sector, at).ok_or(SHORT)?, le_u64(sector, at + 8).ok_or(SHORT)?);
                at += 16;
                if offset == 0 {
                    break;
                }
                list.push((offset, bytes));
            }
        }
        let [_, mut areas] = lists;
        areas.truncate(AREAS_MAX);
        Ok(Self { uuid, areas })
    }

    /// Returns the texts that can be trusted; what is wrong with others goes to `problems`.
    pub(super) fn texts(&self, source: &dyn ReadAt, problems: &mut Vec<String>) -> Vec<Vec<u8>> {
        let mut texts = Vec::new();
        for (offset, bytes) in &self.areas {
            match read_area(source, *offset, *bytes) {
                Ok(Some(text)) => texts.push(text),
                Ok(None) => {}
                Err(what) => problems.push(what),
            }
        }
        texts
    }
}

/// Reads the text of an area: a ring behind a header of one sector.
fn read_area(source: &dyn ReadAt, area: u64, area_bytes: u64) -> Result<Option<Vec<u8>>, String> {
    let failed = |error: std::io::Error| format!("its metadata could not be read: {error}");
    let mut header = [0; SECTOR_BYTES];
    source.read_exact_at(area, &mut header).map_err(failed)?;
    let (_, checked) = header.split_at(4);
    if !has(&header, 4, AREA_MAGIC) || le_u32(&header, 0) != Some(checksum(checked)) {
        return Err("the header of its metadata is damaged".to_owned());
    }
    let fields =
        || Some((le_u64(&header, 40)?, le_u64(&header, 48)?, le_u32(&header, 56)?, le_u32(&header, 60)?));
    let Some((offset, bytes, expected, flags)) = fields() else { return Ok(None) };
    if offset == 0 || flags & TEXT_IGNORED != 0 {
        return Ok(None);
    }
    let ring_start = SECTOR_BYTES as u64;
    let fits = offset >= ring_start && offset < area_bytes && bytes <= area_bytes - ring_start;
    let length = usize::try_from(bytes).ok().filter(|_| fits && bytes <= TEXT_BYTES_MAX);
    let Some(length) = length else { return Err("the place of its metadata makes no sense".to_owned()) };
    // An area that does not lie in the source must not decide how much memory is taken.
    if area.checked_add(area_bytes).is_none_or(|end| end > source.size_bytes()) {
        return Err("its metadata lies outside of it".to_owned());
    }
    let mut text = vec![0; length];
    let until_end = usize::try_from(area_bytes - offset).unwrap_or(usize::MAX).min(length);
    let (first, wrapped) = text.split_at_mut(until_end);
    source.read_exact_at(area + offset, first).map_err(failed)?;
    source.read_exact_at(area + ring_start, wrapped).map_err(failed)?;
    if checksum(&text) != expected {
        return Err("the checksum of its metadata is wrong".to_owned());
    }
    Ok(Some(text))
}
