//! Compressed data, written by the kernel.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt as _;

use crate::support::{Except, Image, compare, noise, text};

fn check(method: &str) {
    let Some(image) = Image::make(200, &[]) else { return };
    let Some(mount) = image.mount(&format!("compress-force={method}")) else { return };
    fs::write(mount.at("text"), text(3_000_001)).unwrap();
    fs::write(mount.at("inline"), text(1500)).unwrap();
    fs::write(mount.at("zeros"), vec![0; 1 << 20]).unwrap();
    fs::write(mount.at("noise"), noise(500_000, 5)).unwrap();
    let half: Vec<u8> =
        (0..100).flat_map(|number| [noise(3000, number), vec![b'x'; 3000]].concat()).collect();
    fs::write(mount.at("half"), half).unwrap();
    mount.run("sync", &["-f", "@/text"]);
    let file = OpenOptions::new().write(true).open(mount.at("text")).unwrap();
    file.write_all_at(b"something else in the middle", 700_000).unwrap();
    file.sync_all().unwrap();
    file.set_len(2_500_000).unwrap();
    file.set_len(2_600_000).unwrap();
    drop(file);
    fs::write(mount.at("grown"), text(5001)).unwrap();
    mount.run("sync", &["-f", "@/grown"]);
    OpenOptions::new().write(true).open(mount.at("grown")).unwrap().set_len(9000).unwrap();
    drop(mount);
    let Some(mount) = image.mount("ro") else { return };
    compare(&image.open(), &mount.0, Except::default());
}

#[test]
fn reads_zlib() {
    check("zlib:9");
}

#[test]
fn reads_lzo() {
    check("lzo");
}

#[test]
fn reads_zstd() {
    check("zstd:9");
}
