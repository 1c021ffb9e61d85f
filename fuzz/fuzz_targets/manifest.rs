//! Manifests of the store: no bytes make the reader panic, and what it accepts reads back the same.
#![no_main]

use amint_store::Manifest;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    if let Ok(manifest) = Manifest::from_bytes(bytes) {
        assert_eq!(manifest.to_bytes(), bytes);
    }
});
