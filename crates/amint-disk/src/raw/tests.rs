use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::process::Command;

use amint_types::{BLOCK_BYTES, BlockSource as _, Cancel};

use super::*;

/// Where there is something, and what.
type Pieces<'a> = &'a [(u64, &'a [u8])];

const BLOCK: usize = 512 * 1024;

fn make(path: &Path, bytes: u64, pieces: Pieces<'_>) {
    let file = File::create(path).unwrap();
    file.set_len(bytes).unwrap();
    for (offset, piece) in pieces {
        file.write_all_at(piece, *offset).unwrap();
    }
}

#[test]
fn tells_zero_blocks_whether_they_are_holes_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let zeros = vec![0; BLOCK];
    let pieces: [(u64, &[u8]); 3] =
        [(BLOCK_BYTES + 7, b"data"), (3 * BLOCK_BYTES, &zeros), (5 * BLOCK_BYTES + 511, b"x")];
    make(&path, 5 * BLOCK_BYTES + 512, &pieces);
    let disk = RawDisk::open(&path).unwrap();
    assert_eq!((disk.disk_bytes(), disk.block_count()), (5 * BLOCK_BYTES + 512, 6));
    let mut buffer = vec![9; BLOCK];
    let kinds: Vec<_> = (0..6).map(|index| disk.read_block(index, &mut buffer).unwrap()).collect();
    assert_eq!(kinds, [None, Some(BLOCK), None, None, None, Some(512)]);
    assert_eq!(buffer[511], b'x');
    assert!(disk.read_block(6, &mut buffer).is_err());
    assert!(disk.read_block(u64::MAX, &mut buffer).is_err());
    assert!(disk.read_block(1, &mut buffer[..100]).is_err());
}

#[test]
fn many_threads_read_what_one_reads() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    let blocks: Vec<Vec<u8>> = (1..=16).map(|value| vec![value; BLOCK]).collect();
    let pieces: Vec<(u64, &[u8])> =
        (0..).step_by(2).map(|index| index * BLOCK_BYTES).zip(blocks.iter().map(Vec::as_slice)).collect();
    make(&path, 32 * BLOCK_BYTES, &pieces);
    let disk = RawDisk::open(&path).unwrap();
    std::thread::scope(|scope| {
        for start in 0..4 {
            let (disk, blocks) = (&disk, &blocks);
            scope.spawn(move || {
                let mut buffer = vec![0; BLOCK];
                for index in (0..32).map(|index| (index + start * 8) % 32) {
                    let length = disk.read_block(index, &mut buffer).unwrap();
                    assert_eq!(length.is_some(), index % 2 == 0, "block {index}");
                    if length.is_some() {
                        assert!(buffer == blocks[usize::try_from(index / 2).unwrap()], "block {index}");
                    }
                }
            });
        }
    });
}

#[test]
fn a_copy_is_equal_and_no_larger() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("disk"), folder.path().join("copy"));
    let zeros = vec![0; 8 * BLOCK];
    make(&path, 20 * BLOCK_BYTES + 512, &[(0, &zeros), (4096 * 3 + 1, b"x"), (20 * BLOCK_BYTES, b"end")]);
    let disk = RawDisk::open(&path).unwrap();
    write_sparse(&disk, &File::create(&copy).unwrap(), &|_, _| {}, &Cancel::new()).unwrap();
    assert!(fs::read(&path).unwrap() == fs::read(&copy).unwrap());
    assert!(fs::metadata(&copy).unwrap().blocks() * 512 <= 16 * 4096);
}

#[test]
fn tells_formats_by_content_not_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk.raw");
    let cases: [(u64, Pieces<'_>, Format); 12] = [
        (4096, &[(510, b"\x55\xaa")], Format::Raw),
        (4096, &[(512, b"EFI PART")], Format::Raw),
        (4096, &[(1080, b"\x53\xef")], Format::Raw),
        (4096, &[], Format::Unknown),
        (0, &[], Format::Unknown),
        (3, &[(0, b"abc")], Format::Unknown),
        (4096, &[(510, b"\x55\xaa"), (4096 - 512, b"conectix")], Format::Vhd),
        (4096, &[(0, b"vhdxfile")], Format::Vhdx),
        (4096, &[(0x40, b"\x7f\x10\xda\xbe")], Format::Vdi),
        (4096, &[(0x40, b"\x7f\x10\xda\xbe"), (510, b"\x55\xaa")], Format::Raw),
        (4096, &[(0, b"\xfd7zXZ\0")], Format::Compressed),
        (30, &[(0, b"# Disk DescriptorFile\n")], Format::Vmdk),
    ];
    for (bytes, pieces, expected) in cases {
        make(&path, bytes, pieces);
        assert_eq!(sniff(&path).unwrap(), expected, "{pieces:?}");
    }
}

#[test]
fn refuses_every_container_that_qemu_makes() {
    let folder = tempfile::tempdir().unwrap();
    let cases = [
        ("qcow2", "", Format::Qcow2),
        ("vmdk", "subformat=monolithicSparse", Format::Vmdk),
        ("vpc", "subformat=dynamic", Format::Vhd),
        ("vpc", "subformat=fixed", Format::Vhd),
        ("vhdx", "", Format::Vhdx),
        ("vdi", "", Format::Vdi),
    ];
    for (kind, options, expected) in cases {
        let path = folder.path().join("disk.raw");
        let options: &[&str] = if options.is_empty() { &[] } else { &["-o", options] };
        let mut create = Command::new("qemu-img");
        create.args(["create", "-q", "-f", kind]).args(options).arg(&path).arg("8M");
        let Ok(made) = create.output() else {
            eprintln!("SKIPPED: `qemu-img` is not installed");
            return;
        };
        assert!(made.status.success(), "{kind}: {}", String::from_utf8_lossy(&made.stderr));
        let error = RawDisk::open(&path).unwrap_err();
        assert!(matches!(&error, RawError::NotRaw { format, .. } if *format == expected), "{kind}: {error}");
    }
}

#[test]
fn refuses_what_is_no_whole_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("disk");
    for bytes in [0, 1, 513, 1 << 20 | 1] {
        make(&path, bytes, &[]);
        assert!(matches!(RawDisk::open(&path), Err(RawError::Size { .. })), "{bytes}");
    }
    assert!(matches!(RawDisk::open(folder.path()), Err(RawError::NotAFile { .. })));
    let missing = RawDisk::open(&folder.path().join("missing")).unwrap_err();
    assert!(missing.to_string().contains("missing"), "{missing}");
}
