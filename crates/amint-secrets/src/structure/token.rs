//! JSON web tokens (RFC 7519).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::engine::{begins_apart, ends_apart};
use crate::kind::{Hit, Window};

const TOKEN_BYTES_MAX: usize = 8192;
const HEADER_BYTES_MAX: usize = 2048;
const SIGNATURE_BYTES_MIN: usize = 20;

/// Three parts of base64url, the first of which is JSON and names an algorithm.
pub(crate) fn json_web_token(window: &Window<'_>) -> Option<Hit> {
    // A minus belongs to the alphabet too; content of nothing else would be read again for each `eyJ` in it.
    if !begins_apart(window.bytes, window.at) || window.behind(1) == b"-" {
        return None;
    }
    let ahead = window.ahead();
    let ahead = ahead.get(..ahead.len().min(TOKEN_BYTES_MAX))?;
    let header = part(ahead)?;
    if header.len() > HEADER_BYTES_MAX {
        return None;
    }
    let header_text: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    header_text.get("alg")?.as_str()?;
    let claims = part(ahead.get(header.len()..)?.strip_prefix(b".")?)?;
    let signature = part(ahead.get(header.len() + claims.len() + 1..)?.strip_prefix(b".")?)?;
    if signature.len() < SIGNATURE_BYTES_MIN {
        return None;
    }
    let claims_text: serde_json::Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    let end = window.at + header.len() + claims.len() + signature.len() + 2;
    if !claims_text.is_object() || !ends_apart(window.bytes, end) {
        return None;
    }
    let issuer = claims_text.get("iss").and_then(|issuer| issuer.as_str()).filter(|issuer| is_plain(issuer));
    let note = issuer.map(|issuer| format!("issued by {issuer}"));
    Some(Hit { start: window.at, end, shown: "eyJ".to_owned(), note, ..Hit::default() })
}

fn is_plain(issuer: &str) -> bool {
    issuer.len() <= 100 && issuer.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/._-".contains(&byte))
}

/// Returns the characters of base64url that begin the bytes. None of the three parts is empty.
fn part(bytes: &[u8]) -> Option<&[u8]> {
    let length =
        bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')).count();
    bytes.get(..length).filter(|part| !part.is_empty())
}
