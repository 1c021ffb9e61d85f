//! Finding out whether the processor can really run a guest.

use std::collections::HashMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use amint_types::{Architecture, Cancel};

use super::firmware::ovmf;
use crate::machine::visible_text;
use crate::spec::Accelerator;

/// How long the trial machine may take; a real one needs a fraction of a second.
const PROBE_TIME: Duration = Duration::from_secs(10);
const PROBE_POLL: Duration = Duration::from_millis(10);
const OUTPUT_BYTES_MAX: u64 = 64 * 1024;
/// What SeaBIOS writes once all its own code has run.
const BIOS_DONE: &[u8] = b"No bootable device";
/// What OVMF writes when it is about to start something.
const UEFI_DONE: &[u8] = b"BdsDxe";
/// What QEMU writes when KVM stopped a guest that it cannot go on with; QEMU itself lives on.
const STOPPED: &[u8] = b"KVM internal error";

type Findings = HashMap<PathBuf, (Accelerator, Option<String>)>;

static KNOWN: Mutex<Option<Findings>> = Mutex::new(None);

/// Finds out what should run guests of `architecture`, by really starting a small machine, and why it is not
/// the processor if it is not.
///
/// A `/dev/kvm` that opens is not one that works: within other virtual machines QEMU may die or stop at some
/// instruction, and each firmware has instructions of its own. So machines without disks run SeaBIOS and, where it
/// is installed, OVMF to the end. The answer is remembered for as long as this process lives.
pub fn probe_accelerator(
    qemu: &Path,
    architecture: Architecture,
    cancel: &Cancel,
) -> (Accelerator, Option<String>) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let known = known.get_or_insert_default();
    if let Some(found) = known.get(qemu) {
        return found.clone();
    }
    let found = match probe(qemu, architecture, cancel) {
        Ok(()) => (Accelerator::Kvm, None),
        Err(reason) => (Accelerator::Tcg, Some(reason)),
    };
    if !cancel.is_cancelled() {
        known.insert(qemu.to_owned(), found.clone());
    }
    found
}

fn probe(qemu: &Path, architecture: Architecture, cancel: &Cancel) -> Result<(), String> {
    let host = std::env::consts::ARCH;
    let (wanted, board) = match architecture {
        Architecture::Arm64 => ("aarch64", "virt"),
        _ => ("x86_64", "q35"),
    };
    if host != wanted {
        return Err(format!("this computer is {host}, the guest {architecture}"));
    }
    fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/kvm")
        .map_err(|error| format!("/dev/kvm cannot be opened: {error}"))?;
    let trial = |arguments: &[&str], done| {
        let child = Command::new(qemu)
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-accel", "kvm", "-cpu", "max"])
            .args(["-machine", board, "-m", "256"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("QEMU does not start: {error}"))?;
        watch(child, done, PROBE_TIME, cancel)
    };
    if architecture != Architecture::X86_64 {
        // Without firmware, not to die is all that can be seen.
        return trial(&[], None);
    }
    trial(
        &["-chardev", "stdio,id=log", "-device", "isa-debugcon,iobase=0x402,chardev=log"],
        Some(BIOS_DONE),
    )?;
    let Some((code, variables)) = ovmf() else { return Ok(()) };
    let code = format!("if=pflash,format=raw,readonly=on,file={code}");
    let variables = format!("if=pflash,format=raw,snapshot=on,file={variables}");
    trial(&["-drive", &code, "-drive", &variables, "-serial", "stdio"], Some(UEFI_DONE))
}

/// Waits until the trial machine has written `done`, or lives for a second when there is nothing to wait for.
fn watch(mut child: Child, done: Option<&[u8]>, patience: Duration, cancel: &Cancel) -> Result<(), String> {
    let output = child.stdout.take().map(collect);
    let errors = child.stderr.take().map(collect);
    let start = Instant::now();
    let outcome = loop {
        match (child.try_wait(), done) {
            (Ok(Some(status)), _) => break Err(format!("QEMU with KVM ended at once ({status})")),
            (Err(error), _) => break Err(format!("QEMU cannot be watched: {error}")),
            (Ok(None), Some(done)) if output.as_ref().is_some_and(|output| output.contains(done)) => {
                break Ok(());
            }
            _ if errors.as_ref().is_some_and(|errors| errors.contains(STOPPED)) => {
                break Err("KVM stopped a guest in its firmware".to_owned());
            }
            (Ok(None), None) if start.elapsed() > Duration::from_secs(1) => break Ok(()),
            _ if start.elapsed() > patience => {
                break Err("a guest under KVM does not get through its firmware".to_owned());
            }
            _ if cancel.is_cancelled() => break Err("interrupted".to_owned()),
            _ => thread::sleep(PROBE_POLL),
        }
    };
    // Both fail only if the process is gone already.
    drop(child.kill());
    drop(child.wait());
    let complaint = errors.map(Collector::finish).unwrap_or_default();
    let complaint = complaint.split(|byte| *byte == b'\n').map(visible_text).find(|line| !line.is_empty());
    match (outcome, complaint) {
        (Err(reason), Some(line)) => Err(format!("{reason}: {line}")),
        (outcome, _) => outcome,
    }
}

struct Collector {
    bytes: std::sync::Arc<Mutex<Vec<u8>>>,
    thread: thread::JoinHandle<()>,
}

fn collect(stream: impl Read + Send + 'static) -> Collector {
    let bytes = std::sync::Arc::new(Mutex::new(Vec::new()));
    let target = std::sync::Arc::clone(&bytes);
    let thread = thread::spawn(move || {
        let mut stream = stream.take(OUTPUT_BYTES_MAX);
        let mut chunk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut chunk) {
            target.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..read]);
        }
    });
    Collector { bytes, thread }
}

impl Collector {
    fn contains(&self, text: &[u8]) -> bool {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        bytes.windows(text.len()).any(|window| window == text)
    }

    fn finish(self) -> Vec<u8> {
        // The thread ends with the process whose output it reads.
        drop(self.thread.join());
        std::mem::take(&mut self.bytes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch_script(script: &str) -> Result<(), String> {
        let child = Command::new("/bin/sh")
            .args(["-c", script])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        watch(child, Some(BIOS_DONE), Duration::from_secs(5), &Cancel::new())
    }

    #[test]
    fn machine_that_gets_through_its_firmware_is_good() {
        assert_eq!(watch_script("echo 'SeaBIOS'; echo 'No bootable device.'; exec sleep 20"), Ok(()));
    }

    #[test]
    fn reason_of_a_machine_that_dies_is_told() {
        let reason = watch_script("echo 'error: failed to set MSR 0x10a' >&2; exit 1").unwrap_err();
        assert!(reason.contains("failed to set MSR 0x10a"), "{reason}");
    }

    #[test]
    fn machine_that_kvm_stopped_is_not_good() {
        let child = Command::new("/bin/sh")
            .args(["-c", "echo 'KVM internal error. Suberror: 1' >&2; exec sleep 20"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // Far below the patience: that it ends at all shows that the complaint ended it.
        let reason = watch(child, Some(BIOS_DONE), Duration::from_hours(1), &Cancel::new()).unwrap_err();
        assert!(reason.contains("KVM internal error"), "{reason}");
    }
}
