//! Licences of any text are judged without a crash, and a choice with a free one is free.
#![no_main]

use amint_rights::{Expression, LicenseClass, classify, recognise};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    recognise(data);
    let text = String::from_utf8_lossy(data);
    Expression::parse(&text);
    let judged = classify(&text);
    assert!(judged.class != LicenseClass::Unknown || !judged.unknown.is_empty());
    if !text.contains(['(', ')', ',', ';']) && text.len() < 250 {
        assert!(classify(&format!("({text}) OR MIT")).class <= judged.class);
    }
});
