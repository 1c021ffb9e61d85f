//! Writing DER, and the indefinite lengths of EC2's messages (X.690).

use crate::ber;

/// Writes a value with a tag and a definite length.
pub(super) fn value(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    if let Ok(length @ ..0x80) = u8::try_from(content.len()) {
        bytes.push(length);
    } else {
        let length = content.len().to_be_bytes();
        let zeros = length.iter().take_while(|byte| **byte == 0).count();
        let digits = length.get(zeros..).unwrap_or_default();
        bytes.push(0x80 | u8::try_from(digits.len()).unwrap_or_default());
        bytes.extend_from_slice(digits);
    }
    bytes.extend_from_slice(content);
    bytes
}

/// Writes a value around others.
pub(super) fn all(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    value(tag, &parts.concat())
}

/// Writes a value around others, with an indefinite length.
pub(super) fn indefinite(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    [&[tag, 0x80][..], &parts.concat(), &[0, 0]].concat()
}

/// Writes a number that is not negative.
pub(super) fn number(digits: &[u8]) -> Vec<u8> {
    let zeros = digits.iter().take_while(|byte| **byte == 0).count();
    let digits = digits.get(zeros..).unwrap_or_default();
    match digits.first() {
        None => value(ber::INTEGER, &[0]),
        Some(0x80..) => value(ber::INTEGER, &[&[0], digits].concat()),
        Some(_) => value(ber::INTEGER, digits),
    }
}

/// Writes an algorithm, with NULL for parameters or without.
pub(super) fn algorithm(oid: &[u8], is_null_written: bool) -> Vec<u8> {
    let mut parts = vec![value(ber::OBJECT_IDENTIFIER, oid)];
    if is_null_written {
        parts.push(vec![0x05, 0x00]);
    }
    all(ber::SEQUENCE, &parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ber::Reader;

    #[test]
    fn lengths_are_the_shortest() {
        for length in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let bytes = value(0x04, &vec![7; length]);
            assert_eq!(Reader::new(&bytes).any().unwrap().content.len(), length);
        }
        assert_eq!(number(&[0, 0, 0x80]), [0x02, 0x02, 0x00, 0x80]);
        assert_eq!(number(&[]), [0x02, 0x01, 0x00]);
    }
}
