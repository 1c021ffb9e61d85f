//! Text of unknown origin, made harmless to look at.
//!
//! A package name, an excerpt or a console line may carry terminal escape sequences, NUL bytes or
//! bidirectional controls that show one thing and mean another. What is taken out is replaced by something
//! visible, so that its presence is not hidden.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Tells whether a character draws nothing itself but changes how other characters are drawn.
fn is_bidi_control(character: char) -> bool {
    matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Tells whether a character draws nothing, or turns what others draw.
pub(crate) fn is_hidden(character: char) -> bool {
    character.is_control()
        || is_bidi_control(character)
        || matches!(character, '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{2028}' | '\u{2029}')
}

fn push_visible(output: &mut String, character: char) {
    match u32::from(character) {
        // Unicode has a picture for each of the ASCII control characters.
        code @ 0..=0x1f => output.extend(char::from_u32(0x2400 + code)),
        0x7f => output.push('\u{2421}'),
        code => {
            write!(output, "\u{27e8}U+{code:04X}\u{27e9}").expect("writing to memory cannot fail");
        }
    }
}

/// Replaces control characters by visible ones; line ends and tabs stay.
pub fn printable(text: &str) -> Cow<'_, str> {
    let is_kept = |character: char| matches!(character, '\n' | '\t') || !is_hidden(character);
    if text.chars().all(is_kept) {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len());
    for character in text.chars() {
        if is_kept(character) {
            output.push(character);
        } else {
            push_visible(&mut output, character);
        }
    }
    Cow::Owned(output)
}

/// Makes one line of a program's output: without terminal escape sequences, with tabs and line ends as spaces,
/// and other control characters replaced by visible ones.
///
/// Of a line that overwrote itself with carriage returns, the last state is kept.
pub fn printable_line(text: &str) -> String {
    let plain = without_escape_sequences(text);
    let line = plain.trim_end_matches(['\r', '\n']);
    let line = line.rsplit('\r').next().unwrap_or(line);
    let mut output = String::with_capacity(line.len());
    for character in line.chars() {
        match character {
            '\t' | '\n' => output.push(' '),
            hidden if is_hidden(hidden) => push_visible(&mut output, hidden),
            other => output.push(other),
        }
    }
    output
}

/// Makes several lines of a program's output printable, keeping the line ends.
pub(crate) fn printable_lines(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(printable_line).collect();
    lines.join("\n")
}

/// Drops the escape sequences of ECMA-48: CSI (`ESC [`), strings (`ESC ]`, `ESC P` and others) and the short ones.
fn without_escape_sequences(text: &str) -> Cow<'_, str> {
    if !text.contains('\u{1b}') {
        return Cow::Borrowed(text);
    }
    let mut output = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character != '\u{1b}' {
            output.push(character);
            continue;
        }
        match characters.peek() {
            Some('[') => {
                characters.next();
                while characters.next_if(|next| matches!(next, ' '..='?')).is_some() {}
                characters.next_if(|next| matches!(next, '@'..='~'));
            }
            Some(']' | 'P' | 'X' | '^' | '_') => skip_string(&mut characters),
            Some(' '..='/') => {
                while characters.next_if(|next| matches!(next, ' '..='/')).is_some() {}
                characters.next_if(|next| matches!(next, '0'..='~'));
            }
            Some('0'..='~') => {
                characters.next();
            }
            _ => push_visible(&mut output, '\u{1b}'),
        }
    }
    Cow::Owned(output)
}

/// Skips a string sequence up to BEL or `ESC \`; one that never ends stops at the end of its line, so that it
/// cannot swallow what follows.
fn skip_string(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(character) = characters.next_if(|next| *next != '\n') {
        if character == '\u{7}' {
            return;
        }
        if character == '\u{1b}' && characters.next_if_eq(&'\\').is_some() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_control_and_bidi_characters_instead_of_obeying_them() {
        assert_eq!(printable("plain\ttext\n"), "plain\ttext\n");
        assert_eq!(printable("a\0b\x1b[31mc\x7f"), "a␀b␛[31mc␡");
        assert_eq!(printable("user\u{202e}txt.exe\u{9b}"), "user⟨U+202E⟩txt.exe⟨U+009B⟩");
    }

    #[test]
    fn drops_colours_titles_and_overwritten_text_of_console_lines() {
        assert_eq!(printable_line("\x1b[1;32m[  OK  ]\x1b[0m Started\tssh.\r\n"), "[  OK  ] Started ssh.");
        assert_eq!(printable_line("\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link"), "textlink");
        assert_eq!(printable_line(" 10%\r 50%\r100%"), "100%");
        assert_eq!(printable_line("\x1b(B\x1b=done\x1b"), "done␛");
        assert_eq!(printable_line("\x1b]never ends"), "");
    }
}
