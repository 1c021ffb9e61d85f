//! Control data in the deb822 form (Debian policy, section 5.1; `deb822(5)`).
//!
//! [`Paragraphs`] streams paragraphs one at a time out of any reader, so an index of 60 MB never lies in memory as a
//! whole. Values keep their continuation lines, joined by newlines.

use std::io::{self, BufRead};

/// Longest paragraph that is read; the largest of Debian's archive has some 100 KiB.
pub const PARAGRAPH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// Control data could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// The source could not be read.
    #[error("could not read control data")]
    Read(#[from] io::Error),
    /// A paragraph is longer than [`PARAGRAPH_BYTES_MAX`].
    #[error("a paragraph at line {line} is longer than {} MiB", PARAGRAPH_BYTES_MAX / 1024 / 1024)]
    TooLong {
        /// Where it began, from 1.
        line: u64,
    },
    /// A line is neither a field nor the continuation of one.
    #[error("line {line} is neither a field nor its continuation")]
    Malformed {
        /// The line, from 1.
        line: u64,
    },
}

/// One paragraph: fields in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paragraph {
    text: String,
    /// Name and value of each field, as ranges of `text`.
    fields: Vec<(std::ops::Range<usize>, std::ops::Range<usize>)>,
}

impl Paragraph {
    /// Returns a field's value by its name in any case, without white space around it; lines of longer values are
    /// joined by newlines, each without the space it began with.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Returns all fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.fields.iter().map(|(name, value)| (&self.text[name.clone()], self.text[value.clone()].trim()))
    }

    /// Tells whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    fn clear(&mut self) {
        self.text.clear();
        self.fields.clear();
    }

    fn add(&mut self, name: &str, value: &str) {
        let start = self.text.len();
        self.text.push_str(name);
        let end = self.text.len();
        self.text.push_str(value);
        self.fields.push((start..end, end..self.text.len()));
    }

    fn continue_last(&mut self, line: &str) -> bool {
        let Some((_, value)) = self.fields.last_mut() else { return false };
        self.text.push('\n');
        self.text.push_str(line);
        value.end = self.text.len();
        true
    }
}

/// Reads paragraphs one after the other.
pub struct Paragraphs<R> {
    source: R,
    line: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead> Paragraphs<R> {
    /// Reads from `source`.
    pub fn new(source: R) -> Self {
        Self { source, line: 0, buffer: Vec::new() }
    }

    /// Reads the next paragraph into `paragraph`, reusing its memory; tells whether there was one.
    pub fn next_into(&mut self, paragraph: &mut Paragraph) -> Result<bool, ControlError> {
        paragraph.clear();
        let first_line = self.line + 1;
        loop {
            self.buffer.clear();
            let room = PARAGRAPH_BYTES_MAX.saturating_sub(paragraph.text.len());
            let limit = u64::try_from(room).unwrap_or(u64::MAX).saturating_add(1);
            let count = io::Read::take(&mut self.source, limit).read_until(b'\n', &mut self.buffer)?;
            if count > room {
                return Err(ControlError::TooLong { line: first_line });
            }
            if count == 0 {
                return Ok(!paragraph.is_empty());
            }
            self.line += 1;
            let text = String::from_utf8_lossy(&self.buffer);
            let line = text.trim_end_matches(['\n', '\r']);
            if line.trim().is_empty() {
                if paragraph.is_empty() {
                    continue;
                }
                return Ok(true);
            }
            if line.starts_with('#') {
                continue;
            }
            let is_good = match line.strip_prefix([' ', '\t']) {
                Some(rest) => paragraph.continue_last(rest),
                None => match line.split_once(':') {
                    Some((name, value)) if !name.is_empty() && !name.contains(char::is_whitespace) => {
                        paragraph.add(name, value);
                        true
                    }
                    _ => false,
                },
            };
            if !is_good {
                return Err(ControlError::Malformed { line: self.line });
            }
        }
    }
}

impl<R: BufRead> Iterator for Paragraphs<R> {
    type Item = Result<Paragraph, ControlError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut paragraph = Paragraph::default();
        match self.next_into(&mut paragraph) {
            Ok(true) => Some(Ok(paragraph)),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Paragraph> {
        Paragraphs::new(text.as_bytes()).collect::<Result<_, _>>().unwrap()
    }

    #[test]
    fn reads_paragraphs_with_continuation_lines_and_comments() {
        let found =
            read("\n\nPackage: a\n# note\nDescription: one\n two\n .\n\tthree\n\n\nPackage:b\nX-Empty:\n");
        assert_eq!(found.len(), 2);
        assert_eq!(found[0].get("description"), Some("one\ntwo\n.\nthree"));
        assert_eq!(found[1].iter().collect::<Vec<_>>(), [("Package", "b"), ("X-Empty", "")]);
    }

    #[test]
    fn names_the_line_that_is_no_field() {
        let error = Paragraphs::new(&b"Package: a\nnonsense\n"[..]).next().unwrap().unwrap_err();
        assert!(matches!(error, ControlError::Malformed { line: 2 }), "{error}");
        assert!(Paragraphs::new(&b" continued\n"[..]).next().unwrap().is_err());
    }

    #[test]
    fn refuses_a_paragraph_without_end() {
        let mut text = b"Package: a\n".to_vec();
        text.resize(PARAGRAPH_BYTES_MAX + 100, b'x');
        let error = Paragraphs::new(text.as_slice()).next().unwrap().unwrap_err();
        assert!(matches!(error, ControlError::TooLong { line: 1 }), "{error}");
    }
}
