//! Damaged and hostile images: errors where checksums tell, never a panic, a hang or a wrong answer.

use std::collections::HashSet;
use std::io;
use std::ops::ControlFlow;
use std::sync::{Arc, LazyLock};

use amint_fs::{FileSystem as _, FsError, Kind};
use amint_types::ReadAt;
use amint_xfs::{Xfs, probe};
use proptest::prelude::*;

use crate::kernel::fixture;
use crate::support::{free_ranges, walk};

/// An image with some bytes changed, and cut off at an end.
struct Patched {
    image: Arc<Vec<u8>>,
    bytes: u64,
    patches: Vec<(u64, u8)>,
}

impl ReadAt for Patched {
    fn size_bytes(&self) -> u64 {
        self.bytes
    }

    fn read_exact_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.bytes);
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        self.image.read_exact_at(offset, buffer)?;
        for (place, value) in &self.patches {
            if (offset..end).contains(place) {
                buffer[usize::try_from(place - offset).unwrap()] ^= value;
            }
        }
        Ok(())
    }
}

fn patched(image: &Arc<Vec<u8>>, patches: &[(u64, u8)]) -> Arc<Patched> {
    Arc::new(Patched { image: Arc::clone(image), bytes: image.len() as u64, patches: patches.to_vec() })
}

/// Returns where blocks with a magic number begin.
fn blocks_with(image: &[u8], magic: &[u8], magic_offset: usize, step: usize) -> Vec<u64> {
    let found = |place: &usize| image.get(place + magic_offset..).is_some_and(|rest| rest.starts_with(magic));
    (0..image.len()).step_by(step).filter(found).map(|place| place as u64).collect()
}

#[test]
fn finds_a_flipped_bit_in_every_kind_of_block_with_a_checksum() {
    let image = Arc::new(fixture("v5-clean.image.zst"));
    let intact = Xfs::open(patched(&image, &[])).unwrap();
    let expected = (walk(&intact).unwrap(), free_ranges(&intact).unwrap());
    // Magic number, where it stands, how blocks are aligned, and the byte to change.
    let kinds: [(&[u8], usize, usize, u64); 11] = [
        (b"XFSB", 0, 4096, 300),
        (b"XAGF", 0, 512, 300),
        (b"XAGI", 0, 512, 400),
        (b"XAFL", 0, 512, 500),
        (b"AB3B", 0, 4096, 2000),
        (b"IN", 0, 512, 511),
        (b"BMA3", 0, 4096, 4000),
        (b"XDB3", 0, 4096, 3000),
        (b"XDD3", 0, 4096, 3000),
        (b"XSLM", 0, 4096, 4000),
        (&[0x3b, 0xee], 8, 4096, 2000),
    ];
    for (magic, magic_offset, step, change) in kinds {
        let name = String::from_utf8_lossy(magic);
        let places = blocks_with(&image, magic, magic_offset, step);
        let mut noticed = 0;
        // Some are copies or remains that nobody refers to: then nothing may change.
        for place in places.iter().take(25) {
            let source = patched(&image, &[(place + change, 0x10)]);
            let result = Xfs::open(source).and_then(|fs| Ok((walk(&fs)?, free_ranges(&fs)?)));
            match result {
                Ok(seen) => assert!(seen == expected, "{name} at {place} was read wrong in silence"),
                Err(FsError::Damaged { .. }) => noticed += 1,
                Err(other) => panic!("{name} at {place}: {other}"),
            }
        }
        assert!(noticed > 0, "{name}: {} blocks, and no damage was noticed", places.len());
    }
}

#[test]
fn a_block_in_the_wrong_place_is_damage_though_its_checksum_fits() {
    let mut image = fixture("v5-clean.image.zst");
    let places = blocks_with(&image, b"XDD3", 0, 4096);
    let [from, to] = [places[0], places[1]].map(|place| usize::try_from(place).unwrap());
    image.copy_within(from..from + 4096, to);
    let fs = Xfs::open(Arc::new(image)).unwrap();
    assert!(matches!(walk(&fs), Err(FsError::Damaged { .. })));
}

#[test]
fn a_journal_with_damage_in_its_middle_is_not_replayed_and_said_so() {
    let image = Arc::new(fixture("v5-dirty.image.zst"));
    // Every record of the journal from the second on, so that it is not only the end that is torn.
    let records = blocks_with(&image, &0xfeed_babe_u32.to_be_bytes(), 0, 512);
    assert!(records.len() > 12, "{}", records.len());
    let patches: Vec<(u64, u8)> = records.iter().skip(1).map(|place| (place + 600, 1)).collect();
    let notes = Xfs::open(patched(&image, &patches)).map(|fs| fs.info().notes.clone()).unwrap_or_default();
    assert!(notes.iter().any(|note| note.contains("not replayed")), "{notes:?}");
}

#[test]
fn what_is_no_xfs_is_none() {
    assert!(!probe(&Vec::new()));
    assert!(!probe(&vec![0; 4096]));
    assert!(matches!(Xfs::open(Arc::new(vec![0; 4096])), Err(FsError::NotThis("xfs"))));
    let image = fixture("v5-clean.image.zst");
    assert!(probe(&image));
    assert!(Xfs::open(Arc::new(image[..200].to_vec())).is_err());
}

#[test]
fn an_unknown_incompatible_feature_is_refused() {
    let mut image = fixture("v5-clean.image.zst");
    for (bits, word) in [(0x100_u32, "metadir"), (0x1_0000, "0x10000")] {
        image[216..220].copy_from_slice(&(0x3_u32 | bits).to_be_bytes());
        image[224..228].fill(0);
        let checksum = crc32c::crc32c(&image[..512]);
        image[224..228].copy_from_slice(&checksum.to_le_bytes());
        match Xfs::open(Arc::new(image.clone())).map(|_| ()) {
            Err(FsError::Unsupported { feature, .. }) => assert!(feature.contains(word), "{feature}"),
            other => panic!("{other:?}"),
        }
    }
}

/// An image, and where its metadata is.
type Target = (Arc<Vec<u8>>, Vec<u64>);

/// The images that are changed at random.
static IMAGES: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let names = ["v5-dirty.image.zst", "v4-dirty.image.zst"];
    names
        .map(|name| {
            let image = fixture(name);
            let magics: [(&[u8], usize); 12] = [
                (b"XFSB", 0),
                (b"XAGF", 0),
                (b"XAGI", 0),
                (b"ABTB", 0),
                (b"IN", 0),
                (b"IN", 0),
                (b"BMAP", 0),
                (b"XD2B", 0),
                (b"XD2D", 0),
                (&[0xfb, 0xee], 8),
                (&[0xfe, 0xbe], 8),
                (&[0xfe, 0xed, 0xba, 0xbe], 0),
            ];
            let places =
                magics.iter().flat_map(|(magic, offset)| blocks_with(&image, magic, *offset, 256)).collect();
            (Arc::new(image), places)
        })
        .to_vec()
});

/// Does all that a scan does, with bounds of its own: changed numbers may make circles.
fn wander(fs: &Xfs) {
    let mut seen = HashSet::new();
    let mut pending = vec![fs.root()];
    let mut buffer = vec![0; 256 * 1024];
    while let Some(id) = pending.pop() {
        if seen.len() > 400 || !seen.insert(id) {
            continue;
        }
        let _ = fs.xattrs(id);
        let _ = fs.position(id);
        let _ = fs.read_link(id);
        let _ = fs.open(id).and_then(|mut file| {
            file.read_at(0, &mut buffer)?;
            file.read_at(file.size_bytes() / 2, &mut buffer)
        });
        if fs.node(id).is_ok_and(|node| node.kind == Kind::Folder) {
            let mut names = 0;
            let _ = fs.read_dir(id, &mut |entry| {
                assert!(!entry.name.is_empty() && entry.name != b"." && entry.name != b"..");
                pending.push(entry.node);
                names += 1;
                if names < 200 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
        }
    }
    let mut end = 0;
    let _ = fs.free_ranges(&mut |range| {
        assert!(range.start >= end && range.start < range.end);
        end = range.end;
        ControlFlow::Continue(())
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn changed_and_cut_images_never_make_it_panic(
        which in 0..2_usize,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0..512_u64, 1..=255_u8), 1..24),
        cut in proptest::option::weighted(0.2, 0.0..1.0_f64),
    ) {
        let (image, places) = &IMAGES[which];
        let patches: Vec<(u64, u8)> =
            changes.iter().map(|(index, offset, value)| (index.get(places) + offset, *value)).collect();
        let bytes = cut.map_or(image.len() as u64, |cut| {
            let percent = format!("{:.0}", cut * 100.0).parse::<u64>().unwrap();
            image.len() as u64 * percent / 100
        });
        if let Ok(fs) = Xfs::open(Arc::new(Patched { image: Arc::clone(image), bytes, patches })) {
            wander(&fs);
        }
    }
}
