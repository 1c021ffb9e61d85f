//! Permission bits of files.

use serde::Serializer;

use crate::problems::Flaw;

/// The form of a file mode, for JSON Schema.
pub(crate) const PATTERN: &str = "^[0-7]{4}$";

/// Reads permission bits, set-user-id, set-group-id and sticky included: `0644`.
pub(crate) fn parse(text: &str) -> Result<u32, Flaw> {
    let is_octal = text.bytes().all(|byte| matches!(byte, b'0'..=b'7'));
    let flaw = || Flaw::new(format!("`{text}` is not a file mode"));
    match u32::from_str_radix(text, 8) {
        Ok(bits) if is_octal && text.len() == 4 => Ok(bits),
        Ok(bits) if is_octal && text.len() == 3 => Err(flaw().hint(format!("write `0{bits:o}`"))),
        _ => Err(flaw().hint("write four octal digits, such as `0644`")),
    }
}

/// Serialises a mode in the recipe's form.
#[expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's `serialize_with` passes a reference"
)]
pub(crate) fn serialize<S: Serializer>(mode: &Option<u32>, serializer: S) -> Result<S::Ok, S::Error> {
    match mode {
        Some(bits) => serializer.serialize_some(&format!("{bits:04o}")),
        None => serializer.serialize_none(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_four_octal_digits() {
        assert_eq!(parse("0644").unwrap(), 0o644);
        assert_eq!(parse("4755").unwrap(), 0o4755);
    }

    #[test]
    fn refuses_other_forms() {
        for text in ["", "644", "0o644", "00644", "0888", "rw-r--r--", "+644"] {
            assert!(parse(text).is_err(), "{text:?}");
        }
        assert_eq!(parse("755").unwrap_err().hint.unwrap(), "write `0755`");
    }
}
