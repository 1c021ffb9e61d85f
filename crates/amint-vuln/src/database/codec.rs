//! Numbers and texts in pages: LEB128 numbers, and bytes with their length before them.

use super::DatabaseError;

const DAMAGED: DatabaseError = DatabaseError::Damaged("an entry makes no sense");

/// Writes.
#[derive(Default)]
pub(super) struct Encoder {
    pub(super) bytes: Vec<u8>,
}

impl Encoder {
    pub(super) fn number(&mut self, mut number: u64) {
        loop {
            let low = u8::try_from(number & 0x7f).unwrap_or(0);
            number >>= 7;
            if number == 0 {
                self.bytes.push(low);
                return;
            }
            self.bytes.push(low | 0x80);
        }
    }

    pub(super) fn length(&mut self, length: usize) {
        self.number(u64::try_from(length).unwrap_or(u64::MAX));
    }

    pub(super) fn blob(&mut self, bytes: &[u8]) {
        self.length(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn text(&mut self, text: &str) {
        self.blob(text.as_bytes());
    }

    /// Writes a number that may be missing: 0, or one more than it.
    pub(super) fn optional_number(&mut self, number: Option<u64>) {
        self.number(number.map_or(0, |number| number.saturating_add(1)));
    }

    pub(super) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            None => self.number(0),
            Some(text) => {
                self.number(u64::try_from(text.len()).unwrap_or(u64::MAX).saturating_add(1));
                self.bytes.extend_from_slice(text.as_bytes());
            }
        }
    }

    pub(super) fn texts(&mut self, texts: &[String]) {
        self.length(texts.len());
        for text in texts {
            self.text(text);
        }
    }
}

/// Reads; whatever does not fit is damage.
pub(super) struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], DatabaseError> {
        let (bytes, rest) = self.rest.split_at_checked(count).ok_or(DAMAGED)?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn number(&mut self) -> Result<u64, DatabaseError> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.rest.split_first().ok_or(DAMAGED)?;
            self.rest = rest;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && part > 1 {
                return Err(DAMAGED);
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DAMAGED)
    }

    /// Reads a length or a count: each thing counted takes a byte at least, so no more than what is left.
    pub(super) fn length(&mut self) -> Result<usize, DatabaseError> {
        let length = usize::try_from(self.number()?).map_err(|_| DAMAGED)?;
        if length > self.rest.len() { Err(DAMAGED) } else { Ok(length) }
    }

    pub(super) fn blob(&mut self) -> Result<&'a [u8], DatabaseError> {
        let length = self.length()?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<String, DatabaseError> {
        Ok(str::from_utf8(self.blob()?).map_err(|_| DAMAGED)?.to_owned())
    }

    pub(super) fn optional_number(&mut self) -> Result<Option<u64>, DatabaseError> {
        Ok(self.number()?.checked_sub(1))
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<String>, DatabaseError> {
        let Some(length) = self.optional_number()? else { return Ok(None) };
        let bytes = self.take(usize::try_from(length).map_err(|_| DAMAGED)?)?;
        Ok(Some(str::from_utf8(bytes).map_err(|_| DAMAGED)?.to_owned()))
    }

    pub(super) fn texts(&mut self) -> Result<Vec<String>, DatabaseError> {
        let count = self.length()?;
        (0..count).map(|_| self.text()).collect()
    }

    pub(super) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, DatabaseError> {
        T::try_from(self.number()?).map_err(|_| DAMAGED)
    }

    /// Ends reading: nothing may be left.
    pub(super) fn finish(self) -> Result<(), DatabaseError> {
        if self.is_empty() { Ok(()) } else { Err(DAMAGED) }
    }
}

pub(super) fn damaged() -> DatabaseError {
    DAMAGED
}
