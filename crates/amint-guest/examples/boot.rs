//! Boots a disk image and prints the report:
//! `boot DISK [--user NAME] [--bios] [--grow MIB] [--second] [--keep] [--shell] [--cpus N] [--memory MIB]`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use amint_guest::{
    BootTestSpec, Deadlines, DiskFormat, ExpectedPort, GuestDisk, GuestTest, Promises, Protocol, ShellSpec,
    boot_test, open_shell,
};
use amint_types::report::Firmware;
use amint_types::{Architecture, Cancel, Event, EventSink, MIB};

/// Shows steps and notes, and the console when asked to.
struct Terminal {
    start: Instant,
    is_console_wanted: AtomicBool,
}

impl EventSink for Terminal {
    #[expect(clippy::print_stderr, reason = "an example talks to the terminal")]
    fn emit(&self, event: Event) {
        let seconds = self.start.elapsed().as_secs_f32();
        match event {
            Event::Log { line, step, .. } if self.is_console_wanted.load(Ordering::Relaxed) => {
                eprintln!("{seconds:7.1} {step} | {line}");
            }
            Event::Log { .. } => {}
            Event::StepProgress { step, doing, .. } => {
                eprintln!("{seconds:7.1} {step}: {}", doing.unwrap_or_default());
            }
            other => eprintln!("{seconds:7.1} {other:?}"),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let first = arguments.next().ok_or("which disk?")?;
    if first == "bridge" {
        let socket = arguments.next().ok_or("which socket?")?;
        return Ok(amint_guest::bridge(Path::new(&socket))?);
    }
    let rest: Vec<String> = arguments.map(|word| word.to_string_lossy().into_owned()).collect();
    let has = |name: &str| rest.iter().any(|word| word == name);
    let value = |name: &str| rest.iter().position(|word| word == name).and_then(|at| rest.get(at + 1));
    let number = |name: &str, default: u32| value(name).map_or(Ok(default), |text| text.parse());
    let path = PathBuf::from(first);
    let work_dir = tempfile::Builder::new().prefix("boot-").disable_cleanup(has("--keep")).tempdir()?;
    let bytes = std::fs::metadata(&path)?.len();
    let bridge: Vec<OsString> = vec![std::env::current_exe()?.into_os_string(), "bridge".into()];
    let spec = BootTestSpec {
        disk: GuestDisk { path, format: DiskFormat::Raw, bytes },
        architecture: Architecture::X86_64,
        firmware: if has("--bios") { Firmware::Bios } else { Firmware::Uefi },
        user: value("--user").map_or("ec2-user", String::as_str).to_owned(),
        ports: vec![ExpectedPort { port: 22, protocol: Protocol::Tcp }],
        tests: vec![
            GuestTest::Tcp {
                name: "the SSH server says who it is".to_owned(),
                port: 22,
                expect: Some("SSH-2.0-".to_owned()),
                deadline: Duration::from_secs(30),
            },
            GuestTest::Command {
                name: "nothing else can be reached".to_owned(),
                command: "! timeout 5 bash -c '</dev/tcp/169.254.169.2/22' 2>/dev/null".to_owned(),
                exit_code: 0,
                stdout_contains: None,
                deadline: Duration::from_mins(1),
            },
        ],
        bridge,
        work_dir: work_dir.path().to_owned(),
        memory_mib: number("--memory", 1024)?,
        cpus: number("--cpus", 2)?,
        grow_bytes: u64::from(number("--grow", 0)?) * MIB,
        accelerator: None,
        second_boot: has("--second"),
        keep: has("--keep"),
        ssh_port_in_guest: 22,
        user_data: None,
        identity: None,
        product_codes: Vec::new(),
        copy_tests: Vec::new(),
        deadline: Deadlines::default(),
        extra_login_users: Vec::new(),
        promises: Promises::default(),
        probe: has("--probe"),
    };
    let terminal = Terminal { start: Instant::now(), is_console_wanted: AtomicBool::new(has("--console")) };
    if has("--shell") {
        let code = open_shell(&shell(spec, value("--command").cloned()), &terminal, &Cancel::new())?;
        return if code == 0 { Ok(()) } else { Err(format!("the shell ended with {code}").into()) };
    }
    let report = boot_test(&spec, &terminal, &Cancel::new())?;
    show(&serde_json::to_string_pretty(&report)?);
    if report.is_passed() { Ok(()) } else { Err("the boot test failed".into()) }
}

fn shell(spec: BootTestSpec, command: Option<String>) -> ShellSpec {
    ShellSpec {
        disk: spec.disk,
        architecture: spec.architecture,
        firmware: spec.firmware,
        user: spec.user,
        bridge: spec.bridge,
        work_dir: spec.work_dir,
        memory_mib: spec.memory_mib,
        cpus: spec.cpus,
        grow_bytes: spec.grow_bytes,
        accelerator: spec.accelerator,
        keep: spec.keep,
        ssh_port_in_guest: spec.ssh_port_in_guest,
        user_data: spec.user_data,
        identity: None,
        product_codes: Vec::new(),
        deadline: spec.deadline,
        command,
    }
}

#[expect(clippy::print_stdout, reason = "an example talks to the terminal")]
fn show(text: &str) {
    println!("{text}");
}
