//! Folders: entries in their order, with long names put together.

use std::ops::ControlFlow;

use amint_fs::{ENTRIES_MAX, FsError};

use crate::boot::{ENTRY_BYTES, KIND};
use crate::entry::{LongPart, ShortEntry, Slot};
use amint_fs::Chunks;
use amint_types::ReadAt;

/// Parts that a long name may have: 255 units in parts of 13.
const PARTS_MAX: u8 = 20;
/// Mark of a long name's last part, which stands first.
const LAST_PART: u8 = 0x40;

/// An entry with its names and its place.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    /// Byte offset of the entry in the file system.
    pub(crate) at: u64,
    pub(crate) name: String,
    pub(crate) entry: ShortEntry,
}

/// What a folder holds.
pub(crate) enum Found {
    Entry(Named),
    Label([u8; 11]),
}

/// A long name being put together.
#[derive(Default)]
struct LongName {
    units: Vec<u16>,
    checksum: u8,
    /// The order that must come next; 0 when the name is whole.
    wanted: u8,
    is_open: bool,
}

impl LongName {
    fn add(&mut self, part: LongPart) {
        let order = part.order & !LAST_PART;
        if part.order & LAST_PART != 0 && (1..=PARTS_MAX).contains(&order) {
            *self = Self { units: Vec::new(), checksum: part.checksum, wanted: order, is_open: true };
        }
        if !self.is_open || order != self.wanted || part.checksum != self.checksum {
            *self = Self::default();
            return;
        }
        self.wanted = order.saturating_sub(1);
        // Parts come last first.
        self.units.splice(0..0, part.units);
    }

    /// Returns the name, if it is whole and belongs to the entry.
    fn take(&mut self, entry: &ShortEntry) -> Option<String> {
        let name = std::mem::take(self);
        let is_whole = name.is_open && name.wanted == 0 && name.checksum == entry.checksum();
        let end = name.units.iter().position(|unit| *unit == 0).unwrap_or(name.units.len());
        let text = String::from_utf16_lossy(name.units.get(..end).unwrap_or_default());
        Some(text).filter(|text| is_whole && is_name(text))
    }
}

/// Tells whether a name is one that a folder may have.
fn is_name(text: &str) -> bool {
    !matches!(text, "" | "." | "..") && !text.contains(['/', '\0'])
}

/// Visits what a folder's runs hold.
pub(crate) fn visit(
    chunks: &Chunks,
    runs: &[std::ops::Range<u64>],
    visit: &mut dyn FnMut(Found) -> ControlFlow<()>,
) -> Result<(), FsError> {
    let mut long = LongName::default();
    let mut count = 0_u64;
    for run in runs {
        let mut at = run.start;
        while at + ENTRY_BYTES <= run.end {
            let mut bytes = [0; 32];
            chunks.read_exact_at(at, &mut bytes)?;
            let found = match Slot::parse(&bytes) {
                Slot::End => return Ok(()),
                Slot::Free => {
                    long = LongName::default();
                    None
                }
                Slot::Long(part) => {
                    long.add(part);
                    None
                }
                Slot::Label(label) => {
                    long = LongName::default();
                    Some(Found::Label(label))
                }
                Slot::Short(entry) if entry.is_dot() => {
                    long = LongName::default();
                    None
                }
                Slot::Short(entry) => {
                    let name = long.take(&entry).unwrap_or_else(|| entry.short_name());
                    if !is_name(&name) {
                        let what = format!("the entry at byte {at} has no proper name");
                        return Err(FsError::Damaged { filesystem: KIND, what });
                    }
                    Some(Found::Entry(Named { at, name, entry }))
                }
            };
            count += u64::from(found.is_some());
            if count > ENTRIES_MAX {
                let what = format!("a folder of more than {ENTRIES_MAX} names");
                return Err(FsError::Limit { filesystem: KIND, what });
            }
            if found.is_some_and(|found| visit(found).is_break()) {
                return Ok(());
            }
            at += ENTRY_BYTES;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::Arc;

    use super::{Found, visit};
    use crate::entry::{ShortEntry, Slot};
    use amint_fs::Chunks;

    const SHORT: [u8; 32] = *b"\xe5LD~1   TXT\x20\x18\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

    fn short(first: u8) -> [u8; 32] {
        let mut bytes = SHORT;
        bytes[0] = first;
        bytes
    }

    fn parts(name: &str, short: [u8; 32]) -> Vec<[u8; 32]> {
        let Slot::Short(entry) = Slot::parse(&short) else { panic!("a short entry") };
        let mut units: Vec<u16> = name.encode_utf16().collect();
        if !units.len().is_multiple_of(13) {
            units.push(0);
        }
        units.resize(units.len().next_multiple_of(13), 0xffff);
        let count = units.len() / 13;
        let part = |(index, units): (usize, &[u16])| {
            let mut bytes = [0; 32];
            bytes[0] = u8::try_from(index + 1).unwrap() | if index + 1 == count { 0x40 } else { 0 };
            bytes[11] = 0x0f;
            bytes[13] = ShortEntry::checksum(&entry);
            let places = (1..11).step_by(2).chain((14..26).step_by(2)).chain((28..32).step_by(2));
            for (unit, at) in units.iter().zip(places) {
                bytes[at..at + 2].copy_from_slice(&unit.to_le_bytes());
            }
            bytes
        };
        units.chunks(13).enumerate().map(part).rev().collect()
    }

    fn names(slots: &[[u8; 32]]) -> Vec<String> {
        let chunks = Chunks::new(Arc::new(slots.concat()));
        let mut names = Vec::new();
        let all = std::iter::once(0..slots.len() as u64 * 32).collect::<Vec<_>>();
        visit(&chunks, &all, &mut |found| {
            if let Found::Entry(named) = found {
                names.push(named.name);
            }
            ControlFlow::Continue(())
        })
        .unwrap();
        names
    }

    #[test]
    fn long_names_are_put_together_and_strays_give_way_to_short_names() {
        let first = short(b'O');
        let name = "a name of more than thirteen units 😀.txt";
        let mut slots = parts(name, first);
        slots.push(first);
        assert_eq!(names(&slots), [name]);
        // Without its first part, in the wrong order, or of another file, a long name is none.
        assert_eq!(names(&slots[1..]), ["old~1.txt"]);
        let mut swapped = slots.clone();
        swapped.swap(0, 1);
        assert_eq!(names(&swapped), ["old~1.txt"]);
        let mut foreign = parts(name, short(b'P'));
        foreign.push(first);
        assert_eq!(names(&foreign), ["old~1.txt"]);
        let mut bad = parts("up/../down", first);
        bad.push(first);
        assert_eq!(names(&bad), ["old~1.txt"]);
    }

    #[test]
    fn deleted_entries_are_passed_over_and_the_first_zero_ends_the_folder() {
        assert_eq!(names(&[short(0xe5), short(0x05), short(0), short(b'A')]), ["σld~1.txt"]);
    }
}
