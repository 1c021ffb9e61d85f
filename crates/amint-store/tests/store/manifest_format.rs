//! The manifest's encoding: fixed for ever, and safe against any bytes.

use amint_store::{DISK_BYTES_MAX, Manifest, ManifestError};
use amint_types::{BLOCK_BYTES, Digest};
use proptest::prelude::*;

/// A disk of two blocks and a half, the middle one zero.
const GOLDEN: &[u8] = include_bytes!("../golden/manifest-1.bin");
const GOLDEN_DIGEST: &str = "9960a163200ba680e30a35529a199469480d88db39d12d2737af2f047e64e796";

fn golden() -> Manifest {
    let blocks = vec![Some(Digest::of(b"first")), None, Some(Digest::of(b"last"))];
    Manifest::new(2 * BLOCK_BYTES + BLOCK_BYTES / 2, blocks).unwrap()
}

#[test]
fn reads_and_writes_version_one_as_it_was_defined() {
    assert_eq!(Manifest::from_bytes(GOLDEN).unwrap(), golden());
    assert_eq!(golden().to_bytes(), GOLDEN);
    assert_eq!(golden().digest().to_string(), GOLDEN_DIGEST, "digests of images must never change");
}

#[test]
fn the_encoding_is_the_one_of_the_documentation() {
    let header = "414d494e544d4600" // magic
        .to_owned()
        + "01000000" // format version
        + "00000800" // block size
        + "0000140000000000"; // size of the disk
    let zero = "00".repeat(32);
    let text = format!("{header}{}{zero}{}", Digest::of(b"first"), Digest::of(b"last"));
    assert_eq!(hex::encode(GOLDEN), text);
}

#[test]
fn tells_a_newer_version_from_damage() {
    let mut bytes = GOLDEN.to_vec();
    bytes[8] = 2;
    assert_eq!(Manifest::from_bytes(&bytes), Err(ManifestError::Newer { found: 2 }));
}

#[test]
fn refuses_what_does_not_fit_together() {
    let broken = |at: usize, value: u8| {
        let mut bytes = GOLDEN.to_vec();
        bytes[at] = value;
        Manifest::from_bytes(&bytes).unwrap_err()
    };
    assert_eq!(broken(0, b'B'), ManifestError::Magic);
    assert_eq!(broken(8, 0), ManifestError::Magic);
    assert_eq!(broken(14, 4), ManifestError::BlockBytes { found: 256 << 10 });
    assert!(matches!(broken(18, 0x1c), ManifestError::Length { found: 120, expected: 152 }));
    assert!(matches!(broken(23, 0xff), ManifestError::DiskBytes { .. }));
    assert_eq!(Manifest::from_bytes(&GOLDEN[..23]), Err(ManifestError::Magic));
    assert!(matches!(Manifest::from_bytes(&GOLDEN[..119]), Err(ManifestError::Length { .. })));
    assert_eq!(Manifest::new(0, Vec::new()), Err(ManifestError::Empty));
    assert!(matches!(Manifest::new(DISK_BYTES_MAX + 1, Vec::new()), Err(ManifestError::DiskBytes { .. })));
    assert!(matches!(Manifest::new(BLOCK_BYTES, vec![None, None]), Err(ManifestError::Length { .. })));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Manifest::from_bytes(&bytes);
    }

    #[test]
    fn whatever_is_read_is_written_as_the_same_bytes(
        changes in prop::collection::vec((0..GOLDEN.len(), any::<u8>()), 0..4),
        length in 0..=GOLDEN.len(),
    ) {
        let mut bytes = GOLDEN.to_vec();
        for (at, value) in changes {
            bytes[at] = value;
        }
        bytes.truncate(length);
        if let Ok(manifest) = Manifest::from_bytes(&bytes) {
            prop_assert_eq!(manifest.to_bytes(), bytes);
        }
    }

    #[test]
    fn any_manifest_is_read_back(
        blocks in prop::collection::vec(prop::option::of(any::<[u8; 32]>()), 1..20),
        short in 0..BLOCK_BYTES,
    ) {
        let blocks: Vec<_> = blocks.into_iter().map(|block| block.map(|mut bytes| {
            bytes[0] |= 1;
            Digest::from_bytes(bytes)
        })).collect();
        let manifest = Manifest::new(blocks.len() as u64 * BLOCK_BYTES - short, blocks).unwrap();
        prop_assert_eq!(Manifest::from_bytes(&manifest.to_bytes()).unwrap(), manifest);
    }
}
