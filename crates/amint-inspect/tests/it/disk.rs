//! Disks with partitions, made of file systems that were made before.

use std::fmt::Write as _;
use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, copy};
use std::path::{Path, PathBuf};

use crate::root::Root;
use crate::support::sh;

const MIB: u64 = 1 << 20;
pub(crate) const LINUX: &str = "0FC63DAF-8483-4772-8E79-3D69D8477DE4";
pub(crate) const EFI: &str = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B";

/// One partition: its type, its name, and what lies in it.
pub(crate) type Partition<'a> = (&'a str, &'a str, PathBuf);

/// Makes a disk with a GPT.
pub(crate) fn disk(root: &Root, name: &str, partitions: &[Partition<'_>]) -> PathBuf {
    let path = root.beside(name);
    let mut start = MIB;
    let mut script = "label: gpt\n".to_owned();
    let mut places = Vec::new();
    for (type_id, label, content) in partitions {
        let bytes = fs::metadata(content).unwrap().len().next_multiple_of(MIB);
        let (first, count) = (start / 512, bytes / 512);
        let _ = writeln!(script, "start={first}, size={count}, type={type_id}, name=\"{label}\"");
        places.push((start, content));
        start += bytes;
    }
    fs::File::create(&path).unwrap().set_len(start + MIB).unwrap();
    fs::write(root.beside("script"), script).unwrap();
    sh(root.folder.path(), &format!("sfdisk -q {name} < script"));
    for (start, content) in places {
        put(&path, start, content);
    }
    path
}

/// Writes a file into a disk.
pub(crate) fn put(disk: &Path, start: u64, content: &Path) {
    let mut target = OpenOptions::new().write(true).open(disk).unwrap();
    target.seek(SeekFrom::Start(start)).unwrap();
    copy(&mut fs::File::open(content).unwrap(), &mut target).unwrap();
}

/// Makes an ext4 of a folder beside the root.
pub(crate) fn ext4(root: &Root, folder: &str, name: &str, mib: u64, options: &str) -> PathBuf {
    sh(root.folder.path(), &format!("mke2fs -q -t ext4 {options} -d {folder} {name} {mib}M"));
    root.beside(name)
}

/// Makes an EFI system partition with one file.
pub(crate) fn efi(root: &Root) -> PathBuf {
    fs::write(root.beside("shim"), "MZ a shim").unwrap();
    sh(
        root.folder.path(),
        "rm -f esp && mkfs.vfat -C -n EFI -i 12345678 esp 4096 >/dev/null && mmd -i esp ::/EFI && mcopy -i esp shim ::/EFI/shim.efi",
    );
    root.beside("esp")
}
