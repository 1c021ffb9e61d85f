//! InRelease and Release: no bytes make the readers panic, and the text of a signed one has no control characters that
//! readers could disagree on.
#![no_main]

use amint_archive::{Cleartext, Release};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(cleartext) = Cleartext::split(bytes) {
        assert!(!cleartext.text.contains(&b'\r'));
        let _ = Release::parse(&cleartext.text);
    }
    let _ = Release::parse(bytes);
});
