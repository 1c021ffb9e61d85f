//! dpkg's status file: no bytes make the reader panic.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = amint_build::packages::read_status(bytes);
});
