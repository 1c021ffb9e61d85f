//! Where file systems stand: subvolumes, mount points, partitions with the same names.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use amint_types::scan::{CoverageStatus, ScanDocument, ScanVerdict};

use crate::disk::{EFI, LINUX, disk, efi, ext4};
use crate::root::{PACKAGES, Root};
use crate::support::{has_tools, look, part, sh};

/// Makes a btrfs whose subvolumes the kernel makes; none where it cannot.
fn btrfs(root: &Root, line: &str) -> Option<PathBuf> {
    if !has_tools(&["mkfs.btrfs", "btrfs", "mount"]) {
        return None;
    }
    let script = format!(
        "rm -rf files m; truncate -s 200M files; mkfs.btrfs -q -L root files; mkdir m; mount -o loop files m; trap 'umount m' EXIT; cd m; {line}; cd .."
    );
    let made = Command::new("sh")
        .args(["-ec", &script])
        .current_dir(root.folder.path())
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .output()
        .unwrap();
    if !made.status.success() {
        eprintln!("SKIPPED: needs mounts of btrfs: {}", String::from_utf8_lossy(&made.stderr));
        return None;
    }
    Some(root.beside("files"))
}

fn assert_system(document: &ScanDocument) {
    assert_eq!(document.verdict, ScanVerdict::Pass, "{:#?}", document.reasons);
    let system = document.packages.iter().filter(|package| package.kind.is_of_system()).count();
    assert_eq!(system, PACKAGES);
    assert!(document.kernels.len() == 1 && document.services.len() == 1);
}

/// A package of Python that only another subvolume holds.
const PYTHON: &str = "mkdir -p home/a/flask-3.0.0.dist-info; printf 'Metadata-Version: 2.1\\nName: flask\\nVersion: 3.0.0\\n' > home/a/flask-3.0.0.dist-info/METADATA";

fn has_flask(document: &ScanDocument, path: &str) -> bool {
    let flask: Vec<_> = document.packages.iter().filter(|package| package.name == "flask").collect();
    flask.len() == 1 && flask[0].path.starts_with(path)
}

#[test]
fn the_subvolumes_of_fedora_are_put_together() {
    let root = Root::debian();
    root.write("etc/fstab", "LABEL=root / btrfs subvol=root 0 0\nLABEL=root /home btrfs subvol=home 0 0\n");
    let line = format!(
        "btrfs -q subvolume create root; btrfs -q subvolume create home; cp -a ../root/. root/; {PYTHON}"
    );
    let Some(image) = btrfs(&root, &line) else { return };
    let document = look(&image);
    assert_system(&document);
    assert!(has_flask(&document, "/home/a/"), "{:#?}", document.coverage);
    assert_eq!(document.coverage[0].mounted_at.as_deref(), Some("/"));
}

#[test]
fn the_subvolumes_of_ubuntu_are_put_together_and_the_top_may_be_mounted_too() {
    let root = Root::debian();
    root.write(
        "etc/fstab",
        "LABEL=root / btrfs defaults,subvol=@ 0 0\nLABEL=root /home btrfs subvolid=257 0 0\nLABEL=root /mnt btrfs subvolid=5 0 0\n",
    );
    let line = format!(
        "btrfs -q subvolume create @; btrfs -q subvolume create home; cp -a ../root/. @/; {PYTHON}; echo top > note"
    );
    let Some(image) = btrfs(&root, &line) else { return };
    let document = look(&image);
    assert_system(&document);
    // The top is looked at as well, and what stands elsewhere is not looked at again there.
    assert!(has_flask(&document, "/home/a/"), "{:#?}", document.coverage);
    assert!(document.coverage[0].notes.iter().any(|note| note.contains("/mnt")), "{:#?}", document.coverage);
}

#[test]
fn the_default_subvolume_of_opensuse_is_the_root_and_paths_begin_at_the_top() {
    let root = Root::debian();
    root.write("etc/fstab", "LABEL=root / btrfs defaults 0 0\nLABEL=root /home btrfs subvol=/@/home 0 0\n");
    let line = format!(
        "btrfs -q subvolume create @; mkdir -p @/.snapshots/1; btrfs -q subvolume create @/.snapshots/1/snapshot; \
         btrfs -q subvolume create @/home; cp -a ../root/. @/.snapshots/1/snapshot/; btrfs -q subvolume create @/opt; \
         btrfs subvolume set-default @/.snapshots/1/snapshot; cd @; {PYTHON}; cd opt; {PYTHON}; cd ../.."
    );
    let Some(image) = btrfs(&root, &line) else { return };
    let document = look(&image);
    assert_system(&document);
    let mut paths: Vec<&str> = document
        .packages
        .iter()
        .filter(|package| package.name == "flask")
        .map(|package| package.path.as_str())
        .collect();
    paths.sort_unstable();
    // `@/opt` is mounted by nothing, and looked at all the same.
    assert_eq!(paths.len(), 2, "{paths:?}");
    assert!(paths[0].starts_with("/@whole disk/@/opt/home/a/"), "{paths:?}");
    assert!(paths[1].starts_with("/home/a/"), "{paths:?}");
}

#[test]
fn file_systems_are_put_where_fstab_wants_them_and_what_they_hide_is_told() {
    if !has_tools(&["mke2fs", "sfdisk", "mkfs.vfat", "mcopy"]) {
        return;
    }
    let root = Root::debian();
    root.write(
        "etc/fstab",
        "LABEL=root / ext4 defaults 0 1\nLABEL=boot /boot ext4 defaults 0 2\nUUID=1234-5678 /boot/efi vfat umask=0077 0 1\n\
         LABEL=data /srv/my\\040data ext4 defaults 0 2\n/srv /mnt none bind 0 0\ntmpfs /tmp tmpfs size=1G 0 0\n\
         UUID=x none swap sw 0 0\nserver:/export /home nfs defaults 0 0\n",
    );
    root.write("srv/my data/below", "hidden");
    root.write("srv/my data/below-too", "hidden");
    let boot = root.beside("boot-files");
    fs::rename(root.path().join("boot"), &boot).unwrap();
    fs::create_dir_all(root.path().join("boot")).unwrap();
    fs::create_dir_all(root.beside("data-files/a/flask-3.0.0.dist-info")).unwrap();
    fs::write(
        root.beside("data-files/a/flask-3.0.0.dist-info/METADATA"),
        "Metadata-Version: 2.1\nName: flask\nVersion: 3.0.0\n",
    )
    .unwrap();
    let image = disk(
        &root,
        "disk.raw",
        &[
            (EFI, "esp", efi(&root)),
            (LINUX, "data", ext4(&root, "data-files", "datafs", 4, "-L data")),
            (LINUX, "boot", ext4(&root, "boot-files", "bootfs", 4, "-L boot")),
            (LINUX, "root", ext4(&root, "root", "rootfs", 16, "-L root")),
        ],
    );
    let document = look(&image);
    assert_system(&document);
    let places: Vec<&str> = document.coverage.iter().filter_map(|part| part.mounted_at.as_deref()).collect();
    assert_eq!(places, ["/boot/efi", "/srv/my data", "/boot", "/"]);
    assert!(has_flask(&document, "/srv/my data/a/"));
    let notes = &part(&document, "4").notes;
    assert!(notes.iter().any(|note| note.starts_with("2 names lie hidden below /srv/my data")), "{notes:?}");
}

#[test]
fn what_nothing_mounts_is_looked_at_all_the_same() {
    if !has_tools(&["mke2fs", "sfdisk", "mkfs.vfat", "mcopy"]) {
        return;
    }
    let root = Root::debian();
    root.write("etc/fstab", "LABEL=root / ext4 defaults 0 1\nLABEL=far /not/there ext4 defaults 0 2\n");
    root.remove("boot/efi");
    fs::create_dir_all(root.beside("far-files/a/flask-3.0.0.dist-info")).unwrap();
    fs::write(
        root.beside("far-files/a/flask-3.0.0.dist-info/METADATA"),
        "Metadata-Version: 2.1\nName: flask\nVersion: 3.0.0\n",
    )
    .unwrap();
    let image = disk(
        &root,
        "disk.raw",
        &[
            (EFI, "esp", efi(&root)),
            (LINUX, "far", ext4(&root, "far-files", "farfs", 4, "-L far")),
            (LINUX, "root", ext4(&root, "root", "rootfs", 16, "-L root")),
        ],
    );
    let document = look(&image);
    assert_system(&document);
    let far = part(&document, "2");
    assert_eq!(far.mounted_at.as_deref(), Some("/@2 (far)"));
    assert!(far.files > 3 && far.bytes > 0, "{far:?}");
    assert!(far.notes.iter().any(|note| note.contains("/not/there")), "{far:?}");
    assert!(has_flask(&document, "/@2 (far)/a/"), "{:#?}", document.packages.last());
    assert_eq!(part(&document, "1").mounted_at.as_deref(), Some("/@1 (esp)"));
}

#[test]
fn two_parts_of_one_label_are_told_and_both_looked_at() {
    if !has_tools(&["mke2fs", "sfdisk"]) {
        return;
    }
    let root = Root::debian();
    root.write("etc/fstab", "LABEL=root / ext4 defaults 0 1\nLABEL=data /srv ext4 defaults 0 2\n");
    fs::create_dir_all(root.path().join("srv")).unwrap();
    fs::create_dir_all(root.beside("one")).unwrap();
    fs::write(root.beside("one/file"), "x").unwrap();
    let image = disk(
        &root,
        "disk.raw",
        &[
            (LINUX, "root", ext4(&root, "root", "rootfs", 16, "-L root")),
            (LINUX, "a", ext4(&root, "one", "afs", 4, "-L data")),
            (LINUX, "b", ext4(&root, "one", "bfs", 4, "-L data")),
        ],
    );
    let document = look(&image);
    assert_system(&document);
    assert_eq!(part(&document, "2").mounted_at.as_deref(), Some("/srv"));
    assert_eq!(part(&document, "3").mounted_at.as_deref(), Some("/@3 (b)"));
    assert!(
        part(&document, "3").notes[0].contains("2 (a), which was taken for /srv"),
        "{:?}",
        part(&document, "3")
    );
}

#[test]
fn folders_in_a_circle_end_the_walk_and_are_told() {
    if !has_tools(&["mke2fs", "debugfs"]) {
        return;
    }
    let root = Root::debian();
    root.write("srv/a/b/file", "x");
    let image = ext4(&root, "root", "rootfs", 16, "-L root");
    sh(root.folder.path(), "debugfs -w -R 'ln /srv/a /srv/a/b/circle' rootfs 2>/dev/null");
    let document = look(&image);
    assert_eq!(document.coverage[0].status, CoverageStatus::Partial);
    assert!(document.reasons[0].contains("a folder that lies in two places"), "{:?}", document.reasons);
    assert_eq!(document.verdict, ScanVerdict::Unread);
}
