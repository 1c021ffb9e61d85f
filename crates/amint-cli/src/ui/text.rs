//! Widths of text on a terminal: a CJK character takes two columns, a combining one none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Returns how many columns `text` takes.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Fills `text` with spaces up to `columns`.
pub(super) fn pad(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Puts spaces before `text` up to `columns`.
pub(super) fn pad_left(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(width(text))))
}

/// Cuts `text` so that it takes at most `columns`, ending in `ellipsis` when something is missing.
pub(super) fn truncate(text: &str, columns: usize, ellipsis: &str) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    let room = columns.saturating_sub(width(ellipsis));
    let mut taken = 0;
    let mut output = String::new();
    for character in text.chars() {
        taken += UnicodeWidthChar::width(character).unwrap_or(0);
        if taken > room {
            break;
        }
        output.push(character);
    }
    output.truncate(output.trim_end().len());
    // A terminal narrower than the ellipsis gets what fits of it.
    output.extend(ellipsis.chars().take(columns));
    output
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cuts_by_columns_and_not_by_characters() {
        assert_eq!(truncate("abcdef", 6, "…"), "abcdef");
        assert_eq!(truncate("abcdefg", 6, "…"), "abcde…");
        assert_eq!(truncate("映像を組み立てる", 7, "…"), "映像を…");
        assert_eq!(truncate("映像を組み立てる", 6, "…"), "映像…");
        assert_eq!(truncate("abc def", 5, "…"), "abc…");
        assert_eq!(truncate("abcdef", 2, "..."), "..");
        assert_eq!(truncate("abcdef", 0, "…"), "");
    }

    #[test]
    fn pads_by_columns() {
        assert_eq!(pad("映像", 6), "映像  ");
        assert_eq!(pad_left("é", 3), "  é");
        assert_eq!(pad("longer", 3), "longer");
    }
}
