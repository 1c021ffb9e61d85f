//! The same root in every container gives the same inventory.

use std::path::Path;

use amint_types::scan::{CoverageStatus, PackageKind, ScanDocument, ScanVerdict};

use crate::disk::{EFI, LINUX, disk, efi, ext4};
use crate::root::{PACKAGES, Root};
use crate::support::{has_tools, inventory, look, open, part, sh};

/// Asserts what everybody would miss, so that equal documents are no equally empty ones.
fn assert_whole(document: &ScanDocument) {
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:#?}", document.reasons);
    let system = document.packages.iter().filter(|package| package.kind.is_of_system()).count();
    assert_eq!(system, PACKAGES);
    assert!(document.packages.iter().any(|package| package.kind == PackageKind::Pypi));
    assert_eq!(document.system.as_ref().map(|system| system.id.as_str()), Some("debian"));
    assert_eq!(document.kernels.len(), 1, "{:#?}", document.kernels);
    assert!(document.kernels[0].is_default);
    assert!(document.users.iter().any(|user| user.name == "admin"));
    assert!(
        document.services.iter().any(|service| service.name == "ssh.service"),
        "{:#?}",
        document.services
    );
    assert!(document.privileged.iter().any(|file| file.path == "/usr/bin/tool-1" && file.mode == "4755"));
    assert_eq!(document.modified_files, []);
    assert!(
        document
            .packages
            .iter()
            .all(|package| package.kind != PackageKind::Deb || package.has_code == Some(true))
    );
}

#[test]
fn every_format_gives_the_same_inventory() {
    if !has_tools(&["mke2fs", "sfdisk", "mkfs.vfat", "mcopy", "qemu-img", "tar"]) {
        return;
    }
    let root = Root::debian();
    let raw = disk(
        &root,
        "disk.raw",
        &[(EFI, "esp", efi(&root)), (LINUX, "root", ext4(&root, "root", "rootfs", 24, "-L root"))],
    );
    let expected = look(&raw);
    assert_whole(&expected);
    assert_eq!(part(&expected, "1 (esp)").mounted_at.as_deref(), Some("/boot/efi"));
    let root_part = part(&expected, "2 (root)");
    assert!(root_part.bytes > 200_000 && root_part.files > 200, "{root_part:?}");
    for (name, arguments) in [
        ("disk.qcow2", "-c -O qcow2"),
        ("disk.vmdk", "-O vmdk -o subformat=streamOptimized"),
        ("disk.vhd", "-O vpc"),
        ("disk.vhdx", "-O vhdx"),
        ("disk.vdi", "-O vdi"),
    ] {
        sh(root.folder.path(), &format!("qemu-img convert {arguments} disk.raw {name}"));
        let document = look(&root.beside(name));
        assert_eq!(inventory(&document), inventory(&expected), "{name}");
        assert_ne!(document.target.format, "raw", "{name}");
    }
    std::fs::write(root.beside("disk.ovf"), DESCRIPTION).unwrap();
    sh(root.folder.path(), "tar -cf disk.ova --format=ustar disk.ovf disk.vmdk");
    assert_eq!(inventory(&look(&root.beside("disk.ova"))), inventory(&expected), "OVA");
}

const DESCRIPTION: &str = r#"<?xml version="1.0"?>
<Envelope xmlns="http://schemas.dmtf.org/ovf/envelope/1" xmlns:ovf="http://schemas.dmtf.org/ovf/envelope/1">
<References><File ovf:id="file1" ovf:href="disk.vmdk"/></References>
<DiskSection><Info>disks</Info><Disk ovf:diskId="disk1" ovf:fileRef="file1" ovf:capacity="1" ovf:capacityAllocationUnits="byte * 2^20"/></DiskSection>
</Envelope>
"#;

#[test]
fn folders_archives_and_file_systems_give_the_same_inventory() {
    let root = Root::debian();
    let expected = look(&root.path());
    assert_whole(&expected);
    let same = |name: &str, path: &Path| {
        let document = look(path);
        assert_eq!(inventory(&document), inventory(&expected), "{name}");
        assert!(document.coverage.iter().all(|part| part.status == CoverageStatus::Read), "{name}");
    };
    let here = root.folder.path();
    if has_tools(&["tar"]) {
        sh(here, "tar -C root -cf root.tar .");
        same("tar", &root.beside("root.tar"));
        assert_eq!(open(&root.beside("root.tar")).unwrap().format, "tar");
    }
    for (tool, name, line) in [
        ("mke2fs", "ext2", "mke2fs -q -t ext2 -b 1024 -d root ext2 24M"),
        ("mkfs.btrfs", "btrfs", "truncate -s 128M btrfs && mkfs.btrfs -q --rootdir root btrfs"),
        ("mksquashfs", "squashfs", "mksquashfs root squashfs -quiet -no-progress >/dev/null"),
    ] {
        if has_tools(&[tool]) {
            sh(here, line);
            same(tool, &root.beside(name));
        }
    }
}

#[test]
fn a_compressed_archive_is_refused_with_what_to_do() {
    use amint_types::Hint as _;
    if !has_tools(&["tar", "gzip"]) {
        return;
    }
    let root = Root::alpine();
    sh(root.folder.path(), "tar -C root -czf root.tar.gz .");
    let error = open(&root.beside("root.tar.gz")).err().unwrap();
    assert!(error.hint().unwrap().contains("gzip -dk"), "{error:?}");
}

#[test]
fn an_alpine_root_is_read_from_xfs() {
    if !has_tools(&["mkfs.xfs"]) {
        return;
    }
    let root = Root::alpine();
    let expected = look(&root.path());
    assert_eq!(expected.packages.len(), PACKAGES);
    assert_eq!(expected.verdict, ScanVerdict::Pass, "{:#?}", expected.reasons);
    xfs(&root);
    let document = look(&root.beside("xfs"));
    assert_eq!(document.packages.len(), PACKAGES);
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:#?}", document.reasons);
    assert_eq!(inventory(&document), inventory(&expected));
}

/// Makes an XFS of a root by a prototype, which needs no mount.
pub(crate) fn xfs(root: &Root) {
    fn add(folder: &Path, depth: usize, text: &mut String) {
        let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
        entries.sort_by_key(std::fs::DirEntry::file_name);
        let indent = "  ".repeat(depth);
        for entry in entries {
            use std::os::unix::fs::MetadataExt;
            let (name, path) = (entry.file_name().into_string().unwrap(), entry.path());
            let metadata = std::fs::symlink_metadata(&path).unwrap();
            let mode = metadata.mode() & 0o777;
            let (uid, gid) = (metadata.uid(), metadata.gid());
            let set = if metadata.mode() & 0o4000 == 0 { '-' } else { 'u' };
            let line = if metadata.is_dir() {
                format!("{indent}{name} d--{mode:03o} {uid} {gid}\n")
            } else if metadata.is_symlink() {
                let target = std::fs::read_link(&path).unwrap();
                format!("{indent}{name} l--{mode:03o} {uid} {gid} {}\n", target.display())
            } else {
                format!("{indent}{name} -{set}-{mode:03o} {uid} {gid} {}\n", path.display())
            };
            text.push_str(&line);
            if metadata.is_dir() {
                add(&path, depth + 1, text);
                text.extend([indent.as_str(), "$\n"]);
            }
        }
    }
    let mut text = "/\n0 0\nd--755 0 0\n".to_owned();
    add(&root.path(), 0, &mut text);
    text.push_str("$\n");
    std::fs::write(root.beside("prototype"), text).unwrap();
    sh(root.folder.path(), "truncate -s 320M xfs && mkfs.xfs -q -L root -p prototype xfs");
}

#[test]
fn an_image_of_logical_volumes_is_put_together() {
    if !has_tools(&["mke2fs", "losetup", "lvm", "sfdisk"]) {
        return;
    }
    let root = Root::debian();
    let path = root.beside("lvm.raw");
    std::fs::File::create(&path).unwrap().set_len(64 << 20).unwrap();
    // LVM2 itself writes the metadata, without the device mapper.
    let line = "device=$(losetup -f --show lvm.raw); trap 'losetup -d $device' EXIT; \
         call() { lvm \"$@\" --driverloaded n --config \"devices { filter=[\\\"a|^$device\\$|\\\",\\\"r|.*|\\\"] \
         obtain_device_list_from_udev=0 use_devicesfile=0 } activation { udev_sync=0 udev_rules=0 monitoring=0 } \
         backup { backup=0 archive=0 }\"; }; call pvcreate $device; call vgcreate amintinspect $device; \
         call lvcreate -y -an -Zn -Wn -L 40M -n root amintinspect; call lvcreate -y -an -Zn -Wn -L 8M -n swap amintinspect";
    let made = std::process::Command::new("sh")
        .args(["-ec", line])
        .current_dir(root.folder.path())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap();
    if !made.status.success() {
        eprintln!("SKIPPED: needs loop devices and lvm: {}", String::from_utf8_lossy(&made.stderr));
        return;
    }
    root.write("etc/fstab", "/dev/mapper/amintinspect-root / ext4 defaults 0 1\n");
    let file_system = ext4(&root, "root", "rootfs", 40, "");
    // Linear from the first extent on, behind the megabyte of metadata.
    crate::disk::put(&path, 1 << 20, &file_system);
    let document = look(&path);
    assert_whole(&document);
    assert_eq!(part(&document, "amintinspect/root").mounted_at.as_deref(), Some("/"));
}
