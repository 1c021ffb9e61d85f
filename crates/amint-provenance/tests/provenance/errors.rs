//! Messages: no text of a stranger reaches the terminal as it is.

use amint_provenance::{Envelope, StatementError, VerifyError, verify_envelope};
use amint_types::Hint;
use serde_json::{Value, json};

use super::support::{key, signed};

#[test]
fn text_of_strangers_is_escaped_and_cut() {
    let mut value: Value = serde_json::from_slice(&signed().to_json().unwrap()).unwrap();
    value["signatures"][0]["keyid"] = json!(format!("\u{1b}[2J{}", "x".repeat(500)));
    let error = verify_envelope(value.to_string().as_bytes(), &[key(0).public_key().clone()]).unwrap_err();
    let text = error.to_string();
    assert!(!text.contains('\u{1b}') && text.len() < 200, "{text}");
    assert!(error.hint().is_some());

    let envelope = Envelope::sign("\u{1b}]0;x\u{7}", Vec::new(), &key(0));
    let error = verify_envelope(&envelope.to_json().unwrap(), &[key(0).public_key().clone()]).unwrap_err();
    assert!(!error.to_string().contains(['\u{1b}', '\u{7}']), "{error}");
}

#[test]
fn a_newer_build_type_is_told_to_need_a_newer_amint() {
    let newer = StatementError::BuildType { found: "urn:amint:build:2".to_owned() };
    assert!(VerifyError::from(newer).hint().unwrap().contains("newer amint"));
    let foreign = StatementError::BuildType { found: "urn:other".to_owned() };
    assert_eq!(foreign.hint(), None);
}
