//! Lock files: no text makes the parser panic, and what it accepts reads back the same.
#![no_main]

use std::path::Path;

use amint_recipe::lock::Lock;

libfuzzer_sys::fuzz_target!(|text: &str| {
    if let Ok(lock) = Lock::parse(text, Path::new("amint.lock")) {
        assert_eq!(Lock::parse(&lock.to_toml(), Path::new("amint.lock")).ok(), Some(lock));
    }
});
