//! Disk images: no bytes make the reader panic, hang, or take memory without bounds.
#![no_main]

use std::sync::Arc;

use amint_formats::{OpenOptions, open_source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let options = OpenOptions { verify_manifest: true, ..OpenOptions::default() };
    let Ok(opened) = open_source(Arc::new(bytes.to_vec()), &options) else { return };
    let mut buffer = vec![0; 1 << 16];
    let size = opened.disk.size_bytes();
    for step in 0..16 {
        let offset = size / 16 * step;
        let part = &mut buffer[..usize::try_from((size - offset).min(1 << 16)).unwrap()];
        let _ = opened.disk.read_exact_at(offset, part);
        let _ = opened.disk.is_known_zero(offset, part.len() as u64);
    }
});
