//! What the texts of the corpus write instead of things that no repository should hold.
//!
//! Whoever looks for secrets in this repository finds none: keys and tokens are put together from pieces, and
//! their random parts come from a seed. Everything made here is of the right form and good for nothing.

use std::io::Read;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::GzDecoder;

use crate::numbers::Numbers;

/// The most that one escape may make.
const ESCAPED_BYTES_MAX: usize = 64 << 10;
/// The most that a packed escape may unpack to.
const UNPACKED_BYTES_MAX: u64 = 4 << 20;

/// The letters of base 62, in the order in which GitHub and npm count with them.
const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Replaces every `{{name:argument:…}}` in a text.
///
/// # Errors
/// Tells what is wrong with the first escape that is none.
pub(crate) fn unescape(text: &str) -> Result<Vec<u8>, String> {
    let mut made = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{{") {
        made.extend_from_slice(&rest.as_bytes()[..start]);
        let inside = &rest[start + 2..];
        let end = inside.find("}}").ok_or("an escape does not end")?;
        made.extend(one(&inside[..end])?);
        rest = &inside[end + 2..];
    }
    made.extend_from_slice(rest.as_bytes());
    Ok(made)
}

fn one(escape: &str) -> Result<Vec<u8>, String> {
    let (name, arguments) = escape.split_once(':').ok_or_else(|| format!("`{escape}` has no argument"))?;
    let parts: Vec<&str> = arguments.split(':').collect();
    let wrong = || format!("the arguments of `{name}` are wrong");
    match (name, parts.as_slice()) {
        ("join", parts) => Ok(parts.concat().into_bytes()),
        ("random", [alphabet, seed, count]) => {
            let alphabet = alphabet_of(alphabet).ok_or_else(wrong)?;
            Ok(random(alphabet, seed, count.parse().map_err(|_| wrong())?))
        }
        ("checked", [prefix, seed]) => Ok(checked_token(prefix, seed)),
        ("pem", [label, seed]) => Ok(pem(label, &der(seed)).into_bytes()),
        // As strings of JSON hold it.
        ("pem-line", [label, seed]) => Ok(pem(label, &der(seed)).replace('\n', "\\n").into_bytes()),
        ("openssh-key", [seed]) => Ok(openssh_key(seed).into_bytes()),
        ("hex", [digits]) => hex::decode(digits).map_err(|_| wrong()),
        ("base64", [text]) => STANDARD.decode(text).map_err(|_| wrong()),
        ("gzip", [text]) => gunzip(text).ok_or_else(wrong),
        ("braces", [text]) => Ok(format!("{{{{{text}}}}}").into_bytes()),
        ("repeat", [count, text]) => {
            let count: usize = count.parse().map_err(|_| wrong())?;
            if count.saturating_mul(text.len()) > ESCAPED_BYTES_MAX {
                return Err(wrong());
            }
            Ok(text.repeat(count).into_bytes())
        }
        _ => Err(wrong()),
    }
}

/// Unpacks what is too large to be written out, lines and all.
fn gunzip(text: &str) -> Option<Vec<u8>> {
    let packed: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let packed = STANDARD.decode(packed).ok()?;
    let mut unpacked = Vec::new();
    let mut limited = GzDecoder::new(packed.as_slice()).take(UNPACKED_BYTES_MAX + 1);
    limited.read_to_end(&mut unpacked).ok()?;
    (unpacked.len() as u64 <= UNPACKED_BYTES_MAX).then_some(unpacked)
}

fn alphabet_of(name: &str) -> Option<&'static [u8]> {
    Some(match name {
        "base62" => BASE62,
        "base64" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
        "base32" => b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567",
        "bech32" => b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        "crypt" => b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
        "hex" => b"0123456789abcdef",
        "digits" => b"0123456789",
        _ => return None,
    })
}

/// Makes letters that look random and are always the same for the same seed.
fn random(alphabet: &[u8], seed: &str, count: usize) -> Vec<u8> {
    let mut numbers = Numbers::new(seed);
    (0..count.min(ESCAPED_BYTES_MAX)).map(|_| alphabet[numbers.below(alphabet.len())]).collect()
}

/// Makes a token that ends with the checksum of its random part, as those of GitHub and npm do.
fn checked_token(prefix: &str, seed: &str) -> Vec<u8> {
    let body = random(BASE62, seed, 30);
    let mut checksum = flate2::Crc::new();
    checksum.update(&body);
    let mut left = checksum.sum() as usize;
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[left % BASE62.len()];
        left /= BASE62.len();
    }
    [prefix.as_bytes(), &body, &digits].concat()
}

/// Makes a sequence of a small and a large whole number, as private keys begin.
fn der(seed: &str) -> Vec<u8> {
    let number: Vec<u8> = random(b"abcdefghijklmnopqrstuvwxyz0123456789", seed, 256);
    let mut body = vec![0x02, 0x01, 0x00, 0x02, 0x82, 0x01, 0x00];
    body.extend(number);
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x30, 0x82][..], &length, &body].concat()
}

fn pem(label: &str, content: &[u8]) -> String {
    let encoded = STANDARD.encode(content);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}

/// Makes an unencrypted key in the form of OpenSSH (PROTOCOL.key), whose numbers are no key.
fn openssh_key(seed: &str) -> String {
    let string = |bytes: &[u8]| {
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes();
        [&length[..], bytes].concat()
    };
    let public_part = random(BASE62, seed, 32);
    let public = [string(b"ssh-ed25519"), string(&public_part)].concat();
    let secret = [&random(BASE62, &format!("{seed} secret"), 32)[..], &public_part].concat();
    let check = 7_u32.to_be_bytes();
    let mut private = [&check[..], &check, &public, &string(&secret), &string(b"nobody@example")].concat();
    for padding in 1_u8.. {
        if private.len().is_multiple_of(8) {
            break;
        }
        private.push(padding);
    }
    let content = [
        b"openssh-key-v1\0".to_vec(),
        string(b"none"),
        string(b"none"),
        string(b""),
        1_u32.to_be_bytes().to_vec(),
        string(&public),
        string(&private),
    ];
    pem("OPENSSH PRIVATE KEY", &content.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(escaped: &str) -> String {
        String::from_utf8(unescape(escaped).unwrap()).unwrap()
    }

    #[test]
    fn pieces_are_joined_and_the_rest_stays() {
        assert_eq!(text("a {{join:b:c:d}} e {{repeat:3:xy}}"), "a bcd e xyxyxy");
        assert_eq!(text("{{braces:name}}"), "{{name}}");
        assert_eq!(unescape("{{hex:7f45}}").unwrap(), [0x7f, 0x45]);
        assert_eq!(text("{{gzip:H4sIAAAAAAACA8vP\nSwUA8YZsegMAAAA=}}"), "one");
    }

    #[test]
    fn the_same_seed_gives_the_same_letters() {
        assert_eq!(text("{{random:base32:one:16}}"), text("{{random:base32:one:16}}"));
        assert_ne!(text("{{random:base32:one:16}}"), text("{{random:base32:two:16}}"));
    }

    #[test]
    fn a_checked_token_ends_with_six_digits_of_its_checksum() {
        let token = text("{{checked:x_:seed}}");
        assert_eq!(token.len(), 2 + 36);
        let mut checksum = flate2::Crc::new();
        checksum.update(&token.as_bytes()[2..32]);
        let digit = |byte: u8| BASE62.iter().position(|other| *other == byte).unwrap() as u64;
        let told = token.as_bytes()[32..].iter().fold(0, |sum, byte| sum * 62 + digit(*byte));
        assert_eq!(told, u64::from(checksum.sum()));
    }

    #[test]
    fn what_is_no_escape_is_refused() {
        for wrong in
            ["{{join:a", "{{nothing:a}}", "{{hex:7}}", "{{random:base1:a:3}}", "{{repeat:99999:abc}}"]
        {
            assert!(unescape(wrong).is_err(), "{wrong}");
        }
    }
}
