//! A small tree, a boot loader of the right form, and tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use amint_disk::image::{self, BiosBoot, BootFiles, DiskSpec, DiskSummary, EspFile, ImageError};
use amint_types::{Architecture, Cancel, NullSink, Seed};

/// 2023-11-14 22:13:20 UTC.
pub(crate) const EPOCH: i64 = 1_700_000_000;

/// Tells whether all tools are there, and says so loudly if not.
pub(crate) fn has_tools(tools: &[&str]) -> bool {
    let missing: Vec<_> =
        tools.iter().filter(|tool| Command::new(tool).arg("--version").output().is_err()).collect();
    if !missing.is_empty() {
        eprintln!("SKIPPED: not installed: {missing:?}");
    }
    missing.is_empty()
}

/// Runs a program and returns what it prints; fails the test when it fails.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {arguments:?}: {text}{error}");
    text
}

/// Makes a tree with a few files.
pub(crate) fn make_tree(folder: &Path) -> PathBuf {
    let tree = folder.join("tree");
    fs::create_dir_all(tree.join("boot/grub")).unwrap();
    fs::write(tree.join("boot/grub/marker.txt"), "amint-marker-7f3c\n").unwrap();
    fs::write(tree.join("hello"), "hello").unwrap();
    tree
}

/// Makes images that have the form of GRUB's and do nothing.
pub(crate) fn fake_grub() -> BiosBoot {
    let mut boot_img = vec![0x11; 512];
    boot_img[0x66..0x68].copy_from_slice(&[0xeb, 0x05]);
    boot_img[510..].copy_from_slice(&[0x55, 0xaa]);
    let mut core_img = vec![0; 512];
    core_img[500] = 2;
    core_img[508..512].copy_from_slice(&[3, 0, 0x20, 0x08]);
    core_img.extend(vec![0x22; 512 * 2 + 100]);
    BiosBoot { boot_img, core_img }
}

/// Makes a specification of a small disk.
pub(crate) fn spec() -> DiskSpec {
    let seed = Seed::new(b"test");
    DiskSpec {
        bytes: Some(256 << 20),
        seed,
        epoch: EPOCH,
        root_label: "root".to_owned(),
        root_uuid: image::root_uuid(&seed),
        architecture: Architecture::X86_64,
        boot: BootFiles {
            bios: Some(fake_grub()),
            esp: vec![
                EspFile { path: "EFI/BOOT/BOOTX64.EFI".to_owned(), content: vec![0x4d; 100_000] },
                EspFile { path: "EFI/BOOT/a long name.cfg".to_owned(), content: b"set x=1\n".to_vec() },
                EspFile { path: "empty.txt".to_owned(), content: Vec::new() },
            ],
        },
        esp_bytes: image::ESP_BYTES,
    }
}

/// Assembles a disk that nobody listens to.
pub(crate) fn assemble(tree: &Path, output: &Path, spec: &DiskSpec) -> Result<DiskSummary, ImageError> {
    image::assemble(tree, output, spec, &NullSink, "assemble", &Cancel::new())
}
