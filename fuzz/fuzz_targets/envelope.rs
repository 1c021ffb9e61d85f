//! Signed statements: no bytes make the reader panic, and nothing unsigned is accepted.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    assert!(amint_provenance::verify_envelope(bytes, &[]).is_err());
    let _ = amint_provenance::Envelope::from_json(bytes);
    let _ = amint_provenance::Statement::from_json(bytes);
});
