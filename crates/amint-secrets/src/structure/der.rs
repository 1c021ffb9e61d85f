//! Keys in DER: PKCS #8 (RFC 5958), PKCS #1 (RFC 8017 A.1.2), SEC 1 (RFC 5915), PKCS #12 (RFC 7292).
//!
//! A keyword is an identifier that such keys hold; lengths around it must agree before anything is told. Programs that
//! write keys hold the identifiers too, but not with a key behind them.

use amint_types::Severity;

use crate::judge::entropy;
use crate::kind::{Hit, Window};

/// Bytes of a modulus: 512 to 16,384 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 64..=2049;

/// The content of one element, and where it begins and ends in the bytes that were read.
struct Element {
    tag: u8,
    start: usize,
    end: usize,
}

/// Reads the head of the element at `at`. Its content may reach beyond the bytes.
fn element(bytes: &[u8], at: usize) -> Option<Element> {
    let tag = *bytes.get(at)?;
    let first = *bytes.get(at + 1)?;
    let (length, start) = match first {
        0..=0x7F => (usize::from(first), at + 2),
        0x81 => (usize::from(*bytes.get(at + 2)?), at + 3),
        0x82 => (usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?])), at + 4),
        0x83 => (
            usize::try_from(u32::from_be_bytes([
                0,
                *bytes.get(at + 2)?,
                *bytes.get(at + 3)?,
                *bytes.get(at + 4)?,
            ]))
            .ok()?,
            at + 5,
        ),
        _ => return None,
    };
    Some(Element { tag, start, end: start.checked_add(length)? })
}

/// Finds the sequence that begins just before `at`, with a head of two to five bytes.
fn sequence_before(bytes: &[u8], at: usize) -> Option<(usize, Element)> {
    (2..=5).find_map(|head| {
        let start = at.checked_sub(head)?;
        let found = element(bytes, start)?;
        (found.tag == 0x30 && found.start == at && found.end > at).then_some((start, found))
    })
}

fn hit(start: usize, end: usize, window: &Window<'_>) -> Hit {
    Hit { start, end: end.min(window.bytes.len()), ..Hit::default() }
}

/// Tells whether the element begins the file: then it is a key by its form alone, whatever its number.
fn is_file(start: usize, window: &Window<'_>) -> bool {
    window.offset.checked_sub((window.at - start) as u64) == Some(0)
}

fn is_random(bytes: &[u8]) -> bool {
    // 32 random bytes have about 4.9 bits per byte, a table of a program far less.
    bytes.len() >= 28 && entropy(bytes) >= 4.0
}

/// RSA in PKCS #8: version 0, the identifier of RSA, and a key of PKCS #1 inside.
pub(crate) fn pkcs8_rsa(window: &Window<'_>) -> Option<Hit> {
    let bytes = window.bytes;
    let algorithm_at = window.at.checked_sub(2)?;
    let version_at = algorithm_at.checked_sub(3)?;
    let (start, outer) = sequence_before(bytes, version_at)?;
    let algorithm = element(bytes, algorithm_at)?;
    let holder = element(bytes, algorithm.end)?;
    let is_key = bytes.get(version_at..algorithm_at) == Some(&[2, 1, 0])
        && algorithm.tag == 0x30
        && holder.tag == 0x04
        && holder.end <= outer.end
        && rsa(bytes, holder.start).is_some();
    is_key.then(|| hit(start, outer.end, window))
}

/// RSA in PKCS #1, alone.
pub(crate) fn pkcs1(window: &Window<'_>) -> Option<Hit> {
    let (start, outer) = sequence_before(window.bytes, window.at)?;
    // Inside PKCS #8 it is told as that.
    let is_inside = (3..=5).any(|head| {
        start
            .checked_sub(head)
            .and_then(|at| element(window.bytes, at))
            .is_some_and(|found| found.tag == 0x04 && found.start == start && found.end >= outer.end)
    });
    (!is_inside && rsa(window.bytes, start).is_some()).then(|| hit(start, outer.end, window))
}

/// Checks a key of PKCS #1: version 0, modulus, public exponent, private exponent.
fn rsa(bytes: &[u8], at: usize) -> Option<()> {
    let outer = element(bytes, at)?;
    let modulus = element(bytes, outer.start + 3)?;
    let exponent = element(bytes, modulus.end)?;
    let private = element(bytes, exponent.end)?;
    let numbers = bytes.get(modulus.start..modulus.end)?;
    let is_key = outer.tag == 0x30
        && bytes.get(outer.start..outer.start + 3) == Some(&[2, 1, 0])
        && modulus.tag == 2
        && exponent.tag == 2
        && private.tag == 2
        && MODULUS_BYTES.contains(&numbers.len())
        && numbers.last().is_some_and(|last| last % 2 == 1)
        && (1..=8).contains(&(exponent.end - exponent.start))
        && private.end <= outer.end
        && entropy(numbers) > 4.0;
    is_key.then_some(())
}

/// A key on a named curve in PKCS #8.
pub(crate) fn pkcs8_ec(window: &Window<'_>) -> Option<Hit> {
    let bytes = window.bytes;
    let algorithm_at = window.at.checked_sub(2)?;
    let version_at = algorithm_at.checked_sub(3)?;
    if bytes.get(version_at..version_at + 3) != Some(&[2, 1, 0]) {
        return None;
    }
    let (start, outer) = sequence_before(bytes, version_at)?;
    let algorithm = element(bytes, algorithm_at)?;
    let holder = element(bytes, algorithm.end)?;
    let inner = element(bytes, holder.start)?;
    let number = element(bytes, inner.start + 3)?;
    let is_key = algorithm.tag == 0x30
        && holder.tag == 0x04
        && inner.tag == 0x30
        && number.tag == 0x04
        && bytes.get(inner.start..inner.start + 3) == Some(&[2, 1, 1])
        && holder.end <= outer.end
        && has_public_key_or_ends(bytes, number.end, inner.end)
        && is_random(bytes.get(number.start..number.end)?);
    is_key.then(|| hit(start, outer.end, window))
}

/// Tells whether what follows a private number of SEC 1 is what may: the curve, the public key, or nothing.
///
/// Programs that write keys hold the bytes before and after the number, without one between them.
fn has_public_key_or_ends(bytes: &[u8], at: usize, end: usize) -> bool {
    at == end || at < end && matches!(bytes.get(at), Some(0xA0 | 0xA1))
}

/// A key on a Montgomery or Edwards curve in PKCS #8 (RFC 8410).
pub(crate) fn pkcs8_edwards(window: &Window<'_>) -> Option<Hit> {
    let bytes = window.bytes;
    let (start, outer) = sequence_before(bytes, window.at)?;
    let curve = *bytes.get(window.at + 9)?;
    let holder = element(bytes, window.at + 10)?;
    let key = element(bytes, holder.start)?;
    let key_bytes = match curve {
        0x6E | 0x70 => 32,
        0x6F => 56,
        0x71 => 57,
        _ => return None,
    };
    let is_key = holder.tag == 4
        && key.tag == 4
        && key.end - key.start == key_bytes
        && key.end <= outer.end
        && (is_file(start, window) || is_random(bytes.get(key.start..key.end)?));
    is_key.then(|| hit(start, outer.end, window))
}

/// A key on a named curve, alone.
pub(crate) fn sec1(window: &Window<'_>) -> Option<Hit> {
    let bytes = window.bytes;
    let (start, outer) = sequence_before(bytes, window.at)?;
    let number = element(bytes, window.at + 3)?;
    let parameters = element(bytes, number.end)?;
    let curve = element(bytes, parameters.start)?;
    let is_key = parameters.tag == 0xA0
        && curve.tag == 0x06
        && parameters.end <= outer.end
        && is_random(bytes.get(number.start..number.end)?);
    is_key.then(|| hit(start, outer.end, window))
}

/// A key of PKCS #8 with a passphrase, as a file of its own.
pub(crate) fn encrypted(window: &Window<'_>) -> Option<Hit> {
    let bytes = window.bytes;
    let (algorithm_at, algorithm) = sequence_before(bytes, window.at)?;
    let (start, outer) = sequence_before(bytes, algorithm_at)?;
    let holder = element(bytes, algorithm.end)?;
    let content = bytes.get(holder.start..holder.end.min(bytes.len()))?;
    let is_key = is_file(start, window) && holder.tag == 4 && holder.end == outer.end && is_random(content);
    is_key.then(|| Hit {
        note: Some("encrypted with a passphrase".to_owned()),
        ..hit(start, outer.end, window)
    })
}

/// A store of keys and certificates with a passphrase.
pub(crate) fn pkcs12(window: &Window<'_>) -> Option<Hit> {
    const KEY_BAG: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x01";
    const SHROUDED_KEY_BAG: &[u8] = b"\x2A\x86\x48\x86\xF7\x0D\x01\x0C\x0A\x01\x02";
    let bytes = window.bytes;
    // Version 3 stands before the outer content; inner contents have none.
    let version_at = (2..=5)
        .filter_map(|head| window.at.checked_sub(head + 3))
        .find(|at| bytes.get(*at..*at + 3) == Some(&[2, 1, 3]) && bytes.get(*at + 3) == Some(&0x30))?;
    let (start, end) = match sequence_before(bytes, version_at) {
        Some((start, outer)) => (start, outer.end),
        // Java and browsers also write lengths that are told only at the end.
        None if version_at >= 2 && bytes.get(version_at - 2..version_at) == Some(&[0x30, 0x80]) => {
            (version_at - 2, bytes.len())
        }
        None => return None,
    };
    let content = bytes.get(window.at..end.min(bytes.len()))?;
    let holds = |bag: &[u8]| memchr::memmem::find(content, bag).is_some();
    let (severity, note) = match (holds(KEY_BAG), holds(SHROUDED_KEY_BAG)) {
        (true, _) => (Severity::Critical, "holds a private key, not encrypted"),
        (false, true) => (Severity::High, "holds a private key, encrypted with a passphrase"),
        (false, false) => (Severity::Low, "holds certificates, or keys in an encrypted part"),
    };
    Some(Hit { severity: Some(severity), note: Some(note.to_owned()), ..hit(start, end, window) })
}
