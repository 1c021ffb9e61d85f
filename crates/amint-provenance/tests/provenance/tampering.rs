//! Every byte of an envelope counts.
//!
//! Short payloads, since each change costs a verification, and those are slow without optimisation.

use std::sync::LazyLock;

use amint_provenance::{
    Envelope, KeyId, PAYLOAD_TYPE, PublicKey, VerifyError, verify_envelope, verify_signatures,
};
use serde_json::{Value, json};

use super::support::{key, signed};

static TRUSTED: LazyLock<[PublicKey; 2]> =
    LazyLock::new(|| [0, 1].map(|number| key(number).public_key().clone()));

fn short() -> Envelope {
    Envelope::sign(PAYLOAD_TYPE, br#"{"_type":"https://in-toto.io/Statement/v1"}"#.to_vec(), &key(0))
}

fn verify(bytes: &[u8]) -> Result<Vec<KeyId>, VerifyError> {
    verify_signatures(&Envelope::from_json(bytes)?, &*TRUSTED)
}

fn value() -> Value {
    serde_json::from_slice(&short().to_json().unwrap()).unwrap()
}

/// Changes each character of a text once, into another character of base64 and hexadecimal.
fn changes(text: &Value) -> Vec<Value> {
    let text = text.as_str().unwrap();
    let change = |at: usize| {
        let other = if text.as_bytes()[at] == b'a' { "b" } else { "a" };
        json!(format!("{}{other}{}", &text[..at], &text[at + 1..]))
    };
    (0..text.len()).map(change).collect()
}

#[test]
fn each_character_counts() {
    verify(value().to_string().as_bytes()).unwrap();
    for pointer in ["/payload", "/payloadType", "/signatures/0/sig", "/signatures/0/keyid"] {
        for changed in changes(value().pointer(pointer).unwrap()) {
            let mut value = value();
            *value.pointer_mut(pointer).unwrap() = changed;
            let refused = verify(value.to_string().as_bytes()).unwrap_err();
            let is_as_expected = match pointer {
                "/signatures/0/keyid" => matches!(refused, VerifyError::Untrusted { .. }),
                "/payloadType" => matches!(refused, VerifyError::BadSignature { .. }),
                // The last character before the padding may become one that base64 does not allow there.
                _ => matches!(refused, VerifyError::BadSignature { .. } | VerifyError::Envelope(_)),
            };
            assert!(is_as_expected, "{value}: {refused:?}");
        }
    }
}

#[test]
fn each_bit_of_payload_and_signature_counts() {
    use base64::Engine;
    let base64 = base64::engine::general_purpose::STANDARD;
    let envelope = short();
    let decoded = [
        ("/payload", envelope.payload().to_vec()),
        ("/signatures/0/sig", envelope.signatures()[0].signature.clone()),
    ];
    for (pointer, bytes) in decoded {
        for bit in 0..bytes.len() * 8 {
            let mut bytes = bytes.clone();
            bytes[bit / 8] ^= 1 << (bit % 8);
            let mut value = value();
            *value.pointer_mut(pointer).unwrap() = json!(base64.encode(bytes));
            let refused = verify(value.to_string().as_bytes());
            assert!(matches!(refused, Err(VerifyError::BadSignature { .. })), "{pointer}, bit {bit}");
        }
    }
}

#[test]
fn a_cut_or_changed_file_never_reads_as_something_else() {
    let expected = short();
    let bytes = expected.to_json().unwrap();
    for length in 0..bytes.len() - 1 {
        assert!(verify(&bytes[..length]).is_err(), "{length} bytes");
    }
    for at in 0..bytes.len() {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        if verify(&bytes).is_ok() {
            // Left is what carries no meaning: the name of the field of the hint, the last line break.
            let read = Envelope::from_json(&bytes).unwrap();
            assert_eq!((read.payload_type(), read.payload()), (expected.payload_type(), expected.payload()));
            assert_eq!(read.signatures()[0].signature, expected.signatures()[0].signature);
        }
    }
}

#[test]
fn a_changed_statement_is_refused() {
    let bytes = signed().to_json().unwrap();
    verify_envelope(&bytes, &*TRUSTED).unwrap();
    for at in (0..bytes.len() - 1).step_by(97) {
        let mut bytes = bytes.clone();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        assert!(verify_envelope(&bytes, &*TRUSTED).is_err(), "byte {at}");
    }
}

#[test]
fn the_signature_of_another_key_does_not_hold() {
    let mut value = value();
    value["signatures"][0]["keyid"] = json!(key(1).public_key().id().to_string());
    assert!(matches!(verify(value.to_string().as_bytes()), Err(VerifyError::BadSignature { .. })));
}
