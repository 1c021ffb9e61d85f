//! Identity documents: no bytes of a message, a document or a list of certificates make a reader panic.
#![no_main]

use amint_identity::{Certificates, Document, Expect, Form, verify};

const DOCUMENT: &[u8] = include_bytes!("../../crates/amint-identity/tests/data/c-rsa2048-us-west-2-2021.document.json");

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The message: base64 and PEM, BER, CMS, certificates chosen by it.
    let expect = Expect::new().forms(Form::ALL);
    let is_message = verify(DOCUMENT, bytes, &expect).is_ok();
    // The document: JSON.
    let document = Document::parse_unverified(bytes);
    let is_document = verify(bytes, bytes, &expect).is_ok();
    assert!(!is_document && (!is_message || document.is_err()));
    // A list of certificates, with its keys.
    let list = str::from_utf8(bytes).ok().and_then(|text| Certificates::parse(text).ok());
    if let Some(list) = list {
        let _ = list.iter().count();
        let _ = verify(DOCUMENT, bytes, &expect.certificates(list));
    }
});
