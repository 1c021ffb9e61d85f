//! Stores of keys that a magic number begins.

use amint_types::Severity;

use crate::judge::entropy;
use crate::kind::{Hit, Window};

/// Entries of a Java store, at most; a real one has some hundred.
const JAVA_ENTRIES_MAX: u32 = 100_000;

fn hit(window: &Window<'_>, bytes: usize) -> Hit {
    Hit { start: window.at, end: window.bytes.len().min(window.at.saturating_add(bytes)), ..Hit::default() }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

/// JKS or JCEKS: version, count, then entries whose tag tells a private key (1), a certificate (2) or a secret key (3).
pub(crate) fn java(window: &Window<'_>) -> Option<Hit> {
    let ahead = window.ahead();
    let (version, count, tag) = (number(ahead, 4)?, number(ahead, 8)?, number(ahead, 12)?);
    let alias_bytes = u16::from_be_bytes(*ahead.get(16..)?.first_chunk::<2>()?);
    let is_store = matches!(version, 1 | 2)
        && (1..=JAVA_ENTRIES_MAX).contains(&count)
        && (1..=512).contains(&alias_bytes);
    let alias = ahead.get(18..)?.get(..usize::from(alias_bytes))?;
    if !is_store || alias.iter().any(u8::is_ascii_control) {
        return None;
    }
    match tag {
        1 => Some(Hit {
            note: Some(format!("{count} entries, the first a private key with a passphrase")),
            ..hit(window, 64)
        }),
        3 => Some(Hit {
            note: Some(format!("{count} entries, the first a secret key with a passphrase")),
            ..hit(window, 64)
        }),
        2 => Some(Hit {
            note: Some(format!("{count} entries, the first a certificate; the others are not looked at")),
            severity: Some(Severity::Info),
            ..hit(window, 64)
        }),
        _ => None,
    }
}

/// `KeePass`: the two signatures, then the version of the format.
pub(crate) fn keepass(window: &Window<'_>) -> Option<Hit> {
    let ahead = window.ahead();
    let is_old = ahead.get(4) == Some(&0x65);
    let version = u32::from_le_bytes(*ahead.get(8..)?.first_chunk::<4>()?);
    let major = version >> 16;
    let is_database = if is_old {
        ahead.len() >= 124
    } else {
        matches!(major, 1..=4) && version & 0xFFFF <= 4 && ahead.len() >= 64
    };
    is_database.then(|| Hit { note: Some("encrypted with a passphrase".to_owned()), ..hit(window, 124) })
}

/// The key of an onion service: 64 bytes behind the head, which is filled up to 32.
pub(crate) fn tor(window: &Window<'_>) -> Option<Hit> {
    let key = window.ahead().get(32..96)?;
    (window.ahead().get(29..32) == Some(&[0; 3]) && entropy(key) > 4.5).then(|| hit(window, 96))
}

/// git-crypt: version 2, then fields with the key.
pub(crate) fn git_crypt(window: &Window<'_>) -> Option<Hit> {
    let ahead = window.ahead();
    (number(ahead, 12)? <= 8 && ahead.len() >= 100 && entropy(ahead.get(..148.min(ahead.len()))?) > 4.0)
        .then(|| hit(window, 148))
}
