//! A shell in a booted guest.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use amint_types::{Cancel, Cancelled, EventSink, StepOutcome, Unit, format_duration};
use tokio::process::Command;
use tokio::runtime;

use crate::boot::{
    Guest, LoginWait, PowerOn, Running, Stop, Watch, chosen_accelerator, wait_for_login, watch,
};
use crate::error::GuestError;
use crate::machine::find_program;
use crate::spec::{Deadlines, ShellSpec};

/// How much of the console an error shows.
const TAIL_LINES: usize = 60;
/// How long the guest may take to shut down in good order, when its overlay is kept.
const SHUT_DOWN_TIME: Duration = Duration::from_secs(90);
const STEP: &str = "boot-shell";

/// Boots an overlay of the image, waits for the login and gives the terminal to the system's `ssh`; returns its
/// exit code.
///
/// What is changed in the guest is gone afterwards, unless [`keep`](ShellSpec::keep) asks for the overlay. Must
/// not be called from within an asynchronous runtime.
pub fn open_shell(spec: &ShellSpec, sink: &dyn EventSink, cancel: &Cancel) -> Result<i32, GuestError> {
    let ssh = find_program("ssh").ok_or_else(|| GuestError::ToolMissing {
        tool: "ssh".to_owned(),
        package: "`openssh-client` (Debian, Ubuntu) or `openssh-clients` (Fedora)",
    })?;
    let (accelerator, note) = chosen_accelerator(spec.accelerator, spec.architecture, cancel)?;
    if let Some(note) = note {
        sink.info(&format!("the guest runs under software emulation: {note}"));
    }
    let power = PowerOn {
        name: "shell",
        disk: &spec.disk,
        architecture: spec.architecture,
        firmware: spec.firmware,
        bridge: &spec.bridge,
        work_dir: &spec.work_dir,
        memory_mib: spec.memory_mib,
        cpus: spec.cpus,
        grow_bytes: spec.grow_bytes,
        accelerator,
        user_data: spec.user_data.as_deref(),
        identity: spec.identity.as_ref(),
        product_codes: &spec.product_codes,
        ssh_port_in_guest: spec.ssh_port_in_guest,
        guest_ports: &[],
        probe: false,
        keep: spec.keep,
    };
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(GuestError::Runtime)?;
    runtime.block_on(run(spec, &power, &ssh, sink, cancel))
}

async fn run(
    spec: &ShellSpec,
    power: &PowerOn<'_>,
    ssh: &Path,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<i32, GuestError> {
    let running = power.start(cancel).await?;
    sink.step_started(STEP, "Booting a guest", None, Unit::Items);
    let outcome = login(spec, &running, sink, cancel).await;
    let elapsed = running.started.elapsed();
    let end = if outcome.is_ok() { StepOutcome::Done } else { StepOutcome::Failed };
    let detail = outcome.is_ok().then(|| format!("login after {}", format_duration(elapsed)));
    sink.step_finished(STEP, end, elapsed, detail);
    let outcome = match outcome {
        Ok(()) => converse(spec, &running, ssh, sink, cancel).await,
        Err(error) => Err(error),
    };
    if spec.keep && outcome.is_ok() {
        running.shut_down(SHUT_DOWN_TIME).await;
        sink.info(&format!("overlay, console log and key stay in `{}`", spec.work_dir.display()));
    } else {
        running.end().await;
    }
    outcome
}

async fn login(
    spec: &ShellSpec,
    running: &Running,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<(), GuestError> {
    let wait = LoginWait::default();
    let surroundings = Watch {
        step: STEP,
        sink,
        cancel,
        is_abandoned: &Cell::new(false),
        steps: &wait.steps,
        is_logged_in: &|| false,
        done: &|| (wait.steps.get(), wait.steps.get()),
        deadlines: spec.deadline,
    };
    let stop = tokio::select! {
        biased;
        stop = watch(running, &surroundings) => stop,
        session = wait_for_login(&wait, running, &spec.user) => {
            Guest::new(running.target.clone(), &spec.user, running.key.clone(), session).close().await;
            return Ok(());
        }
    };
    match stop {
        Stop::Cancelled => Err(Cancelled.into()),
        stop => Err(GuestError::NoLogin {
            reason: format!("{stop}; {}", wait.reason(running)),
            console_tail: running.console.borrow().tail(TAIL_LINES),
        }),
    }
}

/// Gives the terminal to `ssh`.
async fn converse(
    spec: &ShellSpec,
    running: &Running,
    ssh: &Path,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<i32, GuestError> {
    let known_hosts = known_hosts(spec, running)?;
    let address = running.addresses.get(&spec.ssh_port_in_guest).expect("the SSH port is always forwarded");
    let option = |name: &str, path: &Path| format!("{name}=\"{}\"", path.display());
    let mut command = Command::new(ssh);
    command.args(["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes"]);
    command.args(["-o", "LogLevel=ERROR", "-o", &option("UserKnownHostsFile", &known_hosts)]);
    command.arg("-i").arg(&running.key_path);
    command.args(["-p", &address.port().to_string(), "-l", &spec.user, &address.ip().to_string()]);
    command.args(&spec.command);
    let mut child = command
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|source| GuestError::Start { program: ssh.display().to_string(), source })?;
    let surroundings = Watch {
        step: STEP,
        sink,
        cancel,
        is_abandoned: &Cell::new(false),
        steps: &Cell::new(0),
        is_logged_in: &|| true,
        done: &|| (0, 0),
        // The user may think as long as they like.
        deadlines: Deadlines::NEVER,
    };
    let outcome = tokio::select! {
        status = child.wait() => Some(status.map_err(GuestError::Runtime)?),
        stop = watch(running, &surroundings) => match stop {
            Stop::Cancelled => return Err(Cancelled.into()),
            // The guest was switched off from within; `ssh` notices in a moment.
            _ => tokio::time::timeout(Duration::from_secs(5), child.wait()).await.ok().and_then(Result::ok),
        },
    };
    // What was made for this one conversation; another would only be confused by it.
    drop(fs::remove_file(known_hosts));
    Ok(outcome.and_then(|status| status.code()).unwrap_or(0))
}

/// Writes the host key that the guest showed at the first login, so that `ssh` need not ask.
fn known_hosts(spec: &ShellSpec, running: &Running) -> Result<PathBuf, GuestError> {
    let path = spec.work_dir.join("shell-known-hosts");
    let key = running.target.host_key().map(|key| key.to_openssh().map_err(GuestError::Key)).transpose()?;
    let address = running.addresses.get(&spec.ssh_port_in_guest).expect("the SSH port is always forwarded");
    let line = format!("[{}]:{} {}\n", address.ip(), address.port(), key.unwrap_or_default());
    fs::write(&path, line).map_err(GuestError::file("write", &path))?;
    Ok(path)
}
