//! Envelopes: their JSON, several signatures, trust.

use amint_provenance::{
    Envelope, EnvelopeError, PAYLOAD_TYPE, SIGNATURES_MAX, SigningKey, StatementError, VerifyError,
    provenance, sign_statement, verify_envelope, verify_signatures,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::support::{input, key, signed};

fn json_of(envelope: &Envelope) -> Value {
    serde_json::from_slice(&envelope.to_json().unwrap()).unwrap()
}

fn verify(value: &Value, keys: &[SigningKey]) -> Result<Vec<String>, VerifyError> {
    let trusted: Vec<_> = keys.iter().map(|key| key.public_key().clone()).collect();
    let verified = verify_envelope(&serde_json::to_vec(value).unwrap(), &trusted)?;
    assert_eq!(verified.statement, provenance(&input()));
    Ok(verified.signers.iter().map(ToString::to_string).collect())
}

#[test]
fn signs_and_verifies() {
    let envelope = signed();
    let bytes = envelope.to_json().unwrap();
    assert_eq!(Envelope::from_json(&bytes).unwrap(), envelope);
    assert_eq!(bytes, signed().to_json().unwrap(), "Ed25519 signatures are always the same");
    let value = json_of(&envelope);
    assert_eq!(value["payloadType"], "application/vnd.in-toto+json");
    // SHA-256 of the SubjectPublicKeyInfo of RFC 8032's first key, as OpenSSL and sha256sum tell it.
    let id = "06e3fd8fda29bb60ab59557de61edb0aecdb231134be30e75b455f8e1b792fa9";
    assert_eq!(value["signatures"][0]["keyid"], id);
    assert_eq!(verify(&value, &[key(1), key(0)]).unwrap(), [id]);
}

#[test]
fn url_safe_base64_without_padding_verifies() {
    let mut value = json_of(&signed());
    let url_safe = |text: &Value| {
        let text = text.as_str().unwrap().replace('+', "-").replace('/', "_");
        json!(text.trim_end_matches('='))
    };
    value["payload"] = url_safe(&value["payload"]);
    value["signatures"][0]["sig"] = url_safe(&value["signatures"][0]["sig"]);
    verify(&value, &[key(0)]).unwrap();
}

#[test]
fn a_key_id_is_a_hint_that_may_be_absent() {
    for keyid in [Value::Null, json!("")] {
        let mut value = json_of(&signed());
        value["signatures"][0]["keyid"] = keyid;
        assert_eq!(verify(&value, &[key(1), key(0)]).unwrap().len(), 1);
        let refused = verify(&value, &[key(1)]);
        assert!(matches!(&refused, Err(VerifyError::Untrusted { seen }) if seen.is_empty()), "{refused:?}");
    }
}

#[test]
fn one_of_several_signatures_is_enough_and_each_signer_is_told() {
    let mut envelope = signed();
    envelope.add_signature(&key(1)).unwrap();
    envelope.add_signature(&key(0)).unwrap();
    assert_eq!(envelope.signatures().len(), 2, "a key signs once");
    let value = json_of(&envelope);
    let ids = [0, 1].map(|number| key(number).public_key().id().to_string());
    assert_eq!(verify(&value, &[key(1), key(0)]).unwrap(), ids);
    assert_eq!(verify(&value, &[key(1)]).unwrap(), ids[1..]);
    // The first signature repeated under the id of the second key, as anybody could.
    let mut forged = value.clone();
    forged["signatures"][1]["sig"] = value["signatures"][0]["sig"].clone();
    assert_eq!(verify(&forged, &[key(0), key(1)]).unwrap(), ids[..1]);
    let refused = verify(&forged, &[key(1)]);
    assert!(matches!(refused, Err(VerifyError::BadSignature { .. })), "{refused:?}");
}

#[test]
fn strangers_and_nobody_are_not_trusted() {
    let value = json_of(&signed());
    let refused = verify(&value, &[key(1)]).unwrap_err();
    assert!(refused.to_string().contains(&key(0).public_key().id().to_string()), "{refused}");
    assert!(matches!(verify(&value, &[]), Err(VerifyError::NoTrustedKeys)));
}

#[test]
fn signed_payloads_of_other_kinds_are_told_apart() {
    let trusted = [key(0).public_key().clone()];
    let verify = |payload_type: &str, payload: &[u8]| {
        let envelope = Envelope::sign(payload_type, payload.to_vec(), &key(0));
        verify_signatures(&envelope, &trusted).unwrap();
        verify_envelope(&envelope.to_json().unwrap(), &trusted)
    };
    let statement = provenance(&input()).to_json();
    verify("application/vnd.in-toto.provenance+json", &statement).unwrap();
    let refused = verify("application/json", &statement);
    assert!(matches!(refused, Err(VerifyError::PayloadType { .. })), "{refused:?}");
    let refused = verify(PAYLOAD_TYPE, b"hello");
    assert!(matches!(refused, Err(VerifyError::Statement(StatementError::Form { .. }))), "{refused:?}");
    let refused = verify(PAYLOAD_TYPE, b"");
    assert!(matches!(refused, Err(VerifyError::Statement(StatementError::Form { .. }))), "{refused:?}");
}

#[test]
fn statements_that_no_verifier_would_read_are_not_signed() {
    let mut statement = provenance(&input());
    statement.subject.clear();
    assert!(matches!(sign_statement(&statement, &key(0)), Err(StatementError::NoSubject)));
}

#[test]
fn what_is_no_envelope_is_refused() {
    for text in ["", "[]", "{}", "{\"payload\":\"\",\"payloadType\":\"\"}"] {
        let read = Envelope::from_json(text.as_bytes());
        assert!(matches!(read, Err(EnvelopeError::Form { .. })), "{text:?}: {read:?}");
    }
    let mut value = json_of(&signed());
    value["signatures"] = Value::Null;
    let read = Envelope::from_json(value.to_string().as_bytes());
    assert!(matches!(read, Err(EnvelopeError::Unsigned)), "{read:?}");
    value["signatures"] = json!([{ "sig": "?" }]);
    let read = Envelope::from_json(value.to_string().as_bytes());
    assert!(matches!(read, Err(EnvelopeError::Base64 { field: "sig", .. })), "{read:?}");
    value["signatures"] = json!([{ "sig": "" }]);
    value["payload"] = json!("a");
    let read = Envelope::from_json(value.to_string().as_bytes());
    assert!(matches!(read, Err(EnvelopeError::Base64 { field: "payload", .. })), "{read:?}");
    // A field twice: two readers could take one each.
    let twice = br#"{"payload":"","payload":"","payloadType":"","signatures":[{"sig":""}]}"#;
    assert!(matches!(Envelope::from_json(twice), Err(EnvelopeError::Form { .. })));
}

#[test]
fn limits_hold() {
    let mut value = json_of(&signed());
    let signature = value["signatures"][0].clone();
    value["signatures"] = json!(vec![signature.clone(); SIGNATURES_MAX]);
    assert_eq!(verify(&value, &[key(0)]).unwrap().len(), 1);
    value["signatures"] = json!(vec![signature; SIGNATURES_MAX + 1]);
    let read = Envelope::from_json(value.to_string().as_bytes());
    assert!(matches!(read, Err(EnvelopeError::Form { .. })), "{read:?}");
    let mut envelope = Envelope::from_json(&{
        value["signatures"].as_array_mut().unwrap().pop();
        serde_json::to_vec(&value).unwrap()
    })
    .unwrap();
    assert!(matches!(envelope.add_signature(&key(1)), Err(EnvelopeError::TooManySignatures)));
    let large = vec![b' '; (64 << 20) + 1];
    assert!(matches!(Envelope::from_json(&large), Err(EnvelopeError::TooLarge { .. })));
    let envelope = Envelope::sign(PAYLOAD_TYPE, large, &key(0));
    assert!(matches!(envelope.to_json(), Err(EnvelopeError::TooLarge { .. })));
}

proptest! {
    #[test]
    fn reader_never_panics(bytes in any::<Vec<u8>>()) {
        let _ = Envelope::from_json(&bytes);
        let _ = verify_envelope(&bytes, &[key(0).public_key().clone()]);
    }

    #[test]
    fn reader_never_panics_on_what_looks_like_an_envelope(
        payload in "[A-Za-z0-9+/_=-]{0,40}",
        kind in ".{0,20}",
        signatures in prop::collection::vec((".{0,10}", "[A-Za-z0-9+/_=-]{0,100}"), 0..4),
    ) {
        let signatures: Vec<_> =
            signatures.iter().map(|(keyid, sig)| json!({ "keyid": keyid, "sig": sig })).collect();
        let value = json!({ "payload": payload, "payloadType": kind, "signatures": signatures });
        let verified = verify_envelope(value.to_string().as_bytes(), &[key(0).public_key().clone()]);
        prop_assert!(verified.is_err());
    }

    #[test]
    fn any_payload_makes_the_round_trip(kind in ".{0,20}", payload in any::<Vec<u8>>()) {
        let envelope = Envelope::sign(&kind, payload, &key(0));
        let read = Envelope::from_json(&envelope.to_json().unwrap()).unwrap();
        prop_assert_eq!(&read, &envelope);
        let trusted = [key(1).public_key().clone(), key(0).public_key().clone()];
        prop_assert_eq!(verify_signatures(&read, &trusted).unwrap(), [key(0).public_key().id()]);
    }
}
