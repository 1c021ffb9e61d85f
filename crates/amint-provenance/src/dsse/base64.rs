//! Base64 as envelopes use it.

use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::{DecodeError, Engine};

/// Whether text is padded is not said by the protocol, and libraries differ.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD_ENGINE: GeneralPurpose = GeneralPurpose::new(&STANDARD, CONFIG);
const URL_SAFE_ENGINE: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, CONFIG);

/// Writes the standard alphabet with padding.
pub(super) fn encode(bytes: &[u8]) -> String {
    STANDARD_ENGINE.encode(bytes)
}

/// Reads the standard or the URL-safe alphabet, which verifiers must both accept; a mixture is neither.
pub(super) fn decode(text: &str) -> Result<Vec<u8>, DecodeError> {
    let is_url_safe = text.contains(['-', '_']);
    if is_url_safe { URL_SAFE_ENGINE.decode(text) } else { STANDARD_ENGINE.decode(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_alphabets_but_no_mixture() {
        let bytes = [0xfb, 0xff, 0xfe, 0x3e];
        assert_eq!(encode(&bytes), "+//+Pg==");
        for text in ["+//+Pg==", "-__-Pg==", "+//+Pg", "-__-Pg"] {
            assert_eq!(decode(text).unwrap(), bytes, "{text}");
        }
        for text in ["+__+Pg==", "+//+Pg===", "+//+Ph==", "+//+\nPg==", "+//+P"] {
            assert!(decode(text).is_err(), "{text:?}");
        }
    }
}
