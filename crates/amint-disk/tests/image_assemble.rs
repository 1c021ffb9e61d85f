//! Assembled disks, read back by the tools of the operating system.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod image_support;

use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Mutex;

use amint_disk::image::{self, EspFile, ImageError};
use amint_types::{Architecture, Cancel, Event, EventSink, MIB, NullSink, Seed};
use image_support::{assemble, has_tools, make_tree, run, spec};

/// Reads bytes of a file.
fn read_at(path: &Path, offset: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    File::open(path).unwrap().read_exact_at(&mut bytes, offset).unwrap();
    bytes
}

/// Copies a part of the disk to a file of its own, for tools that take no offset.
fn extract(disk: &Path, start: u64, bytes: u64, target: &Path) {
    fs::write(target, read_at(disk, start, usize::try_from(bytes).unwrap())).unwrap();
}

#[test]
fn sfdisk_finds_the_partitions_as_they_were_told() {
    if !has_tools(&["sfdisk"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let spec = spec();
    let summary = assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    let name = disk.to_str().unwrap();
    let verdict = run("sfdisk", &["--verify", name]);
    assert!(verdict.contains("No errors detected"), "{verdict}");

    let dump = run("sfdisk", &["-d", name]).to_lowercase();
    let seed = Seed::new(b"test");
    assert!(dump.contains(&format!("label-id: {}", image::disk_uuid(&seed))), "{dump}");
    let expected = [
        ("bios", 2048, 2048, image::TYPE_BIOS_BOOT),
        ("esp", 4096, 131_072, image::TYPE_ESP),
        ("root", 135_168, 387_072, image::TYPE_ROOT_X86_64),
    ];
    for (number, (name, start, size, kind)) in (1..).zip(expected) {
        let id = image::partition_uuid(&seed, name);
        let line = dump.lines().find(|line| line.contains(&format!("raw{number} :"))).unwrap();
        let squeezed: String = line.chars().filter(|character| *character != ' ').collect();
        let wanted = format!(r#"start={start},size={size},type={kind},uuid={id},name="{name}""#);
        assert!(squeezed.ends_with(&wanted), "{squeezed}\n{wanted}");

        let partition = &summary.partitions[number - 1];
        assert_eq!(usize::try_from(partition.number).unwrap(), number);
        assert_eq!((partition.start_bytes, partition.bytes), (start * 512, size * 512));
        assert_eq!(partition.name, name);
    }
    assert_eq!(summary.bytes, fs::metadata(&disk).unwrap().len());
}

#[test]
fn the_backup_table_is_at_the_very_end_and_repairs_the_first() {
    if !has_tools(&["sfdisk"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let summary = assemble(&make_tree(folder.path()), &disk, &spec()).unwrap();
    assert_eq!(read_at(&disk, summary.bytes - 512, 8), b"EFI PART");
    let before = run("sfdisk", &["-d", disk.to_str().unwrap()]);
    File::options().write(true).open(&disk).unwrap().write_all_at(&vec![0; 512 * 33], 512).unwrap();
    assert_eq!(run("sfdisk", &["-d", disk.to_str().unwrap()]), before);
}

#[test]
fn the_same_inputs_give_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let tree = make_tree(folder.path());
    let (one, two) = (folder.path().join("one.raw"), folder.path().join("two.raw"));
    let mut spec = spec();
    let first = assemble(&tree, &one, &spec).unwrap();
    // The order of the files is no input.
    spec.boot.esp.reverse();
    let second = assemble(&tree, &two, &spec).unwrap();
    assert_eq!(first, second);
    assert!(fs::read(&one).unwrap() == fs::read(&two).unwrap(), "two assemblies differ");

    spec.seed = Seed::new(b"other");
    assemble(&tree, &two, &spec).unwrap();
    assert!(fs::read(&one).unwrap() != fs::read(&two).unwrap(), "the seed changes nothing");
}

#[test]
fn the_disk_is_sparse_and_private() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    assemble(&make_tree(folder.path()), &disk, &spec()).unwrap();
    let metadata = fs::metadata(&disk).unwrap();
    assert_eq!(metadata.mode() & 0o777, 0o600);
    assert!(metadata.blocks() * 512 < 16 * MIB, "it takes {} KiB", metadata.blocks() / 2);
}

#[test]
fn the_efi_partition_is_clean_fat32_with_the_files_and_fixed_times() {
    if !has_tools(&["fsck.vfat", "mdir", "mtype", "minfo"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let spec = spec();
    let summary = assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    let partition = &summary.partitions[1];
    let esp = folder.path().join("esp.img");
    extract(&disk, partition.start_bytes, partition.bytes, &esp);
    let checked = run("fsck.vfat", &["-n", "-v", esp.to_str().unwrap()]);
    assert!(checked.contains("32 bit entries"), "{checked}");
    assert!(!checked.contains("Label"), "{checked}");

    let image = format!("{}@@{}", disk.display(), partition.start_bytes);
    let listing = run("mdir", &["-i", &image, "-a", "-/", "::/"]);
    let id = image::esp_volume_id(&spec.seed);
    assert!(listing.contains(&format!("{:04X}-{:04X}", id >> 16, id & 0xffff)), "{listing}");
    assert!(listing.contains("Volume in drive : is ESP"), "{listing}");
    for name in ["EFI", "BOOTX64  EFI", "EMPTY~1  TXT"] {
        let line = listing.lines().find(|line| line.to_uppercase().starts_with(name)).unwrap();
        assert!(line.contains("2023-11-14") && line.contains("22:13"), "{line}");
    }
    assert!(listing.contains("a long name.cfg"), "{listing}");
    assert_eq!(run("mtype", &["-i", &image, "::/EFI/BOOT/a long name.cfg"]), "set x=1\n");
    assert_eq!(run("mtype", &["-i", &image, "::/EFI/BOOT/BOOTX64.EFI"]).len(), 100_000);
    assert!(run("minfo", &["-i", &image, "::"]).contains("FAT32"));
}

#[test]
fn large_efi_partitions_are_clean_too() {
    if !has_tools(&["fsck.vfat"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (tree, disk) = (make_tree(folder.path()), folder.path().join("disk.raw"));
    for esp_mib in [34, 35, 261, 512] {
        let mut spec = spec();
        spec.bytes = Some(1024 * MIB);
        spec.esp_bytes = esp_mib * MIB;
        let summary = assemble(&tree, &disk, &spec).unwrap();
        let esp = folder.path().join("esp.img");
        extract(&disk, summary.partitions[1].start_bytes, summary.partitions[1].bytes, &esp);
        run("fsck.vfat", &["-n", esp.to_str().unwrap()]);
    }
}

#[test]
fn grub_is_installed_as_grub_bios_setup_does_it() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    assemble(&make_tree(folder.path()), &disk, &spec()).unwrap();
    let sector = read_at(&disk, 0, 512);
    assert_eq!(sector[..3], [0x11; 3]);
    assert_eq!(sector[3..0x5a], [0; 0x57], "no FAT parameters");
    assert_eq!(sector[0x5c..0x64], 2048_u64.to_le_bytes(), "first sector of the core image");
    assert_eq!(sector[0x64], 0xff, "the drive started from");
    assert_eq!(sector[0x66..0x68], [0x90, 0x90], "the check of the drive is on");
    assert_eq!(sector[0x68..440], [0x11; 440 - 0x68]);
    // Behind the code: no disk signature, then the protective partition, not marked as active.
    assert_eq!(sector[440..447], [0; 7]);
    assert_eq!(sector[450], 0xee);
    assert_eq!(sector[510..], [0x55, 0xaa]);

    let core = read_at(&disk, MIB, 4 * 512);
    assert_eq!(core[500..508], 2049_u64.to_le_bytes(), "second sector of the core image");
    assert_eq!(core[508..512], [3, 0, 0x20, 0x08]);
    assert_eq!(core[512..512 * 3 + 100], [0x22; 512 * 2 + 100]);
    assert_eq!(core[512 * 3 + 100..], [0; 412]);
}

#[test]
fn a_disk_for_arm_has_its_own_root_type_and_no_bios() {
    if !has_tools(&["sfdisk"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let mut spec = spec();
    spec.architecture = Architecture::Arm64;
    spec.boot.bios = None;
    let summary = assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    let names: Vec<_> = summary.partitions.iter().map(|partition| partition.name.as_str()).collect();
    assert_eq!(names, ["esp", "root"]);
    assert_eq!(read_at(&disk, 0, 446), [0; 446]);
    let dump = run("sfdisk", &["-d", disk.to_str().unwrap()]).to_lowercase();
    assert!(dump.contains(&image::TYPE_ROOT_ARM64.to_string()), "{dump}");
}

#[test]
fn the_root_file_system_is_clean_and_has_the_tree() {
    if !has_tools(&["e2fsck", "debugfs", "dumpe2fs"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let spec = spec();
    let summary = assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    let partition = &summary.partitions[2];
    let root = folder.path().join("root.img");
    extract(&disk, partition.start_bytes, partition.bytes, &root);
    let root = root.to_str().unwrap();
    run("e2fsck", &["-f", "-n", root]);
    assert!(run("dumpe2fs", &["-h", root]).contains(&spec.root_uuid.to_string()));
    assert_eq!(run("debugfs", &["-R", "cat /boot/grub/marker.txt", root]), "amint-marker-7f3c\n");
    assert!(summary.root_used_bytes > 0 && summary.root_used_bytes < partition.bytes);
}

#[test]
fn the_size_is_chosen_when_none_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let disk = folder.path().join("disk.raw");
    let mut spec = spec();
    spec.bytes = None;
    let summary = assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    assert_eq!(summary.bytes, 1024 * MIB);
}

#[test]
fn what_cannot_be_is_refused_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let tree = make_tree(folder.path());
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let disk = out.join("disk.raw");
    let check = |change: &dyn Fn(&mut image::DiskSpec), text: &str| {
        let mut spec = spec();
        change(&mut spec);
        let error = assemble(&tree, &disk, &spec).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
        assert_eq!(fs::read_dir(&out).unwrap().count(), 0);
    };
    let bios = |spec: &mut image::DiskSpec, change: &dyn Fn(&mut image::BiosBoot)| {
        change(spec.boot.bios.as_mut().unwrap());
    };
    check(&|spec| spec.bytes = Some(66 * MIB), "fit the tree on a disk of 66 MiB");
    check(&|spec| spec.bytes = Some(256 * MIB + 1), "not a whole number");
    check(&|spec| spec.esp_bytes = MIB, "fit the EFI system partition in 1 MiB");
    check(&|spec| bios(spec, &|bios| bios.boot_img.truncate(511)), "511 bytes instead of 512");
    check(&|spec| bios(spec, &|bios| bios.boot_img[510] = 0), "boot sector");
    check(&|spec| bios(spec, &|bios| bios.boot_img[0x66] = 0), "not GRUB's");
    check(&|spec| bios(spec, &|bios| bios.core_img.truncate(600)), "only 600 bytes");
    check(&|spec| bios(spec, &|bios| bios.core_img.resize((1 << 20) + 1, 0)), "the partition 1048576");
    check(&|spec| bios(spec, &|bios| bios.core_img.extend([0; 512])), "does not tell its length");
    check(&|spec| bios(spec, &|bios| bios.core_img[496] = 1), "more than one block list");
    let file = |path: &str| EspFile { path: path.to_owned(), content: vec![1] };
    check(&|spec| spec.boot.esp.push(file("EFI/../x")), "place `EFI/../x`");
    check(&|spec| spec.boot.esp.push(file("EFI/a:b")), "place `EFI/a:b`");
    check(&|spec| spec.root_label = "longer than sixteen bytes".to_owned(), "root file system");

    let missing = out.join("missing/disk.raw");
    let error = assemble(&tree, &missing, &spec()).unwrap_err();
    assert_eq!(error.to_string(), format!("failed to write the disk to `{}`", missing.display()));
    let error = assemble(&folder.path().join("no tree"), &disk, &spec()).unwrap_err();
    assert!(matches!(error, ImageError::Root(_)), "{error}");
}

/// Raises a flag at the first sign of progress.
struct Interrupter {
    cancel: Cancel,
    steps: Mutex<Vec<String>>,
}

impl EventSink for Interrupter {
    fn emit(&self, event: Event) {
        if let Event::StepProgress { step, .. } = event {
            self.steps.lock().unwrap().push(step);
            self.cancel.cancel();
        }
    }
}

#[test]
fn an_interruption_leaves_the_old_disk_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let tree = make_tree(folder.path());
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let disk = out.join("disk.raw");
    fs::write(&disk, "old").unwrap();
    let cancel = Cancel::new();
    let sink = Interrupter { cancel: cancel.clone(), steps: Mutex::default() };
    let error = image::assemble(&tree, &disk, &spec(), &sink, "disk", &cancel).unwrap_err();
    assert!(matches!(error, ImageError::Cancelled(_)), "{error}");
    assert!(sink.steps.lock().unwrap().iter().all(|step| step == "disk"));
    assert_eq!(fs::read_dir(&out).unwrap().count(), 1);
    assert_eq!(fs::read(&disk).unwrap(), b"old");

    image::assemble(&tree, &disk, &spec(), &NullSink, "disk", &Cancel::new()).unwrap();
    assert_eq!(fs::metadata(&disk).unwrap().len(), 256 * MIB);
}
