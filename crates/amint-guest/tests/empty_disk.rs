//! Real machines that never get far: an empty disk, started by BIOS under software emulation.
#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests may fail and speak as tests do"
)]

use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use amint_guest::{
    Accelerator, BootTestSpec, Deadlines, DiskFormat, ExpectedPort, GuestDisk, GuestError, GuestTest,
    Promises, Protocol, boot_test,
};
use amint_types::report::{CheckOutcome, Firmware};
use amint_types::{Architecture, Cancel, Event, EventSink, Hint, MIB, NullSink};

fn is_qemu_here() -> bool {
    let is_here = std::process::Command::new("qemu-system-x86_64").arg("--version").output().is_ok();
    if !is_here {
        eprintln!("SKIPPED: qemu-system-x86_64 is not installed");
    }
    is_here
}

fn spec(folder: &Path) -> BootTestSpec {
    let work_dir = folder.join("work, with a comma");
    std::fs::create_dir(&work_dir).unwrap();
    let path = folder.join("disk.raw");
    std::fs::write(&path, vec![0; 1024 * 1024]).unwrap();
    BootTestSpec {
        disk: GuestDisk { path, format: DiskFormat::Raw, bytes: MIB },
        architecture: Architecture::X86_64,
        firmware: Firmware::Bios,
        user: "ec2-user".to_owned(),
        ports: vec![ExpectedPort { port: 22, protocol: Protocol::Tcp }],
        tests: Vec::new(),
        bridge: vec!["/bin/false".into()],
        work_dir,
        memory_mib: 64,
        cpus: 1,
        grow_bytes: 0,
        accelerator: Some(Accelerator::Tcg),
        second_boot: false,
        keep: false,
        ssh_port_in_guest: 22,
        user_data: None,
        identity: None,
        product_codes: Vec::new(),
        copy_tests: Vec::new(),
        deadline: Deadlines::default(),
        extra_login_users: Vec::new(),
        promises: Promises::default(),
        probe: false,
    }
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn disk_that_cannot_be_booted_fails_at_once_and_says_why() {
    if !is_qemu_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = BootTestSpec { second_boot: true, ..spec(folder.path()) };
    let report = boot_test(&spec, &NullSink, &Cancel::new()).unwrap();
    assert!(!report.is_passed());
    assert_eq!(report.accelerator, "tcg");
    assert_eq!(report.boots[0].login_ms, None);
    let login = &report.checks[0];
    assert_eq!((login.id.as_str(), &login.outcome), ("boot-login", &CheckOutcome::Fail));
    assert!(login.detail.contains("No bootable device"), "{}", login.detail);
    let note = report.accelerator_note.as_deref().unwrap_or_default();
    assert!(note.contains("no disk that it can boot at the first attempt"), "tried twice: {note}");
    assert!(login.detail.contains("never asked the metadata service"), "{}", login.detail);
    assert!(report.checks.iter().skip(1).all(|check| check.outcome != CheckOutcome::Pass));
    assert!(report.console_tail.unwrap().contains("SeaBIOS"));
    assert_eq!(files(&spec.work_dir), 0, "nothing stays behind");
}

#[test]
fn kept_files_stay_and_the_image_is_not_written() {
    if !is_qemu_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = BootTestSpec { keep: true, ..spec(folder.path()) };
    boot_test(&spec, &NullSink, &Cancel::new()).unwrap();
    for name in ["bios-first.qcow2", "bios-first-console.log", "bios-first-key"] {
        assert!(spec.work_dir.join(name).is_file(), "{name}");
    }
    assert_eq!(std::fs::read(&spec.disk.path).unwrap(), vec![0; 1024 * 1024]);
}

/// Interrupts as soon as the guest says its first word.
struct Interrupter {
    cancel: Cancel,
    first_word: Mutex<Option<String>>,
}

impl EventSink for Interrupter {
    fn emit(&self, event: Event) {
        if let Event::Log { line, .. } = event {
            self.first_word.lock().unwrap().get_or_insert(line);
            self.cancel.cancel();
        }
    }
}

#[test]
fn interruption_ends_the_machine_and_clears_up() {
    if !is_qemu_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = spec(folder.path());
    let cancel = Cancel::new();
    let sink = Interrupter { cancel: cancel.clone(), first_word: Mutex::new(None) };
    let outcome = boot_test(&spec, &sink, &cancel);
    assert!(matches!(outcome, Err(GuestError::Cancelled(_))), "{outcome:?}");
    assert!(sink.first_word.lock().unwrap().is_some(), "the guest did run");
    assert_eq!(files(&spec.work_dir), 0, "nothing stays behind");
}

#[test]
fn test_that_cannot_be_asked_is_refused_before_anything_starts() {
    let folder = tempfile::tempdir().unwrap();
    let test = GuestTest::Http {
        name: "elsewhere".to_owned(),
        url: "http://example.com/".to_owned(),
        status: None,
        body_contains: None,
        header_contains: None,
        deadline: Duration::from_secs(1),
    };
    let spec = BootTestSpec { tests: vec![test], ..spec(folder.path()) };
    let error = boot_test(&spec, &NullSink, &Cancel::new()).unwrap_err();
    assert!(matches!(error, GuestError::InvalidTest { .. }), "{error}");
}

#[test]
fn firmware_that_an_architecture_lacks_is_refused_with_advice() {
    if !is_qemu_here() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let spec = BootTestSpec { architecture: Architecture::Arm64, ..spec(folder.path()) };
    let error = boot_test(&spec, &NullSink, &Cancel::new()).unwrap_err();
    // Where QEMU for arm64 is not installed, that is said first.
    assert!(error.hint().is_some(), "{error}");
}
