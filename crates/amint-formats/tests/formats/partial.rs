//! Disks that were written in bits and pieces, as a running machine does.

use std::process::Command;

use crate::tools::{Bench, Numbers, assert_is, has, open_plain, run};

const MIB: u64 = 1 << 20;

/// Makes an image, writes, zeroes and discards at random places of it with `qemu-io`, and compares with what
/// `qemu-img` reads.
fn check(format: &str, options: &str, seed: u64) {
    if !has("qemu-img") || !has("qemu-io") {
        return;
    }
    let bench = Bench::new(512, 1);
    let image = bench.path("image");
    run(Command::new("qemu-img").args(["create", "-q", "-f", format, "-o", options]).arg(&image).arg("40M"));
    let mut numbers = Numbers::new(seed);
    let mut script = Command::new("qemu-io");
    script.args(["-t", "unsafe", "-f", format, "-d", "unmap"]);
    for number in 1..60 {
        let start = numbers.below(38 * MIB) & !511;
        let bits = numbers.below(20);
        let bytes = 512 + (numbers.below(1 << bits) & !511);
        let action = match numbers.below(6) {
            0 => "write -z".to_owned(),
            1 => "write -zu".to_owned(),
            2 => "discard".to_owned(),
            _ => format!("write -P {number}"),
        };
        script.arg("-c").arg(format!("{action} {start} {bytes}"));
    }
    run(script.arg(&image));
    let raw = bench.path("expected.raw");
    run(Command::new("qemu-img")
        .args(["convert", "-t", "unsafe", "-f", format, "-O", "raw"])
        .arg(&image)
        .arg(&raw));
    assert_is(&open_plain(&image).unwrap(), &std::fs::read(raw).unwrap());
}

#[test]
fn qcow2_written_in_pieces() {
    for (seed, options) in (1..).zip([
        "cluster_size=64k",
        "cluster_size=512",
        "cluster_size=4k,lazy_refcounts=on",
        "compat=0.10",
        "extended_l2=on",
        "extended_l2=on,cluster_size=16k",
    ]) {
        check("qcow2", options, seed * 77);
    }
}

#[test]
fn vmdk_written_in_pieces() {
    check("vmdk", "subformat=monolithicSparse", 5);
    check("vmdk", "subformat=monolithicSparse,zeroed_grain=on", 7);
}

#[test]
fn vhd_vhdx_and_vdi_written_in_pieces() {
    check("vpc", "subformat=dynamic,force_size=on", 11);
    check("vhdx", "block_size=1M", 13);
    check("vdi", "static=off", 17);
}

#[test]
fn internal_snapshots_are_passed_over_with_a_note() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(3 * MIB, 3);
    let image = bench.convert(&["-O", "qcow2"], "image");
    run(Command::new("qemu-img").args(["snapshot", "-c", "before"]).arg(&image));
    run(Command::new("qemu-io").args(["-f", "qcow2", "-c", "write -P 7 70000 70000"]).arg(&image));
    let mut expected = bench.disk.clone();
    expected[70_000..140_000].fill(7);
    let opened = open_plain(&image).unwrap();
    assert_is(&opened, &expected);
    assert!(opened.notes[0].contains("1 internal snapshot"), "{:?}", opened.notes);
}
