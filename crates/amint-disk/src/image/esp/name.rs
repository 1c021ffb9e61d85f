//! Names: long ones as they were given, and the short ones that FAT had first.

use std::collections::BTreeSet;

/// Longest name, in UTF-16 units.
const NAME_UNITS_MAX: usize = 255;
/// UTF-16 units of one entry of a long name.
pub(super) const UNITS_PER_ENTRY: usize = 13;
/// Characters that no name may have.
const FORBIDDEN: &str = "\"*/:<>?\\|";
/// Characters of short names besides capital letters and digits.
const SHORT_SIGNS: &str = "!#$%&'()-@^_`{}~";

/// Numbers that make short names differ; the longest leaves one character of the name.
const NUMBER_MAX: u32 = 1_000_000;

/// A short name: eight characters and three, padded with spaces.
pub(super) type ShortName = [u8; 11];

/// Makes sure that a name can be.
pub(super) fn check(name: &str) -> Result<(), &'static str> {
    if name.is_empty() || name == "." || name == ".." {
        return Err("a path has names between single slashes, without `.` and `..`");
    }
    if name.encode_utf16().count() > NAME_UNITS_MAX {
        return Err("a name is too long");
    }
    if name.chars().any(|character| character.is_control() || FORBIDDEN.contains(character)) {
        return Err("a name has a character that FAT forbids");
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return Err("a name begins with a space, or ends with a space or a full stop");
    }
    Ok(())
}

/// Returns how many entries a name takes in its folder.
pub(super) fn entry_count(name: &str) -> u64 {
    match exact_short_name(name) {
        Some(_) => 1,
        None => 1 + name.encode_utf16().count().div_ceil(UNITS_PER_ENTRY) as u64,
    }
}

/// Returns the short name that says the same as the name, if there is one.
pub(super) fn exact_short_name(name: &str) -> Option<ShortName> {
    let (base, extension) = name.split_once('.').unwrap_or((name, ""));
    let is_short = |part: &str| part.chars().all(is_short_character);
    let fits = (1..=8).contains(&base.len()) && extension.len() <= 3 && !name.ends_with('.');
    (fits && is_short(base) && is_short(extension)).then(|| pad(base, extension))
}

/// Makes up a short name that is not taken: `LONGNA~1.CFG`.
pub(super) fn invented_short_name(name: &str, taken: &BTreeSet<ShortName>) -> ShortName {
    let (base, extension) = match name.rsplit_once('.') {
        Some((base, extension)) if !base.is_empty() => (base, extension),
        _ => (name, ""),
    };
    let shorten = |text: &str, length: usize| -> String {
        let known = text.to_uppercase();
        let characters = known.chars().filter(|character| !matches!(character, ' ' | '.'));
        characters
            .map(|character| if is_short_character(character) { character } else { '_' })
            .take(length)
            .collect()
    };
    let extension = shorten(extension, 3);
    (1..NUMBER_MAX)
        .map(|number| {
            let tail = format!("~{number}");
            pad(&format!("{}{tail}", shorten(base, 8 - tail.len())), &extension)
        })
        .find(|candidate| !taken.contains(candidate))
        .expect("a folder that fits its largest partition has fewer names")
}

/// Returns the checksum by which a long name knows its short one.
pub(super) fn checksum(name: &ShortName) -> u8 {
    name.iter().fold(0, |sum: u8, byte| sum.rotate_right(1).wrapping_add(*byte))
}

fn is_short_character(character: char) -> bool {
    character.is_ascii_uppercase() || character.is_ascii_digit() || SHORT_SIGNS.contains(character)
}

/// Joins two parts of ASCII text that are short enough.
fn pad(base: &str, extension: &str) -> ShortName {
    let mut name = [b' '; 11];
    name[..base.len()].copy_from_slice(base.as_bytes());
    name[8..8 + extension.len()].copy_from_slice(extension.as_bytes());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_short_names_and_invents_the_others() {
        assert_eq!(exact_short_name("BOOTX64.EFI"), Some(*b"BOOTX64 EFI"));
        assert_eq!(exact_short_name("EFI"), Some(*b"EFI        "));
        for long in ["grub.cfg", "TOOLONGNAME", "A.B.C", ".X", "A B", "\u{c4}", "A.LONG"] {
            assert_eq!(exact_short_name(long), None, "{long}");
        }
        let mut taken = BTreeSet::new();
        for (name, short) in [
            ("a long name.cfg", b"ALONGN~1CFG"),
            ("a long name 2.cfg", b"ALONGN~2CFG"),
            ("grub.cfg", b"GRUB~1  CFG"),
            (".hidden", b"HIDDEN~1   "),
            ("\u{c4}.b+c", b"_~1     B_C"),
        ] {
            let invented = invented_short_name(name, &taken);
            assert_eq!(&invented, short, "{name}");
            taken.insert(invented);
        }
    }
}
