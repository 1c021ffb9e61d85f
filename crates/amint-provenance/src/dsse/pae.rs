//! What is signed.

/// Encodes a payload's type and bytes into the bytes that are signed: DSSE's pre-authentication encoding.
///
/// `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body`, lengths in bytes, decimal.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut bytes = Vec::with_capacity(head.len() + payload.len());
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_the_published_vector() {
        let encoded = pae("http://example.com/HelloWorld", b"hello world");
        assert_eq!(encoded, b"DSSEv1 29 http://example.com/HelloWorld 11 hello world");
    }

    #[test]
    fn lengths_count_bytes_and_an_empty_payload_keeps_its_space() {
        assert_eq!(pae("ä", b""), "DSSEv1 2 ä 0 ".as_bytes());
        assert_eq!(pae("", b"\xff\x00"), b"DSSEv1 0  2 \xff\x00");
    }
}
