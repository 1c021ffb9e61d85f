//! A VHDX whose log was not played back.

use std::process::Command;

use crate::tools::{Bench, assert_is, has, open_plain, run};

const MIB: usize = 1 << 20;
const HEADERS: [usize; 2] = [64 << 10, 128 << 10];
const LOG_ID: [u8; 16] = *b"an id of the log";

fn number(bytes: &[u8]) -> usize {
    bytes.iter().rev().fold(0, |number, byte| number << 8 | usize::from(*byte))
}

/// Enters the CRC-32C of all bytes at byte 4.
pub(crate) fn seal(bytes: &mut [u8]) {
    bytes[4..8].fill(0);
    let sum = crc32c::crc32c(bytes);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
}

/// Returns where the log is.
fn log_start(image: &[u8]) -> usize {
    number(&image[HEADERS[0] + 72..HEADERS[0] + 80])
}

/// Returns where entries of the log begin, in the order in which QEMU wrote them.
fn entries(image: &[u8]) -> Vec<usize> {
    let log = log_start(image);
    (log..log + MIB).step_by(4096).filter(|at| image[*at..].starts_with(b"loge")).collect()
}

/// Makes the image of a machine that crashed after it wrote its log, and before it wrote anything else.
///
/// QEMU plays its log back at once and calls it empty; what it wrote is made valid again, as one sequence that
/// begins `rotation` bytes after the beginning of the log, and the places that it changed are overwritten.
pub(crate) fn crashed(rotation: usize) -> Option<Bench> {
    if !has("qemu-img") || !has("qemu-io") {
        return None;
    }
    let bench = Bench::new(512, 41);
    let path = bench.path("image");
    let options = ["create", "-q", "-f", "vhdx", "-o", "block_size=1M"];
    run(Command::new("qemu-img").args(options).arg(&path).arg("12M"));
    let writes = ["write -q -P 3 1000000 3000000", "write -q -P 4 9000000 100000"];
    run(Command::new("qemu-io")
        .args(["-t", "unsafe", "-f", "vhdx", "-c", writes[0], "-c", writes[1]])
        .arg(&path));

    let mut image = bench.bytes("image");
    for header in HEADERS {
        image[header + 48..header + 64].copy_from_slice(&LOG_ID);
        seal(&mut image[header..header + 4096]);
    }
    let log = log_start(&image);
    let starts = entries(&image);
    assert!(starts.len() > 2, "{starts:?}");
    for start in starts {
        let bytes = number(&image[start + 8..start + 12]);
        let place = number(&image[start + 64 + 16..start + 64 + 24]);
        image[place..place + 4096].fill(0xff);
        let entry = &mut image[start..start + bytes];
        entry[12..16].copy_from_slice(&u32::try_from(rotation).unwrap().to_le_bytes());
        entry[32..48].copy_from_slice(&LOG_ID);
        seal(entry);
    }
    image[log..log + MIB].rotate_right(rotation);
    bench.write("image", &image);
    Some(bench)
}

fn expected() -> Vec<u8> {
    let mut expected = vec![0; 12 * MIB];
    expected[1_000_000..4_000_000].fill(3);
    expected[9_000_000..9_100_000].fill(4);
    expected
}

#[test]
fn changes_that_are_only_in_the_log_are_seen() {
    // The second sequence goes around the end of the log, amid an entry.
    for rotation in [0, MIB - 3 * 4096] {
        let Some(bench) = crashed(rotation) else { return };
        let path = bench.path("image");
        let opened = open_plain(&path).unwrap();
        assert!(opened.notes.iter().any(|note| note.contains("played back")), "{:?}", opened.notes);
        assert_is(&opened, &expected());

        // QEMU reads the same, when it may repair the image first.
        run(Command::new("qemu-img").args(["check", "-q", "-r", "all", "-f", "vhdx"]).arg(&path));
        let raw = bench.path("repaired.raw");
        run(Command::new("qemu-img")
            .args(["convert", "-t", "unsafe", "-f", "vhdx", "-O", "raw"])
            .arg(&path)
            .arg(&raw));
        assert!(std::fs::read(raw).unwrap() == expected());
    }
}

#[test]
fn a_broken_log_is_an_error() {
    let Some(bench) = crashed(0) else { return };
    let image = bench.bytes("image");
    let starts = entries(&image);

    // Without its last entry the sequence is whole, and older.
    let mut older = image.clone();
    older[starts[starts.len() - 1] + 100] ^= 1;
    assert!(open_plain(&bench.write("older", &older)).is_ok());

    let mut broken = image.clone();
    for start in &starts {
        broken[start + 4] ^= 1;
    }
    let error = open_plain(&bench.write("broken", &broken)).unwrap_err().to_string();
    assert!(error.contains("holds no whole sequence"), "{error}");

    let mut short = image;
    for start in starts {
        let bytes = number(&short[start + 8..start + 12]);
        short[start + 48..start + 56].copy_from_slice(&(1_u64 << 40).to_le_bytes());
        seal(&mut short[start..start + bytes]);
    }
    let error = open_plain(&bench.write("short", &short)).unwrap_err().to_string();
    assert!(error.contains("the log says that it had 1099511627776 already"), "{error}");
}

#[test]
fn the_other_header_helps_when_one_is_broken() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(3 << 20, 42);
    bench.convert(&["-O", "vhdx"], "image");
    let mut bytes = bench.bytes("image");
    for at in [HEADERS[0], 192 << 10] {
        bytes[at + 100] ^= 1;
    }
    assert_is(&open_plain(&bench.write("one", &bytes)).unwrap(), &bench.disk);
    bytes[HEADERS[1] + 100] ^= 1;
    let error = open_plain(&bench.write("none", &bytes)).unwrap_err().to_string();
    assert!(error.contains("neither of the two headers"), "{error}");
}
