//! Sizes of disks.

use amint_types::GIB;
use serde::Serializer;

use crate::problems::Flaw;

/// Most GiB of a disk: the largest EBS gp3 volume that every region has.
const SIZE_GIB_MAX: u64 = 16_384;

/// The form of a size, for JSON Schema.
pub(crate) const PATTERN: &str = "^[1-9][0-9]{0,4}GiB$";

/// Reads the size of a disk in whole GiB, the unit of EBS volumes; returns bytes.
pub(crate) fn parse(text: &str) -> Result<u64, Flaw> {
    let flaw = || Flaw::new(format!("`{text}` is not the size of a disk"));
    let digits_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let Ok(gib) = digits.parse::<u32>() else {
        return Err(flaw().hint("write whole GiB, such as `2GiB`"));
    };
    let gib = u64::from(gib);
    match unit.trim() {
        "GiB" if unit == "GiB" && !digits.starts_with('0') => {}
        "TiB" => return Err(flaw().hint(format!("write it in GiB: `{}GiB`", gib * 1024))),
        "" | "G" | "GB" | "g" | "gb" | "gib" | "GiB" => return Err(flaw().hint(format!("write `{gib}GiB`"))),
        _ => return Err(flaw().hint("write whole GiB, such as `2GiB`")),
    }
    if gib > SIZE_GIB_MAX {
        return Err(Flaw::new(format!("a disk has at most {SIZE_GIB_MAX} GiB, not {gib}")));
    }
    Ok(gib * GIB)
}

/// Serialises a size in the recipe's form.
#[expect(clippy::ref_option, reason = "serde's `serialize_with` passes a reference")]
pub(crate) fn serialize<S: Serializer>(bytes: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match bytes {
        Some(bytes) => serializer.serialize_some(&format!("{}GiB", bytes / GIB)),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_whole_gib() {
        assert_eq!(parse("2GiB").unwrap(), 2 << 30);
        assert_eq!(parse("16384GiB").unwrap(), 16 << 40);
    }

    #[test]
    fn tells_the_right_form_of_other_units() {
        let hint = |text| parse(text).unwrap_err().hint.unwrap();
        assert_eq!(hint("2G"), "write `2GiB`");
        assert_eq!(hint("2 GiB"), "write `2GiB`");
        assert_eq!(hint("1TiB"), "write it in GiB: `1024GiB`");
        assert_eq!(hint("1.5GiB"), "write whole GiB, such as `2GiB`");
    }

    #[test]
    fn refuses_sizes_that_no_volume_has() {
        for text in ["0GiB", "02GiB", "16385GiB", "99999999999GiB", "-1GiB", "GiB", "", "512MiB"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }
}
