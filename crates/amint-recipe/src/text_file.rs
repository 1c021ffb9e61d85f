//! Reading a small file of text.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Why a file is no text of a sensible size.
pub(crate) enum TextError {
    Unreadable(io::Error),
    TooLarge,
    /// The first line that is not UTF-8, from 1.
    NotUtf8(usize),
}

/// Reads a file of at most `bytes_max` bytes in UTF-8.
pub(crate) fn read(path: &Path, bytes_max: u64) -> Result<String, TextError> {
    let file = File::open(path).map_err(TextError::Unreadable)?;
    let mut bytes = Vec::new();
    file.take(bytes_max + 1).read_to_end(&mut bytes).map_err(TextError::Unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > bytes_max {
        return Err(TextError::TooLarge);
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        TextError::NotUtf8(error.as_bytes().iter().take(valid).filter(|byte| **byte == b'\n').count() + 1)
    })
}
