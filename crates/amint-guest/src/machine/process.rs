//! The QEMU process of one machine.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use amint_types::Cancel;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::error::GuestError;
use crate::machine::qmp::Qmp;
use crate::machine::{find_program, visible_text};

/// How long QEMU may take until it answers.
const START_TIME: Duration = Duration::from_mins(1);
/// How long QEMU may take to end when asked to.
const QUIT_TIME: Duration = Duration::from_secs(5);
/// How often the process is looked at while it starts.
const START_POLL: Duration = Duration::from_millis(20);
/// How much of QEMU's own words is shown.
const MESSAGE_BYTES_MAX: usize = 4096;

/// A running machine.
#[derive(Debug)]
pub(crate) struct Machine {
    child: Child,
    qmp: Qmp,
    messages: PathBuf,
}

/// Why a machine did not start.
#[derive(Debug)]
pub(crate) enum StartError {
    /// A forwarded port was taken by someone else meanwhile.
    PortTaken,
    /// Anything else.
    Other(GuestError),
}

impl<E: Into<GuestError>> From<E> for StartError {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

impl Machine {
    /// Starts `qemu`, whose own words go to the file `messages`, and waits until it answers.
    pub(crate) async fn start(
        qemu: &Path,
        arguments: &[OsString],
        control_socket: &Path,
        messages: PathBuf,
        cancel: &Cancel,
    ) -> Result<Self, StartError> {
        let log = File::create(&messages).map_err(GuestError::file("write", &messages))?;
        let mut child = bound_to_us(qemu)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .kill_on_drop(true)
            // A terminal sends Ctrl-C to the whole process group; the machine is ended in good order instead.
            .process_group(0)
            .spawn()
            .map_err(|source| GuestError::Start { program: qemu.display().to_string(), source })?;
        let deadline = Instant::now() + START_TIME;
        loop {
            cancel.check()?;
            if child.try_wait().map_err(GuestError::Runtime)?.is_some() {
                return Err(died(&messages));
            }
            match Qmp::connect(control_socket).await {
                Ok(qmp) => return Ok(Self { child, qmp, messages }),
                // The socket appears a moment after the start.
                Err(_) if Instant::now() < deadline => sleep(START_POLL).await,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Returns the process id.
    pub(crate) fn process_id(&self) -> Option<u32> {
        self.child.id()
    }

    /// Returns how the process ended, if it did.
    pub(crate) fn exit_status(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Waits until the process ends by itself.
    pub(crate) async fn ended(&mut self) {
        // Only a process that is not ours any more cannot be waited for.
        drop(self.child.wait().await);
    }

    /// Returns what QEMU wrote by itself.
    pub(crate) fn message(&self) -> String {
        message(&self.messages)
    }

    /// Returns the control connection.
    pub(crate) fn qmp(&mut self) -> &mut Qmp {
        &mut self.qmp
    }

    /// Lets the guest shut down in good order, for at most `patience`, and ends QEMU.
    pub(crate) async fn shut_down(mut self, patience: Duration) {
        if self.qmp.power_down().await.is_ok() {
            drop(timeout(patience, self.child.wait()).await);
        }
        self.end().await;
    }

    /// Ends QEMU: the guest loses power.
    pub(crate) async fn end(&mut self) {
        let asked = timeout(QUIT_TIME, self.qmp.quit()).await;
        if matches!(asked, Ok(Ok(()))) && timeout(QUIT_TIME, self.child.wait()).await.is_ok() {
            return;
        }
        // It may have ended by itself; then there is nothing to kill.
        drop(self.child.kill().await);
    }
}

/// Makes a command that does not outlive us, however we end, where `setpriv` (util-linux) is at hand.
fn bound_to_us(program: &Path) -> Command {
    match find_program("setpriv") {
        Some(setpriv) => {
            let mut command = Command::new(setpriv);
            command.args(["--pdeathsig", "KILL", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    }
}

fn died(messages: &Path) -> StartError {
    let message = message(messages);
    if message.contains("Could not set up host forwarding rule") {
        return StartError::PortTaken;
    }
    StartError::Other(GuestError::MachineDied { message })
}

fn message(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    let tail = &bytes[bytes.len().saturating_sub(MESSAGE_BYTES_MAX)..];
    let lines: Vec<String> = tail.split(|byte| *byte == b'\n').map(visible_text).collect();
    lines.join("\n").trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn start(script: &str) -> StartError {
        let folder = tempfile::tempdir().unwrap();
        let arguments = ["-c".into(), script.into()];
        Machine::start(
            Path::new("/bin/sh"),
            &arguments,
            &folder.path().join("qmp"),
            folder.path().join("messages"),
            &Cancel::new(),
        )
        .await
        .unwrap_err()
    }

    #[tokio::test]
    async fn words_of_a_machine_that_dies_are_passed_on() {
        let error = start("echo 'qemu: no such disk' >&2; exit 1").await;
        let StartError::Other(GuestError::MachineDied { message }) = error else { panic!("{error:?}") };
        assert_eq!(message, "qemu: no such disk");
    }

    #[tokio::test]
    async fn taken_port_is_told_apart() {
        let error = start("echo \"Could not set up host forwarding rule 'tcp::1-:2'\" >&2; exit 1").await;
        assert!(matches!(error, StartError::PortTaken), "{error:?}");
    }
}
