//! Lines as the grammar sees them: comments gone, continued lines joined.

/// A whole line and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) number: u32,
    pub(super) text: String,
}

/// Splits a file; empty lines and comments are left out, lines that include other files are not.
pub(super) fn split(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut joined = String::new();
    let mut first = 1;
    for (number, physical) in (1_u32..).zip(text.split('\n')) {
        let physical = physical.strip_suffix('\r').unwrap_or(physical);
        if joined.is_empty() {
            first = number;
            // `#include` looks like a comment and is none.
            if is_include(physical) {
                lines.push(Line { number, text: physical.trim().to_owned() });
                continue;
            }
        }
        // A comment takes its backslash along: it is never continued.
        let (kept, is_cut) = before_comment(physical);
        let bare = kept.trim_end();
        let slashes = bare.chars().rev().take_while(|letter| *letter == '\\').count();
        if !is_cut && slashes % 2 == 1 {
            joined.push_str(&bare[..bare.len() - 1]);
            joined.push(' ');
            continue;
        }
        joined.push_str(kept);
        let whole = std::mem::take(&mut joined);
        if !whole.trim().is_empty() {
            lines.push(Line { number: first, text: whole.trim().to_owned() });
        }
    }
    if !joined.trim().is_empty() {
        lines.push(Line { number: first, text: joined.trim().to_owned() });
    }
    lines
}

fn is_include(line: &str) -> bool {
    let word = line.split_whitespace().next().unwrap_or_default();
    matches!(word, "#include" | "#includedir" | "@include" | "@includedir")
}

/// Cuts a comment off: `#` outside quotes, unless it begins a number (`#1000` is a user).
fn before_comment(line: &str) -> (&str, bool) {
    let mut is_quoted = false;
    let mut is_escaped = false;
    for (at, letter) in line.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => {
                let rest = &line[at + 1..];
                let rest = rest.strip_prefix('-').unwrap_or(rest);
                if !rest.starts_with(|next: char| next.is_ascii_digit()) {
                    return (&line[..at], true);
                }
            }
            _ => {}
        }
    }
    (line, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_and_comments_are_not_continued() {
        let text = "# a \\\njoe ALL = \\ \n  /bin/ls # why\n#include x\n\n#1000 ALL=ALL\n%#10 ALL=\"a#b\"\n";
        let found: Vec<_> = split(text).into_iter().map(|line| (line.number, line.text)).collect();
        assert_eq!(
            found,
            [
                (2, "joe ALL =    /bin/ls".to_owned()),
                (4, "#include x".to_owned()),
                (6, "#1000 ALL=ALL".to_owned()),
                (7, "%#10 ALL=\"a#b\"".to_owned())
            ]
        );
    }
}
