//! Secrets: no file makes the engine panic, hang or take memory without bounds, and cutting it changes nothing.
#![no_main]

use amint_secrets::{Limits, Scanner, scan_source};

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let path = ["/x", "/root/.env", "/root/.docker/config.json", "/x.tfstate"][usize::from(first % 4)];
    let limits = Limits { unpacked_bytes_max: 4 << 20, ..Limits::default() };
    scan_source(path, &rest.to_vec(), &limits, &mut |_| {}).expect("memory can be read");

    let scan = |chunk_bytes: usize| {
        let mut found = Vec::new();
        let mut scanner = Scanner::new(path, &limits);
        for chunk in rest.chunks(chunk_bytes) {
            scanner.push(chunk, &mut |finding| found.push(finding));
        }
        let looked = scanner.finish(&mut |finding| found.push(finding));
        (found, looked)
    };
    assert_eq!(scan(1 + usize::from(*first)), scan(usize::MAX));
});
