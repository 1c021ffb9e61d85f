//! Who signed a package, as far as an `OpenPGP` signature tells by itself (RFC 9580, sections 4.2 and 5.2).
//!
//! Nothing is verified: the issuer is read so that a report can name the key.

use crate::bytes::{be_index, slice};

const TAG_SIGNATURE: u8 = 2;
const SUBPACKET_ISSUER: u8 = 16;
const SUBPACKET_ISSUER_FINGERPRINT: u8 = 33;

/// Returns the id of the key that made the first signature, as 16 lower-case hexadecimal digits.
pub(super) fn key_id(packet: &[u8]) -> Option<String> {
    let body = first_body(packet)?;
    match body.first()? {
        3 => slice(body, 7, 8).map(hex::encode),
        4 | 6 => issuer_of(body),
        _ => None,
    }
}

/// Returns the body of the first packet, if that is a signature.
fn first_body(packet: &[u8]) -> Option<&[u8]> {
    let first = *packet.first()?;
    if first & 0x80 == 0 {
        return None;
    }
    let second = usize::from(*packet.get(1)?);
    let (tag, start, length) = if first & 0x40 == 0 {
        let tag = (first >> 2) & 0x0f;
        match first & 0x03 {
            0 => (tag, 2, second),
            1 => (tag, 3, (second << 8) | usize::from(*packet.get(2)?)),
            2 => (tag, 5, be_index(packet, 1)?),
            _ => (tag, 1, packet.len() - 1),
        }
    } else {
        let (used, length) = new_length(packet.get(1..)?)?;
        (first & 0x3f, 1 + used, length)
    };
    (tag == TAG_SIGNATURE).then(|| slice(packet, start, length)).flatten()
}

/// Reads a length of one, two or five bytes; tells how many it took.
fn new_length(bytes: &[u8]) -> Option<(usize, usize)> {
    let first = usize::from(*bytes.first()?);
    match first {
        0..192 => Some((1, first)),
        192..255 => Some((2, ((first - 192) << 8) + usize::from(*bytes.get(1)?) + 192)),
        _ => Some((5, be_index(bytes, 1)?)),
    }
}

/// Looks through both areas of subpackets of a signature of version 4 or 6.
fn issuer_of(body: &[u8]) -> Option<String> {
    // The version-6 areas have lengths of four bytes.
    let width = if body.first() == Some(&6) { 4 } else { 2 };
    let length_at = |at: usize| -> Option<usize> {
        Some(slice(body, at, width)?.iter().fold(0, |length, byte| (length << 8) | usize::from(*byte)))
    };
    let hashed_start = 4 + width;
    let hashed = slice(body, hashed_start, length_at(4)?)?;
    let unhashed_at = hashed_start + hashed.len();
    let unhashed = slice(body, unhashed_at + width, length_at(unhashed_at)?).unwrap_or_default();
    issuer_in(hashed).or_else(|| issuer_in(unhashed))
}

fn issuer_in(mut area: &[u8]) -> Option<String> {
    while !area.is_empty() {
        let (used, length) = new_length(area)?;
        let subpacket = slice(area, used, length)?;
        let (kind, content) = subpacket.split_first()?;
        match kind & 0x7f {
            SUBPACKET_ISSUER if content.len() == 8 => return Some(hex::encode(content)),
            SUBPACKET_ISSUER_FINGERPRINT => {
                let (version, fingerprint) = content.split_first()?;
                // The id is the end of a version-4 fingerprint and the start of later ones.
                let id = if *version == 4 {
                    fingerprint.get(fingerprint.len().checked_sub(8)?..)
                } else {
                    fingerprint.get(..8)
                };
                return id.map(hex::encode);
            }
            _ => {}
        }
        area = area.get(used + length..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_issuer_in_signatures_of_all_versions() {
        let id = [0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef];
        let mut third = vec![0x88, 19, 3, 5, 0, 1, 2, 3, 4];
        third.extend(id);
        third.extend([1, 8, 0, 0]);
        assert_eq!(key_id(&third).as_deref(), Some("0123456789abcdef"));

        // Version 4, old format of the packet, the issuer among the subpackets that are not hashed.
        let mut body = vec![4, 0, 1, 8, 0, 6, 5, 2, 1, 2, 3, 4, 0, 10, 9, 16];
        body.extend(id);
        body.extend([0, 0]);
        let mut fourth = vec![0x89, 0, u8::try_from(body.len()).unwrap()];
        fourth.extend(&body);
        assert_eq!(key_id(&fourth).as_deref(), Some("0123456789abcdef"));

        // New format, a fingerprint.
        let mut body = vec![4, 0, 1, 8, 0, 23, 22, 33, 4];
        body.extend([0xff; 12]);
        body.extend(id);
        body.extend([0, 0, 0, 0]);
        let mut fingerprint = vec![0xc2, u8::try_from(body.len()).unwrap()];
        fingerprint.extend(&body);
        assert_eq!(key_id(&fingerprint).as_deref(), Some("0123456789abcdef"));
        for length in 0..fingerprint.len() {
            assert_eq!(key_id(&fingerprint[..length]), None);
        }
    }

    #[test]
    fn other_packets_have_no_issuer() {
        assert_eq!(key_id(b""), None);
        assert_eq!(key_id(b"text"), None);
        assert_eq!(key_id(&[0x99, 0, 1, 4]), None);
    }
}
