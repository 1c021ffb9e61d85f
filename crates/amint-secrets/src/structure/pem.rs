//! Armoured keys (RFC 7468, RFC 9580 section 6, `PROTOCOL.key` of OpenSSH).
//!
//! The last line may be missing: what lies in free space is often cut. A label alone, as every program that reads keys
//! has it, is nothing: bytes of the right structure must follow. Line feeds may be written as `\n`, as JSON does.

use amint_types::Severity;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::judge::entropy;
use crate::kind::{Hit, Window};
use crate::limits::SECRET_BYTES_MAX;

/// Characters of the shortest key: Ed25519 in PKCS #8.
const BODY_CHARACTERS_MIN: usize = 60;
/// What is decoded to judge the structure.
const HEAD_CHARACTERS: usize = 120;
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What stands between the lines of an armour.
struct Armour {
    label: String,
    /// Lines `Name: value` before the content.
    headers: Vec<u8>,
    /// The first characters of the content.
    head: Vec<u8>,
    characters: usize,
    /// Where the content is, in the window.
    start: usize,
    end: usize,
    is_random: bool,
}

/// A key in DER: begins with a sequence that holds a version.
pub(crate) fn der(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, is_base64)?;
    if memchr::memmem::find(&armour.headers, b"ENCRYPTED").is_some() {
        return Some(armour.hit_encrypted());
    }
    let head = armour.decoded();
    // A sequence, its length in one to four bytes, the version 0 or 1.
    let is_key = head.first() == Some(&0x30)
        && (2..6).any(|at| matches!(head.get(at..at + 3), Some([0x02, 0x01, 0x00 | 0x01])));
    is_key.then(|| armour.hit(None))
}

/// A key that only its passphrase, or a device, opens.
pub(crate) fn encrypted(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, is_base64)?;
    matches!(armour.decoded().first(), Some(0x30 | b'{')).then(|| armour.hit_encrypted())
}

/// OpenSSH's own form, which names the cipher.
pub(crate) fn openssh(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, is_base64)?;
    let head = armour.decoded();
    let rest = head.strip_prefix(b"openssh-key-v1\0")?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let cipher = rest.get(..usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
    Some(if cipher == b"none" { armour.hit(None) } else { armour.hit_encrypted() })
}

/// The form of SSH.COM: the magic number, then the length.
pub(crate) fn ssh2(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, is_base64)?;
    armour.decoded().starts_with(&[0x3F, 0x6F, 0xF9, 0xEB]).then(|| armour.hit(None))
}

/// A block of `OpenPGP` whose first packet is a secret key (tag 5).
pub(crate) fn openpgp(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, is_base64)?;
    let is_key = matches!(armour.decoded().first(), Some(0xC5 | 0x94..=0x97));
    is_key.then(|| armour.hit(Some("may have a passphrase")))
}

/// Sixteen lines of hexadecimal digits.
pub(crate) fn openvpn(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, |byte| byte.is_ascii_hexdigit())?;
    (armour.characters >= 256).then(|| armour.hit(None))
}

/// A client or server key of tls-crypt-v2.
pub(crate) fn openvpn_crypt(window: &Window<'_>) -> Option<Hit> {
    let armour = read(window, is_base64)?;
    (armour.characters >= 100).then(|| armour.hit(None))
}

impl Armour {
    fn decoded(&self) -> Vec<u8> {
        let whole = self.head.len() - self.head.len() % 4;
        self.head.get(..whole).and_then(|head| LENIENT.decode(head).ok()).unwrap_or_default()
    }

    fn hit(&self, note: Option<&str>) -> Hit {
        Hit {
            start: self.start,
            end: self.end,
            shown: format!("{} ", self.label),
            note: note.map(str::to_owned),
            is_placeholder: !self.is_random,
            ..Hit::default()
        }
    }

    fn hit_encrypted(&self) -> Hit {
        Hit { severity: Some(Severity::High), ..self.hit(Some("encrypted with a passphrase")) }
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

fn read(window: &Window<'_>, is_content: fn(u8) -> bool) -> Option<Armour> {
    let ahead = window.ahead();
    let ahead = ahead.get(..ahead.len().min(SECRET_BYTES_MAX))?;
    // The label has five dashes before and behind it; SSH.COM's four and a space.
    let dashes_at = 11 + memchr::memmem::find(ahead.get(11..)?.get(..80.min(ahead.len() - 11))?, b"----")?;
    let mut label_end = dashes_at;
    while ahead.get(label_end) == Some(&b'-') {
        label_end += 1;
    }
    let label = String::from_utf8_lossy(ahead.get(..label_end)?).into_owned();
    let body = ahead.get(label_end..)?;
    let headers_bytes = headers(body);
    let mut armour = Armour {
        label,
        headers: body.get(..headers_bytes)?.to_vec(),
        head: Vec::with_capacity(HEAD_CHARACTERS),
        characters: 0,
        start: 0,
        end: 0,
        is_random: true,
    };
    let from = window.at + label_end + headers_bytes;
    gather(body.get(headers_bytes..)?, from, is_content, &mut armour);
    armour.is_random = entropy(&armour.head) > 2.0;
    (armour.characters >= BODY_CHARACTERS_MIN).then_some(armour)
}

/// Returns the bytes of line ends and lines `Name: value` before the content.
fn headers(body: &[u8]) -> usize {
    let mut at = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n').take(16) {
        let text = line.trim_ascii();
        let is_header = text.len() < 128 && text.contains(&b':') || text.ends_with(b"\\") && text.len() < 128;
        if !text.is_empty() && !is_header {
            break;
        }
        at += line.len();
    }
    at
}

/// Counts the content, passing over what may stand between its lines, until anything else comes.
fn gather(body: &[u8], from: usize, is_content: fn(u8) -> bool, armour: &mut Armour) {
    let mut at = 0;
    while let Some(&byte) = body.get(at) {
        let next = body.get(at + 1).copied();
        if is_content(byte) {
            if armour.characters == 0 {
                armour.start = from + at;
            }
            armour.characters += 1;
            armour.end = from + at + 1;
            if armour.head.len() < HEAD_CHARACTERS {
                armour.head.push(byte);
            }
            at += 1;
        } else if byte == b'\\' && matches!(next, Some(b'n' | b'r' | b't')) {
            at += 2;
        } else if byte.is_ascii_whitespace()
            || matches!(byte, b'"' | b'\'' | b',' | b'\\')
            || byte == b'#' && armour.characters == 0
        {
            at += 1;
        } else {
            return;
        }
    }
}
