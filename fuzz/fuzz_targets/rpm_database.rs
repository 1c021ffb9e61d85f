//! rpm's databases of all stores: no bytes make the reader panic, hang or take memory without bounds.
#![no_main]

use amint_packages::rpm::read_database;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    // The first byte tells how much of the rest is a write-ahead log.
    let Some((first, rest)) = bytes.split_first() else { return };
    let (database, log) = rest.split_at(rest.len() - rest.len() * usize::from(*first) / 255);
    let Ok(found) = read_database(database, Some(log)) else { return };
    for package in &found.packages {
        package.files.owned().take(1000).for_each(drop);
    }
});
