//! Descriptions of repositories never make a crash, and lead nowhere but into their repository.
#![no_main]

use amint_feeds::read_repomd;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(Some(file)) = read_repomd(data) {
        assert!(!file.path.starts_with('/') && !file.path.split('/').any(|part| part == ".."));
    }
});
