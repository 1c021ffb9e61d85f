//! Whatever a mirror sends: an error, never a panic, and never anything accepted that was not signed.

use amint_archive::{ArchiveError, Cleartext, Release as Fields};
use proptest::prelude::*;

use super::repository::Release;
use super::support::{Bench, days_ago};

/// Does what the fuzz target `release` does.
fn read(bytes: &[u8]) {
    if let Ok(cleartext) = Cleartext::split(bytes) {
        let _ = Fields::parse(&cleartext.text);
    }
    let _ = Fields::parse(bytes);
}

#[test]
fn a_changed_file_is_refused_wherever_it_was_changed() {
    let bench = Bench::new();
    let release = Release::new(days_ago(1));
    bench.publish(&release);
    bench.index().unwrap();
    let good = release.signed(&[&bench.key]);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    let changes = (any::<prop::sample::Index>(), any::<u8>(), 0_usize..4);
    runner
        .run(&changes, |(index, byte, removed)| {
            let mut bytes = good.clone();
            let place = index.index(bytes.len());
            let end = (place + removed).min(bytes.len());
            bytes.splice(place..end, [byte]);
            read(&bytes);
            bench.server.put("/dists/trixie/InRelease", &bytes);
            match bench.index() {
                // Only what no signature covers may differ: white space at line ends, headers of the armour.
                Ok(found) => {
                    let text = Cleartext::split(&bytes).unwrap().text;
                    prop_assert_eq!(text, Cleartext::split(&good).unwrap().text);
                    prop_assert_eq!(found.signers, vec![bench.key.fingerprint()]);
                }
                Err(error) => {
                    let is_refusal =
                        matches!(error, ArchiveError::Cleartext { .. } | ArchiveError::Signature { .. });
                    prop_assert!(is_refusal, "{error:?}");
                }
            }
            Ok(())
        })
        .unwrap();
}

proptest! {
    #[test]
    fn no_bytes_make_the_readers_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        read(&bytes);
    }
}
