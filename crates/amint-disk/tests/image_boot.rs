//! Assembled disks started by real firmware: a boot loader that cannot be read shows nowhere else.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod image_support;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use amint_disk::image::{self, BiosBoot, BootFiles, EspFile};
use image_support::{assemble, has_tools, make_tree, run, spec};

const MARKER: &str = "amint-marker-7f3c";
const OVMF: &str = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const OVMF_VARS: &str = "/usr/share/OVMF/OVMF_VARS_4M.fd";
/// Firmware under emulation on a busy machine.
const DEADLINE_SECONDS: &str = "240";

/// Starts a machine and returns what it writes to the serial console, up to the marker.
fn start(disk: &Path, arguments: &[&str]) -> String {
    let drive = format!("if=none,id=disk,format=raw,snapshot=on,file={}", disk.display());
    let mut machine = Command::new("timeout")
        .args([DEADLINE_SECONDS, "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "256"])
        .args(["-display", "none", "-serial", "stdio", "-monitor", "none", "-nic", "none", "-no-reboot"])
        .args(["-drive", &drive, "-device", "nvme,serial=vol0,drive=disk"])
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut console = BufReader::new(machine.stdout.take().unwrap());
    let mut text = Vec::new();
    while console.read_until(b'\n', &mut text).unwrap() > 0 {
        if String::from_utf8_lossy(&text).contains(MARKER) {
            break;
        }
    }
    machine.kill().unwrap();
    machine.wait().unwrap();
    String::from_utf8_lossy(&text).into_owned()
}

/// Has GRUB make a core image that shows a file of the root file system.
fn make_core(folder: &Path, target: &str, console: &str, modules: &[&str]) -> Vec<u8> {
    let (config, core) = (folder.join("grub.cfg"), folder.join("core.img"));
    let uuid = spec().root_uuid;
    let text =
        format!("{console}\nsearch --fs-uuid --set=root {uuid}\ncat ($root)/boot/grub/marker.txt\nhalt\n");
    fs::write(&config, text).unwrap();
    let mut arguments = vec!["-O", target, "-p", "/boot/grub", "-c", config.to_str().unwrap()];
    arguments.extend([
        "-o",
        core.to_str().unwrap(),
        "part_gpt",
        "ext2",
        "search",
        "search_fs_uuid",
        "cat",
        "halt",
    ]);
    arguments.extend(modules);
    run("grub-mkimage", &arguments);
    fs::read(core).unwrap()
}

/// Tells whether a file is there, and says so loudly if not.
fn has_file(path: &str) -> bool {
    let found = Path::new(path).exists();
    if !found {
        eprintln!("SKIPPED: `{path}` is not installed");
    }
    found
}

#[test]
fn grub_starts_by_bios_and_reads_the_root_file_system() {
    let boot = "/usr/lib/grub/i386-pc/boot.img";
    if !has_tools(&["grub-mkimage", "qemu-system-x86_64"]) || !has_file(boot) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let console = "serial --unit=0 --speed=115200\nterminal_output serial";
    let core_img = make_core(folder.path(), "i386-pc", console, &["biosdisk", "serial", "terminal"]);
    let mut spec = spec();
    spec.boot =
        BootFiles { bios: Some(BiosBoot { boot_img: fs::read(boot).unwrap(), core_img }), esp: Vec::new() };
    let disk = folder.path().join("disk.raw");
    assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    let text = start(&disk, &[]);
    assert!(text.contains(MARKER), "{text}");
}

#[test]
fn grub_starts_by_uefi_and_reads_the_root_file_system() {
    let modules = "/usr/lib/grub/x86_64-efi/moddep.lst";
    if !has_tools(&["grub-mkimage", "qemu-system-x86_64"]) || !has_file(modules) || !has_file(OVMF) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let content = make_core(folder.path(), "x86_64-efi", "terminal_output console", &["terminal"]);
    let mut spec = spec();
    spec.boot =
        BootFiles { bios: None, esp: vec![EspFile { path: "EFI/BOOT/BOOTX64.EFI".to_owned(), content }] };
    spec.esp_bytes = image::ESP_BYTES;
    let disk = folder.path().join("disk.raw");
    assemble(&make_tree(folder.path()), &disk, &spec).unwrap();
    let variables = folder.path().join("vars.fd");
    fs::copy(OVMF_VARS, &variables).unwrap();
    let code = format!("if=pflash,format=raw,readonly=on,file={OVMF}");
    let variables = format!("if=pflash,format=raw,file={}", variables.display());
    let text = start(&disk, &["-drive", &code, "-drive", &variables]);
    assert!(text.contains(MARKER), "{text}");
}
