//! Reading BER (X.690), strictly: only what EC2's messages and DER need.
//!
//! Tags of one byte; lengths of the shortest form; indefinite lengths only for constructed values. Everything else
//! is refused, so that one value has few encodings.

/// How deep values may lie within each other; EC2's messages reach 10.
const DEPTH_MAX: u32 = 24;

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OCTET_STRING_IN_PARTS: u8 = 0x24;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

const CONSTRUCTED: u8 = 0x20;

/// The bytes are not the BER that was expected; the text says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BerError(pub(crate) &'static str);

/// One value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// What is inside, without the mark that ends an indefinite length.
    pub(crate) content: &'a [u8],
    /// The value with its tag and length.
    pub(crate) raw: &'a [u8],
    pub(crate) is_indefinite: bool,
}

/// Reads values one after another.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: u32,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, depth: 0 }
    }

    /// Reads the values inside of `element`.
    fn inside(&self, element: &Element<'a>) -> Self {
        Self { rest: element.content, depth: self.depth.saturating_add(1) }
    }

    /// Returns the next tag without taking it.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Takes the next value, whatever it is.
    pub(crate) fn any(&mut self) -> Result<Element<'a>, BerError> {
        let element = read(self.rest, self.depth)?;
        self.rest = self.rest.get(element.raw.len()..).unwrap_or_default();
        Ok(element)
    }

    /// Takes the next value, which must have `tag`.
    pub(crate) fn take(&mut self, tag: u8) -> Result<Element<'a>, BerError> {
        match self.peek() {
            Some(found) if found == tag => self.any(),
            Some(_) => Err(BerError("another value than expected")),
            None => Err(BerError("a value is missing")),
        }
    }

    /// Takes the next value, which must have `tag`, and reads inside of it.
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Self, BerError> {
        let element = self.take(tag)?;
        Ok(self.inside(&element))
    }

    /// Takes the next value where it has `tag`.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, BerError> {
        if self.peek() == Some(tag) { self.any().map(Some) } else { Ok(None) }
    }

    /// Makes sure that nothing follows.
    pub(crate) fn end(&self) -> Result<(), BerError> {
        if self.rest.is_empty() { Ok(()) } else { Err(BerError("bytes after the end")) }
    }
}

/// Reads a number that is not negative, in its shortest form, as its bytes without a leading zero.
pub(crate) fn unsigned(content: &[u8]) -> Result<&[u8], BerError> {
    match content {
        [] => Err(BerError("a number without digits")),
        [0] => Ok(content),
        [0, second, ..] if *second < 0x80 => Err(BerError("a number with zeros before it")),
        [0, rest @ ..] => Ok(rest),
        [first, ..] if *first >= 0x80 => Err(BerError("a negative number")),
        _ => Ok(content),
    }
}

/// Joins the parts of an octet string that may come in parts.
pub(crate) fn octets(element: &Element<'_>) -> Result<Vec<u8>, BerError> {
    if element.tag == OCTET_STRING {
        return Ok(element.content.to_vec());
    }
    if element.tag != OCTET_STRING_IN_PARTS {
        return Err(BerError("another value than expected"));
    }
    let mut joined = Vec::with_capacity(element.content.len());
    let mut parts = Reader::new(element.content);
    while parts.peek().is_some() {
        joined.extend_from_slice(parts.take(OCTET_STRING)?.content);
    }
    Ok(joined)
}

fn read(bytes: &[u8], depth: u32) -> Result<Element<'_>, BerError> {
    if depth > DEPTH_MAX {
        return Err(BerError("values lie too deep within each other"));
    }
    let &[tag, first, ..] = bytes else { return Err(BerError("the bytes end within a value")) };
    if tag == 0 {
        return Err(BerError("an end where nothing began"));
    }
    if tag & 0x1f == 0x1f {
        return Err(BerError("a tag of more than one byte"));
    }
    if first == 0x80 {
        return if tag & CONSTRUCTED == 0 {
            Err(BerError("a plain value without a length"))
        } else {
            read_indefinite(bytes, tag, depth)
        };
    }
    let (header_bytes, length) = definite_length(bytes, first)?;
    let end = header_bytes.checked_add(length).ok_or(BerError("a length that is too large"))?;
    let raw = bytes.get(..end).ok_or(BerError("the bytes end within a value"))?;
    let content = raw.get(header_bytes..).unwrap_or_default();
    Ok(Element { tag, content, raw, is_indefinite: false })
}

/// Returns the length of tag and length, and the length of the content.
fn definite_length(bytes: &[u8], first: u8) -> Result<(usize, usize), BerError> {
    if first < 0x80 {
        return Ok((2, usize::from(first)));
    }
    let count = usize::from(first & 0x7f);
    if count > 4 {
        return Err(BerError("a length that is too large"));
    }
    let digits = bytes.get(2..2 + count).ok_or(BerError("the bytes end within a value"))?;
    let length = digits.iter().fold(0_u64, |length, byte| (length << 8) | u64::from(*byte));
    if digits.first() == Some(&0) || length < 0x80 {
        return Err(BerError("a length that is not written in its shortest form"));
    }
    let length = usize::try_from(length).map_err(|_| BerError("a length that is too large"))?;
    Ok((2 + count, length))
}

/// Finds the two zeros that end the value, by going over what is inside.
fn read_indefinite(bytes: &[u8], tag: u8, depth: u32) -> Result<Element<'_>, BerError> {
    let mut at = 2_usize;
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(&[0, 0]) {
            let content = bytes.get(2..at).unwrap_or_default();
            let raw = bytes.get(..at.saturating_add(2)).unwrap_or_default();
            return Ok(Element { tag, content, raw, is_indefinite: true });
        }
        at = at.saturating_add(read(rest, depth.saturating_add(1))?.raw.len());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_definite_and_indefinite_lengths() {
        let bytes = [0x30, 0x80, 0x24, 0x80, 0x04, 0x01, b'a', 0x04, 0x01, b'b', 0, 0, 0, 0];
        let mut reader = Reader::new(&bytes);
        let mut inside = reader.enter(SEQUENCE).unwrap();
        reader.end().unwrap();
        assert_eq!(octets(&inside.any().unwrap()).unwrap(), b"ab");
        inside.end().unwrap();
    }

    #[test]
    fn refuses_every_truncation() {
        let bytes = [0x30, 0x80, 0x24, 0x80, 0x04, 0x01, b'a', 0x04, 0x01, b'b', 0, 0, 0, 0];
        for length in 0..bytes.len() {
            assert!(Reader::new(&bytes[..length]).any().is_err(), "{length}");
        }
    }

    #[test]
    fn refuses_what_der_and_ec2_never_write() {
        let long = [&[0x04, 0x82, 0x00, 0x81][..], &[0; 0x81]].concat();
        for bytes in [&[0x04, 0x80, 0, 0][..], &[0x04, 0x81, 0x01, 0], &[0, 0], &[0x1f, 0x01, 0], &long] {
            assert!(Reader::new(bytes).any().is_err(), "{bytes:02x?}");
        }
        assert!(unsigned(&[0, 1]).is_err() && unsigned(&[0x80]).is_err() && unsigned(&[]).is_err());
        assert_eq!(unsigned(&[0, 0x80]).unwrap(), [0x80]);
    }

    #[test]
    fn deep_values_end_the_reading_not_the_stack() {
        assert!(Reader::new(&[0x30, 0x80].repeat(30_000)).any().is_err());
    }
}
