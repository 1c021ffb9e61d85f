//! Package indexes: no bytes make the readers of control data, versions and relations panic.
#![no_main]

use amint_debian::universe::{OriginInfo, Universe};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = Universe::new().add_index(OriginInfo::default(), bytes);
});
