//! Base64 as the metadata service gives it, and PEM (RFC 7468).
//!
//! Strict: no blanks but the ends of lines, full padding, no left-over bits. What is decoded has one text only, up to
//! its line ends.

/// The text is no base64 or PEM; the text says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ArmourError(pub(crate) &'static str);

const PAD: u8 = b'=';

fn value(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

/// Decodes base64, which may be in lines.
pub(crate) fn decode(text: &[u8]) -> Result<Vec<u8>, ArmourError> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count, mut pads) = (0_u32, 0_u32, 0_u32);
    for &byte in text.iter().filter(|byte| !matches!(byte, b'\n' | b'\r')) {
        if byte == PAD {
            pads += 1;
            if count + pads > 4 || count < 2 {
                return Err(ArmourError("padding in the wrong place"));
            }
            continue;
        }
        let value = value(byte).ok_or(ArmourError("a character that is no base64"))?;
        if pads > 0 {
            return Err(ArmourError("padding in the wrong place"));
        }
        bits = (bits << 6) | value;
        count += 1;
        if count == 4 {
            let [_, first, second, third] = bits.to_be_bytes();
            bytes.extend([first, second, third]);
            (bits, count) = (0, 0);
        }
    }
    let (shift, length) = match (count, pads) {
        (0, 0) => return Ok(bytes),
        (2, 2) => (12, 1),
        (3, 1) => (6, 2),
        _ => return Err(ArmourError("base64 of the wrong length")),
    };
    let [_, group @ ..] = (bits << shift).to_be_bytes();
    let (kept, left_over) = group.split_at(length);
    if left_over.iter().any(|byte| *byte != 0) {
        return Err(ArmourError("bits after the end"));
    }
    bytes.extend_from_slice(kept);
    Ok(bytes)
}

/// Decodes the one PEM block of `text`, which is labelled with one of `labels`.
pub(crate) fn decode_pem(text: &[u8], labels: &[&str]) -> Result<Vec<u8>, ArmourError> {
    for label in labels {
        let begin = format!("-----BEGIN {label}-----");
        let Some(rest) = text.strip_prefix(begin.as_bytes()) else { continue };
        let rest = strip_line_end(rest).ok_or(ArmourError("a first line of PEM that goes on"))?;
        let end = format!("-----END {label}-----");
        let body = rest.strip_suffix(b"\n").unwrap_or(rest);
        let body = body.strip_suffix(b"\r").unwrap_or(body);
        let body = body.strip_suffix(end.as_bytes()).ok_or(ArmourError("PEM without its last line"))?;
        return decode(body);
    }
    Err(ArmourError("no PEM of the expected kind"))
}

fn strip_line_end(text: &[u8]) -> Option<&[u8]> {
    text.strip_prefix(b"\n").or_else(|| text.strip_prefix(b"\r\n"))
}

/// Decodes what the metadata service gives, with or without the lines of PEM around it.
pub(crate) fn decode_signature(text: &[u8]) -> Result<Vec<u8>, ArmourError> {
    if text.starts_with(b"-----") { decode_pem(text, &["PKCS7", "CMS"]) } else { decode(text) }
}

/// Writes base64 in lines of 76 characters without a newline at the end, as the metadata service does.
#[cfg(feature = "local-keys")]
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len() / 3 * 4 + bytes.len() / 57 + 4);
    for (at, group) in bytes.chunks(3).enumerate() {
        if at > 0 && at % 19 == 0 {
            text.push('\n');
        }
        let part = |index: usize| u32::from(group.get(index).copied().unwrap_or_default());
        let bits = (part(0) << 16) | (part(1) << 8) | part(2);
        for index in 0..4_usize {
            let shift = [18, 12, 6, 0].get(index).copied().unwrap_or_default();
            let letter = ALPHABET.get(usize::try_from((bits >> shift) & 63).unwrap_or_default());
            text.push(if index > group.len() { '=' } else { letter.copied().map_or('=', char::from) });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_all_lengths() {
        for (text, bytes) in
            [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9v\r\nYmFy\n", "foobar")]
        {
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes.as_bytes(), "{text}");
        }
    }

    #[cfg(feature = "local-keys")]
    #[test]
    fn writes_what_it_reads() {
        for length in 0..200 {
            let bytes: Vec<u8> = (0..length).collect();
            let text = encode(&bytes);
            assert_eq!(decode(text.as_bytes()).unwrap(), bytes);
            assert!(text.lines().all(|line| line.len() <= 76));
        }
        let sample = include_str!("../tests/data/c-rsa2048-us-west-2-2021.pkcs7.b64");
        assert_eq!(encode(&decode(sample.as_bytes()).unwrap()), sample);
    }

    #[test]
    fn refuses_other_writings_of_the_same_bytes() {
        for text in ["Zh==", "Zm9=", "Zg=", "Zg", "Z", "=Zg=", "Zg==Zg==", "Zm 8=", "Zm9v=", "Zm-_", "===="] {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_pem_with_either_line_end() {
        for text in [
            "-----BEGIN CMS-----\nZm9v\n-----END CMS-----",
            "-----BEGIN PKCS7-----\r\nZm9v\r\n-----END PKCS7-----\r\n",
        ] {
            assert_eq!(decode_signature(text.as_bytes()).unwrap(), b"foo");
        }
        for text in [
            "-----BEGIN CMS-----Zm9v-----END CMS-----",
            "-----BEGIN CMS-----\nZm9v",
            "-----BEGIN KEY-----\nZm9v\n-----END KEY-----",
        ] {
            assert!(decode_signature(text.as_bytes()).is_err(), "{text}");
        }
    }
}
