//! Every form that QEMU can write gives back the raw disk, byte for byte.

use crate::tools::{Bench, assert_is, content, has, open_plain};
use amint_formats::Format;

const MIB: u64 = 1 << 20;

fn check(format: Format, bytes: u64, options: &[&[&str]]) {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(bytes, bytes ^ options.len() as u64);
    for (number, options) in options.iter().enumerate() {
        let path = bench.convert(options, &format!("disk{number}.img"));
        let opened = open_plain(&path).unwrap();
        assert_eq!(opened.format, format, "{options:?}");
        assert_is(&opened, &bench.disk);
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn raw_disks_are_read_as_they_are() {
    let bench = Bench::new(5 * MIB + 512, 1);
    let opened = open_plain(&bench.path("disk.raw")).unwrap();
    assert_eq!((opened.format, opened.notes.len()), (Format::Raw, 0));
    assert_is(&opened, &bench.disk);
}

#[test]
fn qcow2_of_all_kinds() {
    check(
        Format::Qcow2,
        9 * MIB + 512 * 3,
        &[
            &["-O", "qcow2"],
            &["-O", "qcow2", "-o", "compat=0.10"],
            &["-O", "qcow2", "-o", "cluster_size=512"],
            &["-O", "qcow2", "-o", "cluster_size=2M"],
            &["-O", "qcow2", "-o", "preallocation=metadata"],
            &["-O", "qcow2", "-o", "preallocation=falloc"],
            &["-O", "qcow2", "-o", "preallocation=full"],
            &["-O", "qcow2", "-S", "0"],
            &["-O", "qcow2", "-o", "lazy_refcounts=on"],
            &["-O", "qcow2", "-o", "refcount_bits=1"],
            &["-O", "qcow2", "-o", "extended_l2=on"],
            &["-O", "qcow2", "-o", "extended_l2=on,cluster_size=16k"],
            &["-O", "qcow2", "-o", "extended_l2=on,cluster_size=2M"],
        ],
    );
}

#[test]
fn compressed_qcow2_of_all_kinds() {
    check(
        Format::Qcow2,
        9 * MIB + 512 * 5,
        &[
            &["-O", "qcow2", "-c"],
            &["-O", "qcow2", "-c", "-o", "compat=0.10"],
            &["-O", "qcow2", "-c", "-o", "cluster_size=512"],
            &["-O", "qcow2", "-c", "-o", "cluster_size=2M"],
            &["-O", "qcow2", "-c", "-o", "compression_type=zstd"],
            &["-O", "qcow2", "-c", "-o", "compression_type=zstd,cluster_size=2M"],
            &["-O", "qcow2", "-c", "-o", "compression_type=zstd,extended_l2=on"],
        ],
    );
}

#[test]
fn several_threads_read_at_once() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(9 * MIB, 9);
    let opened =
        open_plain(&bench.convert(&["-O", "qcow2", "-c", "-o", "cluster_size=4k"], "image")).unwrap();
    std::thread::scope(|scope| {
        for step in [5000, 70_001, 1_000_000] {
            let (disk, expected) = (&opened.disk, &bench.disk);
            scope.spawn(move || assert!(content(disk, step) == *expected));
        }
    });
}

#[test]
fn vmdk_of_one_file() {
    check(
        Format::Vmdk,
        35 * MIB + 512 * 9,
        &[
            &["-O", "vmdk"],
            &["-O", "vmdk", "-o", "subformat=monolithicSparse,zeroed_grain=on", "-S", "0"],
            &["-O", "vmdk", "-o", "subformat=streamOptimized"],
        ],
    );
}

#[test]
fn vmdk_of_several_files() {
    if !has("qemu-img") {
        return;
    }
    for (subformat, extents) in
        [("monolithicFlat", "-flat"), ("twoGbMaxExtentSparse", "-s001"), ("twoGbMaxExtentFlat", "-f001")]
    {
        let bench = Bench::new(5 * MIB + 512, 5);
        let path = bench.convert(&["-O", "vmdk", "-o", &format!("subformat={subformat}")], "disk.vmdk");
        assert!(bench.path(&format!("disk{extents}.vmdk")).exists());
        let opened = open_plain(&path).unwrap();
        assert_eq!(opened.format, Format::Vmdk);
        assert_is(&opened, &bench.disk);
    }
}

#[test]
fn vhd_of_all_kinds() {
    check(
        Format::Vhd,
        9 * MIB + 512 * 3,
        &[
            &["-O", "vpc"],
            &["-O", "vpc", "-o", "subformat=dynamic,force_size=on"],
            &["-O", "vpc", "-o", "subformat=fixed"],
            &["-O", "vpc", "-o", "subformat=fixed,force_size=on"],
        ],
    );
}

#[test]
fn vhdx_of_all_kinds() {
    check(
        Format::Vhdx,
        18 * MIB + 512 * 3,
        &[
            &["-O", "vhdx"],
            &["-O", "vhdx", "-o", "subformat=fixed"],
            &["-O", "vhdx", "-o", "block_size=1M"],
            &["-O", "vhdx", "-o", "block_size=16M,block_state_zero=on", "-S", "0"],
            &["-O", "vhdx", "-o", "block_size=256M,block_state_zero=off"],
        ],
    );
}

#[test]
fn vdi_of_all_kinds() {
    check(Format::Vdi, 9 * MIB + 512 * 3, &[&["-O", "vdi"], &["-O", "vdi", "-o", "static=on"]]);
}
