//! Reading the serial console of a guest, which may write anything.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

/// How much is read at once.
const CHUNK_BYTES: u64 = 1024 * 1024;
/// A longer line is cut.
const LINE_BYTES_MAX: usize = 4096;
/// How many lines are remembered.
const LINES_MAX: usize = 400;

/// Follows a file that a serial console is written to.
#[derive(Debug)]
pub(crate) struct Console {
    path: PathBuf,
    file: Option<File>,
    bytes: u64,
    partial: Vec<u8>,
    lines: VecDeque<String>,
    is_kernel_seen: bool,
}

impl Console {
    /// Follows the file at `path`, which need not exist yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self {
            path,
            file: None,
            bytes: 0,
            partial: Vec::new(),
            lines: VecDeque::new(),
            is_kernel_seen: false,
        }
    }

    /// Reads what came since the last time and returns the lines that are complete.
    pub(crate) fn poll(&mut self) -> io::Result<Vec<String>> {
        if self.file.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.file = Some(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            }
        }
        let Some(file) = &mut self.file else { return Ok(Vec::new()) };
        let mut chunk = Vec::new();
        let read = file.take(CHUNK_BYTES).read_to_end(&mut chunk)?;
        self.bytes += read as u64;
        Ok(self.take(&chunk))
    }

    fn take(&mut self, chunk: &[u8]) -> Vec<String> {
        let mut complete = Vec::new();
        for byte in chunk {
            if *byte == b'\n' {
                let line = visible_text(&self.partial);
                self.partial.clear();
                self.is_kernel_seen |= line.contains("Linux version ");
                if self.lines.len() == LINES_MAX {
                    self.lines.pop_front();
                }
                self.lines.push_back(line.clone());
                complete.push(line);
            } else if self.partial.len() < LINE_BYTES_MAX {
                self.partial.push(*byte);
            }
        }
        complete
    }

    /// Returns how many bytes the guest has written so far.
    pub(crate) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Tells whether the kernel's first words were seen.
    pub(crate) fn is_kernel_seen(&self) -> bool {
        self.is_kernel_seen
    }

    /// Returns the last `count` lines that are not empty, with the one that is not complete yet.
    pub(crate) fn tail(&self, count: usize) -> String {
        let mut lines: Vec<String> = self.lines.iter().cloned().collect();
        lines.push(visible_text(&self.partial));
        lines.retain(|line| !line.trim().is_empty());
        lines[lines.len().saturating_sub(count)..].join("\n")
    }
}

/// Makes a line out of what a terminal was sent: without escape sequences and control characters; of what was
/// overwritten after a carriage return the last stays.
pub(crate) fn visible_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut result = String::with_capacity(text.len());
    let mut after_return = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => skip_escape(&mut characters),
            '\r' => after_return = true,
            '\t' => result.push(' '),
            _ if character.is_control() || is_invisible(character) => {}
            _ => {
                if after_return {
                    result.clear();
                    after_return = false;
                }
                result.push(character);
            }
        }
    }
    result.truncate(result.trim_end().len());
    result
}

/// Tells whether a character changes how others are shown without showing itself.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        // A control sequence ends with a letter or the like.
        Some('[') => while characters.next().is_some_and(|next| !('@'..='~').contains(&next)) {},
        // An operating system command ends with a bell or with escape and backslash.
        Some(']' | 'P' | 'X' | '^' | '_') => {
            while let Some(next) = characters.next() {
                if next == '\u{7}' || (next == '\u{1b}' && characters.next_if_eq(&'\\').is_some()) {
                    break;
                }
            }
        }
        // The choice of a character set has one more character.
        Some('(' | ')' | '*' | '+' | '#' | '%') => drop(characters.next()),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn escape_sequences_disappear() {
        let cases: [(&[u8], &str); 8] = [
            (b"[\x1b[0;32m  OK  \x1b[0m] Started \x1b[0;1;39mfoo\x1b[0m.\r", "[  OK  ] Started foo."),
            (b"\x1b]0;title\x07prompt", "prompt"),
            (b"\x1b]0;title\x1b\\prompt", "prompt"),
            (b"\x1b(Bplain\x1b)0", "plain"),
            (b"10%\r20%\r30%", "30%"),
            (b"a\tb\x08\x00c  ", "a bc"),
            (b"\xff\xfe", "\u{fffd}\u{fffd}"),
            (b"cut \x1b[", "cut"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(visible_text(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn lines_come_once_they_are_complete() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let mut console = Console::new(file.path().to_owned());
        file.write_all(b"SeaBIOS\r\n[    0.000000] Linux ver").unwrap();
        assert_eq!(console.poll().unwrap(), ["SeaBIOS"]);
        assert!(!console.is_kernel_seen());
        file.write_all(b"sion 6.1\r\nlogin: ").unwrap();
        assert_eq!(console.poll().unwrap(), ["[    0.000000] Linux version 6.1"]);
        assert!(console.is_kernel_seen());
        assert_eq!(console.tail(2), "[    0.000000] Linux version 6.1\nlogin:");
        assert_eq!(console.bytes(), 50);
    }

    #[test]
    fn console_that_does_not_exist_yet_is_silent() {
        let folder = tempfile::tempdir().unwrap();
        let mut console = Console::new(folder.path().join("none"));
        assert_eq!(console.poll().unwrap(), Vec::<String>::new());
    }

    #[test]
    fn endless_line_does_not_fill_the_memory() {
        let mut console = Console::new(PathBuf::new());
        for _ in 0..100 {
            assert!(console.take(&[b'x'; 4096]).is_empty());
        }
        assert_eq!(console.partial.len(), LINE_BYTES_MAX);
        for _ in 0..2 * LINES_MAX {
            console.take(b"line\n");
        }
        assert_eq!(console.lines.len(), LINES_MAX);
    }

    proptest! {
        #[test]
        fn nothing_that_steers_a_terminal_survives(bytes: Vec<u8>) {
            let text = visible_text(&bytes);
            prop_assert!(!text.chars().any(char::is_control), "{:?}", text);
        }
    }
}
