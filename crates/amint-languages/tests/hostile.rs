//! Files of strangers: whatever they hold, reading them ends with packages or an error.

use amint_languages::Language;
use proptest::prelude::*;

/// A program with real headers: the running one.
fn program() -> Vec<u8> {
    let mut bytes = std::fs::read("/proc/self/exe").expect("the running program can be read");
    bytes.truncate(64 * 1024);
    bytes
}

#[expect(clippy::ptr_arg, reason = "only sized sources can be handed over")]
fn read_all(bytes: &Vec<u8>) {
    for language in Language::ALL {
        let _ = language.read("/file", bytes);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn damaged_programs_never_panic(changes in prop::collection::vec((0..4096_usize, any::<u8>()), 1..64), length in 0..65536_usize) {
        let mut bytes = program();
        for (at, byte) in changes {
            bytes[at] = byte;
        }
        bytes.truncate(length);
        read_all(&bytes);
    }

    #[test]
    fn any_text_never_panics(text in "\\PC{0,400}", bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&text.into_bytes());
        read_all(&bytes);
        read_all(&[b"PK\x03\x04".to_vec(), bytes].concat());
    }
}
