//! Broken and hostile images: errors that tell what and where, and nothing worse.

use amint_types::{Hint as _, ReadAt};

use crate::tools::{Bench, has, open_plain};

const MIB: u64 = 1 << 20;
/// A place far behind the end of any file here.
const FAR: &[u8] = &[0, 0, 0x7f, 0xff, 0, 0, 0, 0];

/// Opens an image and reads it whole; returns the chain of errors.
fn failure(bench: &Bench, name: &str, bytes: &[u8]) -> String {
    let path = bench.write(name, bytes);
    let (first, hint) = match open_plain(&path) {
        Err(error) => (anyhow_like(&error), error.hint()),
        Ok(opened) => {
            let mut buffer = vec![0; 1 << 16];
            let mut offset = 0;
            loop {
                let left = opened.disk.size_bytes() - offset;
                assert!(left > 0, "the whole disk could be read");
                let piece = &mut buffer[..usize::try_from(left.min(1 << 16)).unwrap()];
                if let Err(error) = opened.disk.read_exact_at(offset, piece) {
                    break (error.to_string(), None);
                }
                offset += piece.len() as u64;
            }
        }
    };
    hint.map_or(first.clone(), |hint| format!("{first} ({hint})"))
}

fn anyhow_like(error: &dyn std::error::Error) -> String {
    let causes: Vec<String> =
        std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect();
    causes.join(": ")
}

/// Bytes to change, and what the error says then.
type Case = (&'static [(usize, &'static [u8])], &'static str);

/// Makes an image and changes some of its bytes.
fn damaged(options: &[&str], bytes: u64, changes: &[(usize, &[u8])]) -> Option<String> {
    if !has("qemu-img") {
        return None;
    }
    let bench = Bench::new(bytes, 51);
    bench.convert(options, "image");
    let mut image = bench.bytes("image");
    for (at, change) in changes {
        image[*at..at + change.len()].copy_from_slice(change);
    }
    Some(failure(&bench, "damaged", &image))
}

#[test]
fn damage_of_qcow2_is_named() {
    let cases: &[Case] = &[
        // The first-level table is the fourth cluster, a second-level table the fifth.
        (
            &[(3 << 16, FAR)],
            "entry 0 of the first-level table points to byte 140733193388032, beyond the end",
        ),
        (
            &[(3 << 16, &[0, 0, 0, 0, 0, 1, 2, 0])],
            "entry 0 of the first-level table points to byte 66048, amid a",
        ),
        (&[(3 << 16, &[0, 0, 0, 0, 0, 3, 0, 0])], "into the first-level table"),
        (&[(4 << 16, FAR)], "the table entry of disk byte 0 points to byte 140733193388032, beyond the end"),
        (
            &[(4 << 16, &[0, 0, 0, 0, 0, 3, 0, 0])],
            "the table entry of disk byte 0 points into the first-level",
        ),
        (&[(36, &[0xff; 4])], "a first-level table of 34359738360 bytes, more than 33554432"),
        (&[(36, &[0; 4])], "the first-level table has 0 entries"),
        (&[(40, FAR)], "the first-level table (8 bytes at byte 140733193388032) reaches beyond the end"),
        (&[(20, &[0, 0, 0, 30])], "clusters of 2^30 bytes"),
        (&[(24, &[0xff; 8])], "a disk of 18446744073709551615 bytes"),
        (&[(32, &[0, 0, 0, 2])], "encryption (LUKS)"),
        (&[(79, &[4])], "an external data file"),
        (&[(72, &[0x80])], "the unknown features 0x8000000000000000"),
        (&[(4, &[0, 0, 0, 1])], "version 1 of the format"),
        (&[(8, &[0, 0, 0, 0, 0, 0, 2, 0, 0, 1, 0, 0])], "the name of the backing file has 65536 bytes"),
    ];
    for (changes, expected) in cases {
        let Some(error) = damaged(&["-O", "qcow2", "-S", "0"], 3 * MIB, changes) else { return };
        assert!(error.contains(expected), "{changes:?}: {error}");
    }
}

#[test]
fn damage_of_compressed_qcow2_is_named() {
    let Some(error) = damaged(&["-O", "qcow2", "-c", "-S", "0"], 3 * MIB, &[(5 << 16, &[0xff; 3000])]) else {
        return;
    };
    assert!(error.contains("where no compressed cluster is"), "{error}");
}

#[test]
fn shared_tables_are_named() {
    let table = &0x4_0000_u64.to_be_bytes()[..];
    let options = ["-O", "qcow2", "-o", "cluster_size=512"];
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(MIB, 52);
    bench.convert(&options, "image");
    let mut image = bench.bytes("image");
    let l1 = usize::try_from(u64::from_be_bytes(image[40..48].try_into().unwrap())).unwrap();
    image[l1..l1 + 8].copy_from_slice(table);
    image[l1 + 8..l1 + 16].copy_from_slice(table);
    let error = failure(&bench, "damaged", &image);
    assert!(error.contains("two entries of the first-level table share the table at byte 262144"), "{error}");
}

#[test]
fn damage_of_vmdk_is_named() {
    let cases: &[Case] = &[
        (&[(12, &[0xff; 8])], "sectors, more than 64 TiB"),
        (&[(20, &[0xff; 8])], "grains of 18446744073709551615 sectors"),
        (&[(20, &[0; 8])], "grains of 0 sectors"),
        (&[(44, &[0; 4])], "grain tables of 0 entries"),
        (
            &[(56, &[0xff, 0xff, 0xff, 0x7f])],
            "the grain directory (4 bytes at byte 1099511627264) reaches beyond",
        ),
        (&[(56, &[0xff; 8])], "the footer is not at byte"),
        (&[(75, b"\n")], "line ends were changed"),
        (&[(28, &[0; 8])], "one extent of a disk of several files"),
        (&[(0x200, b"x")], "no descriptor is at byte 512"),
    ];
    for (changes, expected) in cases {
        let Some(error) = damaged(&["-O", "vmdk"], 3 * MIB, changes) else { return };
        assert!(error.contains(expected), "{changes:?}: {error}");
    }
}

#[test]
fn grains_outside_the_file_are_named() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(3 * MIB, 53);
    bench.convert(&["-O", "vmdk", "-S", "0"], "image");
    let mut image = bench.bytes("image");
    let number = |at: usize| u32::from_le_bytes(image[at..at + 4].try_into().unwrap()) as usize * 512;
    let table = number(number(56));
    image[table..table + 4].copy_from_slice(&[0xf0, 0xff, 0xff, 0xff]);
    let error = failure(&bench, "damaged", &image);
    assert!(error.contains("the grain of disk byte 0 is said to be at byte 2199023247360"), "{error}");
}

#[test]
fn damage_of_vhd_and_vdi_is_named() {
    let Some(error) = damaged(&["-O", "vpc"], 3 * MIB, &[(512 + 20, &[1])]) else { return };
    assert!(error.contains("no dynamic header with a right checksum"), "{error}");
    let error = damaged(&["-O", "vpc"], 3 * MIB, &[(1536, &[0xf0, 0, 0, 0])]).unwrap();
    assert!(error.contains("at byte 2061584302080"), "{error}");
    let error = damaged(&["-O", "vdi"], 3 * MIB, &[(0x170, &[0xff; 8])]).unwrap();
    assert!(error.contains("the block map has"), "{error}");
    let error = damaged(&["-O", "vdi", "-S", "0"], 3 * MIB, &[(0x200, &[0, 0, 0, 0x70])]).unwrap();
    assert!(error.contains("beyond the end of the file"), "{error}");
}

#[test]
fn truncated_images_never_read_as_whole() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(3 * MIB, 54);
    let forms: &[&[&str]] = &[
        &["-O", "qcow2", "-S", "0"],
        &["-O", "qcow2", "-S", "0", "-c"],
        &["-O", "vmdk", "-S", "0"],
        &["-O", "vmdk", "-o", "subformat=streamOptimized", "-S", "0"],
        &["-O", "vhdx", "-S", "0"],
        &["-O", "vdi", "-S", "0"],
        &["-O", "vpc", "-S", "0"],
    ];
    for options in forms {
        bench.convert(options, "image");
        let image = bench.bytes("image");
        for part in [10, 5, 3, 2] {
            let kept = image.len() - image.len() / part;
            let path = bench.write("damaged", &image[..kept]);
            let Ok(opened) = open_plain(&path) else { continue };
            let mut disk = vec![0; bench.disk.len()];
            // Room of the last block that lies behind the end of the disk may be missing.
            let is_read = opened.disk.read_exact_at(0, &mut disk).is_ok();
            assert!(!is_read || disk == bench.disk, "{options:?} {part}");
            assert!(!is_read || part > 3, "{options:?} {part}");
        }
    }
}

#[test]
fn marks_of_the_writer_are_noted() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(MIB, 55);
    bench.convert(&["-O", "qcow2"], "image");
    let mut image = bench.bytes("image");
    image[79] |= 3;
    let notes = open_plain(&bench.write("marked", &image)).unwrap().notes;
    assert!(notes[0].contains("marked as corrupt") && notes[1].contains("not closed"), "{notes:?}");
}
