//! Backing files: only those that were named.

use std::path::PathBuf;
use std::process::Command;

use amint_formats::{FormatError, OpenOptions, open};
use amint_types::Hint as _;

use crate::tools::{Bench, assert_is, has, open_plain, run};

const MIB: u64 = 1 << 20;

fn allow(paths: &[PathBuf]) -> OpenOptions {
    OpenOptions { backing_files: paths.to_vec(), ..OpenOptions::default() }
}

/// Lays `name` over `backing`, which is of `format`.
fn overlay(bench: &Bench, name: &str, backing: &str, format: &str, size: &str) -> PathBuf {
    let path = bench.path(name);
    run(Command::new("qemu-img")
        .args(["create", "-q", "-u", "-f", "qcow2", "-b", backing, "-F", format])
        .arg(&path)
        .arg(size));
    path
}

#[test]
fn a_backing_file_is_refused_until_it_is_named() {
    if !has("qemu-img") || !has("qemu-io") {
        return;
    }
    let bench = Bench::new(3 * MIB, 21);
    bench.convert(&["-O", "qcow2", "-c"], "base.qcow2");
    let path = overlay(&bench, "top.qcow2", "base.qcow2", "qcow2", "5M");
    run(Command::new("qemu-io").args(["-f", "qcow2", "-c", "write -P 9 100000 100000"]).arg(&path));
    let error = open_plain(&path).unwrap_err();
    assert!(matches!(&error, FormatError::Backing { name, .. } if name == "base.qcow2"), "{error}");
    assert!(error.hint().unwrap().contains("base.qcow2"));
    assert!(open(&path, &allow(&[bench.path("other.qcow2")])).is_err());

    let mut expected = bench.disk.clone();
    expected.resize(5 << 20, 0);
    expected[100_000..200_000].fill(9);
    for allowed in [PathBuf::from("base.qcow2"), bench.path("base.qcow2")] {
        let opened = open(&path, &allow(&[allowed])).unwrap();
        assert_is(&opened, &expected);
        assert!(opened.notes[0].contains("`base.qcow2`"));
    }
}

#[test]
fn a_raw_backing_file_is_never_taken_for_anything_else() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(MIB, 22);
    let base = bench.convert(&["-O", "qcow2"], "base.raw");
    let path = overlay(&bench, "top.qcow2", "base.raw", "raw", "1M");
    let opened = open(&path, &allow(std::slice::from_ref(&base))).unwrap();
    let mut expected = std::fs::read(base).unwrap();
    expected.resize(1 << 20, 0);
    assert_is(&opened, &expected);
}

#[test]
fn what_is_not_stored_comes_from_the_backing_file() {
    if !has("qemu-img") || !has("qemu-io") {
        return;
    }
    let bench = Bench::new(3 * MIB + 512 * 3, 24);
    for (number, options) in ["cluster_size=512", "compat=0.10", "extended_l2=on"].into_iter().enumerate() {
        let path = bench.path(&format!("top{number}"));
        let base = bench.path("disk.raw");
        run(Command::new("qemu-img")
            .args(["create", "-q", "-f", "qcow2", "-F", "raw", "-o", options, "-b"])
            .args([&base, &path])
            .arg("5M"));
        run(Command::new("qemu-io")
            .args(["-t", "unsafe", "-f", "qcow2", "-d", "unmap"])
            .args([
                "-c",
                "write -q -P 9 100352 2048",
                "-c",
                "write -q -z 700416 90112",
                "-c",
                "write -q -P 8 4000000 99",
                "-c",
                "discard -q 2000000 500000",
                "-c",
                "write -q -zu 1500000 66000",
            ])
            .arg(&path));
        let raw = bench.path("expected");
        run(Command::new("qemu-img")
            .args(["convert", "-t", "unsafe", "-f", "qcow2", "-O", "raw"])
            .args([&path, &raw]));
        assert_is(&open(&path, &allow(&[base])).unwrap(), &std::fs::read(raw).unwrap());
    }
}

#[test]
fn a_chain_ends() {
    if !has("qemu-img") {
        return;
    }
    let bench = Bench::new(MIB, 23);
    bench.convert(&["-O", "qcow2"], "0");
    let mut allowed = vec![bench.path("0")];
    for number in 1..=9 {
        allowed.push(overlay(&bench, &number.to_string(), &(number - 1).to_string(), "qcow2", "1M"));
    }
    assert_is(&open(&allowed[8], &allow(&allowed)).unwrap(), &bench.disk);
    let error = open(&allowed[9], &allow(&allowed)).unwrap_err();
    assert!(
        std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source())
            .any(|error| error.to_string().contains("the ninth"))
    );

    overlay(&bench, "0", "3", "qcow2", "1M");
    let error = open(&allowed[3], &allow(&allowed)).unwrap_err();
    let last = std::iter::successors(Some(&error as &dyn std::error::Error), |error| error.source()).last();
    assert_eq!(last.unwrap().to_string(), "the backing file `3` leads back to itself");
}
