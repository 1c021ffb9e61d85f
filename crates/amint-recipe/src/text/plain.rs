//! Text for people and for programs, of which only length and characters matter.

use crate::problems::Flaw;

/// Makes a reader of text that is not blank, has at most so many characters and, unless allowed, one line; `key`
/// names it in messages.
pub(crate) fn plain(
    key: &str,
    chars_max: usize,
    is_multiline: bool,
) -> impl Fn(&str) -> Result<String, Flaw> {
    move |text| {
        if text.trim().is_empty() {
            return Err(Flaw::new(format!("`{key}` is empty")));
        }
        let count = text.chars().count();
        if count > chars_max {
            return Err(Flaw::new(format!("`{key}` has {count} characters, more than {chars_max}")));
        }
        let is_refused =
            |character: char| character.is_control() && !(is_multiline && "\n\t".contains(character));
        if text.contains(is_refused) {
            let what = if is_multiline { "control characters" } else { "line breaks or control characters" };
            return Err(Flaw::new(format!("`{key}` has {what} in it")));
        }
        Ok(text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_length_in_characters_and_lines() {
        assert!(plain("name", 3, false)("äöü").is_ok());
        assert!(plain("name", 3, false)("äöüß").is_err());
        assert!(plain("name", 9, false)("a\nb").is_err());
        assert!(plain("name", 9, true)("a\nb").is_ok());
        assert!(plain("name", 9, true)("a\0b").is_err());
        assert!(plain("name", 9, true)(" \n").is_err());
    }
}
