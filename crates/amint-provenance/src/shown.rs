//! Text of strangers in messages.

/// Most characters of such a text that are shown: a key id has 64.
const SHOWN_CHARS_MAX: usize = 80;

/// Makes text of a stranger safe to show: cut, and without control characters that a terminal would obey.
pub(crate) fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_of_strangers_is_cut_and_escaped() {
        assert_eq!(shown("abc"), "abc");
        assert_eq!(shown("\u{1b}[2J\n"), r"\u{1b}[2J\n");
        assert_eq!(shown(&"x".repeat(81)), format!("{}…", "x".repeat(80)));
    }
}
