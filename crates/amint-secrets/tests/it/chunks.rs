//! It does not matter how content is cut, and no bytes make the engine stop.

use amint_secrets::{Block, Limits, Scanner, SecretFinding, scan_blocks, scan_source};
use proptest::prelude::*;

use crate::make::{Random, fill, rsa_der, rsa_pem};
use crate::shapes::SHAPES;

/// Every kind, with stretches between them that carry borders of the engine's buffer over them.
fn content(seed: u64) -> Vec<u8> {
    let mut random = Random::new(seed);
    let mut bytes = Vec::new();
    for (_, form) in SHAPES {
        bytes.extend(fill(form, &mut random).into_bytes());
        bytes.push(b'\n');
        let gap = usize::from(random.byte()) * 20;
        bytes.extend(std::iter::repeat_n(b'.', gap));
        bytes.push(b'\n');
    }
    bytes.extend(rsa_pem(&mut random).into_bytes());
    bytes.extend(rsa_der(&mut random));
    bytes
}

fn in_chunks(bytes: &[u8], mut size: impl FnMut() -> usize) -> Vec<SecretFinding> {
    let mut found = Vec::new();
    let mut scanner = Scanner::new("/srv/x", &Limits::default());
    let mut rest = bytes;
    while !rest.is_empty() {
        let (now, later) = rest.split_at(size().clamp(1, rest.len()));
        scanner.push(now, &mut |finding| found.push(finding));
        rest = later;
    }
    scanner.finish(&mut |finding| found.push(finding));
    found
}

#[test]
fn any_distance_from_the_beginning_gives_the_same_findings() {
    let bytes = content(1);
    let base = in_chunks(&bytes, || usize::MAX);
    assert!(base.len() > 240, "{}", base.len());
    for shift in [1_000, 100_003, 170_000, 175_001, 192_512, 300_007] {
        let moved = [vec![b'\n'; shift], bytes.clone()].concat();
        let found = in_chunks(&moved, || 65_536);
        let places = |found: &[SecretFinding], shift: usize| -> Vec<(&'static str, u64, u32)> {
            found
                .iter()
                .map(|one| {
                    (
                        one.kind,
                        one.offset - shift as u64,
                        one.line.unwrap_or(0).saturating_sub(u32::try_from(shift).unwrap()),
                    )
                })
                .collect()
        };
        assert_eq!(places(&found, shift), places(&base, 0), "{shift}");
    }
}

#[test]
fn neighbouring_blocks_are_joined_and_others_are_not() {
    let value = fill("ghp_{a36}", &mut Random::new(2)).into_bytes();
    let block = |offset, bytes: &[u8]| Ok(Block { offset, bytes: bytes.to_vec() });
    let scan = |blocks: Vec<std::io::Result<Block>>| {
        let mut found = Vec::new();
        scan_blocks("free space", blocks, &Limits::default(), &mut |finding| found.push(finding)).unwrap();
        found
    };
    let joined = scan(vec![block(4096, &value[..10]), block(4106, &value[10..])]);
    assert_eq!((joined[0].offset, joined[0].rule, joined[0].line), (4096, "SEC-010", None));
    assert!(scan(vec![block(4096, &value[..10]), block(8192, &value[10..])]).is_empty());
    let twice = scan(vec![block(0, &value), block(8192, &value)]);
    assert_eq!(twice.len(), 1);
}

#[test]
fn blocks_that_cannot_be_read_are_an_error() {
    let blocks = vec![Err(std::io::Error::other("no disk"))];
    assert!(scan_blocks("free space", blocks, &Limits::default(), &mut |_| {}).is_err());
}

#[test]
fn content_of_keywords_alone_is_read_in_bounded_time() {
    for word in [
        "-eyJ",
        "eyJ.",
        "glagent-",
        "://",
        "ops_eyJ",
        "-----BEGIN RSA PRIVATE KEY-----",
        "aws_secret",
        "secret_",
    ] {
        let start = std::time::Instant::now();
        in_chunks(word.repeat((1 << 17) / word.len()).as_bytes(), || 65_536);
        assert!(start.elapsed().as_secs() < 10, "{word}: {:?}", start.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunking_gives_the_same_findings(seed in 1_u64..1000, sizes in prop::collection::vec(1_usize..9000, 1..40)) {
        let bytes = content(seed);
        let mut at = 0;
        let found = in_chunks(&bytes, || { at += 1; sizes[at % sizes.len()] });
        prop_assert_eq!(found, in_chunks(&bytes, || usize::MAX));
    }

    #[test]
    fn damaged_content_never_makes_a_panic(seed in 1_u64..1000, changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..200), cut in any::<prop::sample::Index>()) {
        let mut bytes = content(seed);
        for (place, value) in changes {
            let place = place.index(bytes.len());
            bytes[place] = value;
        }
        bytes.truncate(cut.index(bytes.len()));
        let start = usize::try_from(seed).unwrap().min(bytes.len());
        for path in ["/root/.env", "/x.tfstate"] {
            scan_source(path, &bytes[start..].to_vec(), &Limits::default(), &mut |_| {}).unwrap();
        }
    }
}
