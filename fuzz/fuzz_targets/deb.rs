//! Packages: no bytes make the reader panic or take memory without bounds.
#![no_main]

use std::io::Write;

use amint_debian::deb::Deb;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    let Ok(deb) = Deb::open(file.path()) else { return };
    let Ok(mut archive) = deb.data() else { return };
    let Ok(entries) = archive.entries() else { return };
    for entry in entries.take(1000) {
        let Ok(mut entry) = entry else { break };
        let _ = std::io::copy(&mut std::io::Read::take(&mut entry, 1 << 20), &mut std::io::sink());
    }
});
