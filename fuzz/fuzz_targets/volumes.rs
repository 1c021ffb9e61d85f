//! Disks: no bytes make the reader of partition tables and LVM2 panic or take memory without bounds.
#![no_main]

use std::sync::Arc;

use amint_types::ReadAt;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Ok(division) = amint_volumes::divide(Arc::new(bytes.to_vec())) else { return };
    for volume in &division.logical_volumes {
        if let Ok(source) = &volume.source {
            let _ = source.read_exact_at(0, &mut [0; 4096]);
        }
    }
});
