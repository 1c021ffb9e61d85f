//! The boot test itself.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use amint_types::report::{BootReport, BootRun};
use amint_types::{Cancel, Cancelled, EventSink, StepOutcome, Unit, format_duration};
use tokio::runtime;

use crate::boot::power::{PowerOn, Running, chosen_accelerator};
use crate::boot::second::{SecondBoot, judge_second, second_boot};
use crate::boot::setback::Setback;
use crate::boot::watch::Watch;
use crate::boot::{Guest, LoginWait, Stop, wait_for_login, watch};
use crate::checks::{self, Checklist, LIVE_CHECKS, Sizes, Traces, Verdict};
use crate::error::GuestError;
use crate::probe::{self, Stranger};
use crate::spec::{Accelerator, BootTestSpec};

/// The check that sums up where files and machine disagree.
const AGREEMENT: &str = "files-agree";
/// How much of the console a failure shows.
const TAIL_LINES: usize = 60;

/// Boots the image and asks it everything that can be asked of one boot.
///
/// A guest that misbehaves is no error: the report says what failed. With
/// [`second_boot`](BootTestSpec::second_boot) another instance of the same image is booted beside the first, and
/// the two must differ where instances must.
///
/// Must not be called from within an asynchronous runtime. The machines end with the thread that calls this.
pub fn boot_test(
    spec: &BootTestSpec,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<BootReport, GuestError> {
    checks::validate(&spec.tests)?;
    checks::validate(&spec.copy_tests)?;
    let (accelerator, note) = chosen_accelerator(spec.accelerator, spec.architecture, cancel)?;
    let (report, setback) = attempt(spec, accelerator, note.clone(), "", sink, cancel)?;
    let (accelerator, reason) = match setback {
        // A trial of the firmware alone does not show everything that KVM may stumble over.
        Some(Setback::Halted(state)) if accelerator == Accelerator::Kvm && spec.accelerator.is_none() => {
            (Accelerator::Tcg, format!("KVM stopped the guest ({state})"))
        }
        Some(Setback::NoDisk) => {
            (accelerator, "the firmware found no disk that it can boot at the first attempt".to_owned())
        }
        _ => return Ok(report),
    };
    sink.warn(&format!("booting once more: {reason}"), None);
    let note = note.map_or_else(|| reason.clone(), |note| format!("{note}; {reason}"));
    let (report, _) = attempt(spec, accelerator, Some(note), "-again", sink, cancel)?;
    Ok(report)
}

/// Boots once and asks everything; `again` tells its files from those of an earlier attempt.
fn attempt(
    spec: &BootTestSpec,
    accelerator: Accelerator,
    note: Option<String>,
    again: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<(BootReport, Option<Setback>), GuestError> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().map_err(GuestError::Runtime)?;
    let test = BootTest {
        spec,
        sink,
        cancel,
        step: format!("boot-{}{again}", spec.firmware.as_str()),
        checklist: RefCell::new(checklist(spec)),
        steps: Cell::new(0),
        is_failed: Cell::new(false),
        setback: RefCell::new(None),
        traces: RefCell::new(None),
    };
    let power = PowerOn {
        name: &format!("{}-first{again}", spec.firmware.as_str()),
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
        guest_ports: &checks::guest_ports(&spec.tests),
        probe: spec.probe,
        keep: spec.keep,
    };
    let title = format!("Booting by {} ({})", spec.firmware.as_str(), accelerator.as_str());
    let start = Instant::now();
    sink.step_started(&test.step, &title, Some(test.checklist.borrow().counts().1), Unit::Items);
    let outcome = runtime.block_on(test.run(&power));
    drop(runtime);
    let step = test.step.clone();
    let setback = test.setback.borrow_mut().take();
    let report = outcome.map(|(boots, tail)| test.report(accelerator.as_str(), note, boots, tail));
    tell_end(spec, sink, &step, start.elapsed(), report.as_ref().ok());
    report.map(|report| (report, setback))
}

fn tell_end(
    spec: &BootTestSpec,
    sink: &dyn EventSink,
    step: &str,
    elapsed: Duration,
    report: Option<&BootReport>,
) {
    let outcome = match report {
        Some(report) if report.is_passed() => StepOutcome::Done,
        _ => StepOutcome::Failed,
    };
    let login = report.and_then(|report| report.boots.first()).and_then(|boot| boot.login_ms);
    let detail =
        login.map(|login_ms| format!("login after {}", format_duration(Duration::from_millis(login_ms))));
    sink.step_finished(step, outcome, elapsed, detail);
    if spec.keep {
        sink.info(&format!("overlay, console log and key stay in `{}`", spec.work_dir.display()));
    }
}

/// The checks, in the order of the report.
fn checklist(spec: &BootTestSpec) -> Checklist {
    let mut list = Checklist::default();
    let user = &spec.user;
    list.add("boot-login", &format!("`{user}` logs in over SSH"), &["A8", "A9"]);
    list.add("console", "the kernel speaks on the serial console", &["A9"]);
    list.add("boot-mode", &format!("the guest was started by {}", spec.firmware.as_str()), &["A9"]);
    list.add("sudo", &format!("`{user}` becomes root without a password"), &["A8", "A9"]);
    list.add("cloud-init", "cloud-init ended without error, from EC2", &["A9"]);
    list.add("failed-units", "every unit started", &["A9"]);
    list.add("identity-document", "the instance identity document can be read", &["A17"]);
    list.add("grow", "the root file system fills a larger disk", &["A9"]);
    list.add("time-source", "the clock follows the Amazon Time Sync Service", &["A9", "A11"]);
    list.add("nvme-timeout", "NVMe volumes may stall without an error", &["A9"]);
    list.add("ports", "exactly the expected ports are open", &["A10", "A12"]);
    for check in &LIVE_CHECKS {
        list.add(check.id, check.title, check.requirements);
    }
    for (index, test) in spec.tests.iter().enumerate() {
        list.add(&test_id(index), test.name(), &["A9"]);
    }
    for (index, test) in spec.copy_tests.iter().enumerate() {
        list.add(&copy_test_id(index), &format!("{} (in a copy)", test.name()), &["A9", "A17"]);
    }
    list.add("ssh-algorithms", "SSH offers no weak algorithm to strangers", &["A11", "B6"]);
    if spec.probe {
        list.add("probe-ports", "a stranger finds exactly the expected TCP ports open", &["A10", "A12"]);
        list.add("probe-banners", "what listens says who it is", &["A10"]);
        list.add("probe-tls", "TLS takes no old version, weak cipher or bad certificate", &["A11", "B6"]);
        list.add("probe-credentials", "nothing opens by a password that everybody knows", &["A2", "A11"]);
    }
    list.add("ssh-root-refused", "root is not let in", &["A2", "A11"]);
    list.add("ssh-password-refused", "no password is asked for", &["A2", "A11"]);
    if spec.probe {
        list.add(
            "probe-ssh-methods",
            "SSH offers keys only, to known and unknown users alike",
            &["A2", "A11"],
        );
    }
    list.add("unique-host-keys", "two instances have different host keys", &["A11"]);
    list.add("unique-machine-id", "two instances have different machine ids", &["A11"]);
    list.add("no-leftover-key", "a key of one instance opens no other", &["A11"]);
    list.add(AGREEMENT, "files and machine say the same of every rule", &["A11", "B6"]);
    list
}

fn test_id(index: usize) -> String {
    format!("test-{}", index + 1)
}

/// Returns the id of a test of the other instance.
pub(super) fn copy_test_id(index: usize) -> String {
    format!("copy-test-{}", index + 1)
}

struct BootTest<'a> {
    spec: &'a BootTestSpec,
    sink: &'a dyn EventSink,
    cancel: &'a Cancel,
    step: String,
    checklist: RefCell<Checklist>,
    steps: Cell<u64>,
    /// Raised when the first boot leads nowhere, so that the second need not go on.
    is_failed: Cell<bool>,
    /// Why the boot is tried once more.
    setback: RefCell<Option<Setback>>,
    traces: RefCell<Option<Traces>>,
}

/// How one power-on went, and the end of its console when it went wrong.
type Outcome = (BootRun, Option<String>);

impl BootTest<'_> {
    async fn run(&self, power: &PowerOn<'_>) -> Result<(Vec<BootRun>, Option<String>), GuestError> {
        let first = power.start(self.cancel).await?;
        if !self.spec.second_boot {
            let (boot, tail) = self.first_boot(first).await?;
            return Ok((vec![boot], tail));
        }
        let second_power = PowerOn {
            name: &power.name.replace("-first", "-second"),
            guest_ports: &checks::guest_ports(&self.spec.copy_tests),
            product_codes: if self.spec.copy_tests.is_empty() { power.product_codes } else { &[] },
            probe: false,
            ..*power
        };
        let second = SecondBoot {
            spec: self.spec,
            sink: self.sink,
            cancel: self.cancel,
            step: format!("{}-second", self.step),
            first_key: first.key.clone(),
            is_abandoned: &self.is_failed,
        };
        let ((first_run, first_tail), second) =
            tokio::try_join!(self.first_boot(first), second_boot(&second, &second_power))?;
        let mut boots = vec![first_run];
        let mut tail = first_tail;
        if let Some(second) = second {
            let traces = self.traces.borrow();
            judge_second(&mut self.checklist.borrow_mut(), traces.as_ref(), &second);
            boots.push(second.boot);
            tail = tail.or(second.console_tail);
        }
        Ok((boots, tail))
    }

    async fn first_boot(&self, running: Running) -> Result<Outcome, GuestError> {
        let mut boot = BootRun { login_ms: None, instance_id: running.metadata.instance_id.clone() };
        let wait = LoginWait::default();
        let login_ms = Cell::new(None);
        let counts = || self.checklist.borrow().counts();
        let surroundings = Watch {
            step: &self.step,
            sink: self.sink,
            cancel: self.cancel,
            is_abandoned: &Cell::new(false),
            steps: &self.steps,
            is_logged_in: &|| login_ms.get().is_some(),
            done: &counts,
            deadlines: self.spec.deadline,
        };
        let stop = tokio::select! {
            biased;
            stop = watch(&running, &surroundings) => Some(stop),
            () = self.examine(&running, &wait, &login_ms) => None,
        };
        boot.login_ms = login_ms.get();
        if let Some(stop) = stop {
            self.interrupt(&stop, &running, &wait, boot.login_ms.is_some());
        }
        let is_cancelled = self.cancel.is_cancelled();
        let tail = self.checklist.borrow().has_failure().then(|| running.console.borrow().tail(TAIL_LINES));
        running.end().await;
        if is_cancelled { Err(Cancelled.into()) } else { Ok((boot, tail)) }
    }

    /// Notes why the machine was of no use any more.
    fn interrupt(&self, stop: &Stop, running: &Running, wait: &LoginWait, is_logged_in: bool) {
        self.is_failed.set(true);
        *self.setback.borrow_mut() = Setback::of(stop, is_logged_in);
        let reason =
            if is_logged_in { stop.to_string() } else { format!("{stop}; {}", wait.reason(running)) };
        self.checklist.borrow_mut().interrupt(&reason);
    }

    /// Asks everything. Questions that need a quiet system come late; those for which the server shuts us out,
    /// last.
    async fn examine(&self, running: &Running, wait: &LoginWait, login_ms: &Cell<Option<u64>>) {
        let spec = self.spec;
        self.checklist.borrow_mut().begin("boot-login");
        let session = wait_for_login(wait, running, &spec.user).await;
        let elapsed = running.started.elapsed();
        login_ms.set(Some(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)));
        let detail = format!("`{}` is let in {} after power-on", spec.user, format_duration(elapsed));
        self.finish("boot-login", Verdict::pass(detail));
        let guest = Guest::new(running.target.clone(), &spec.user, running.key.clone(), session);

        self.check("console", async || checks::console(&running.console.borrow())).await;
        self.check("boot-mode", async || checks::boot_mode(&guest, spec.firmware).await).await;
        self.check("sudo", async || checks::sudo(&guest).await).await;
        let patience = spec.deadline.total;
        self.check("cloud-init", async || checks::cloud_init(&guest, patience).await).await;
        self.check("failed-units", async || checks::failed_units(&guest, patience).await).await;
        self.check("identity-document", async || checks::identity_document(&guest, &running.metadata).await)
            .await;
        let sizes = Sizes { disk_bytes: running.disk_bytes, grow_bytes: spec.grow_bytes };
        self.check("grow", async || checks::growth(&guest, sizes).await).await;
        self.check("time-source", async || checks::time_source(&guest).await).await;
        self.check("nvme-timeout", async || checks::nvme_timeout(&guest).await).await;
        self.check("ports", async || checks::ports(&guest, &spec.ports).await).await;
        self.ask_live(&guest).await;
        let identity = checks::prepare_identity(&guest, spec, &spec.tests, &running.metadata).await;
        for (index, test) in spec.tests.iter().enumerate() {
            let id = test_id(index);
            self.check(&id, async || {
                checks::recipe_test(&guest, &running.addresses, test, identity.as_ref().err()).await
            })
            .await;
        }
        let ssh_address = guest.target.address();
        self.check("ssh-algorithms", async || probe::algorithms(ssh_address, &spec.promises).await).await;
        self.look_from_outside(running).await;
        let accounts = checks::accounts(&guest).await;
        if spec.second_boot {
            *self.traces.borrow_mut() = checks::traces(&guest).await.ok();
        }
        self.check("ssh-root-refused", async || {
            checks::root_refused(&guest.target, &guest.key, &guest.user).await
        })
        .await;
        self.check("ssh-password-refused", async || {
            let users: Vec<&str> = std::iter::once(spec.user.as_str())
                .chain(spec.extra_login_users.iter().map(String::as_str))
                .collect();
            match &accounts {
                Ok(accounts) => checks::passwords_refused(&guest.target, &users, accounts).await,
                Err(reason) => Verdict::fail(format!("the accounts cannot be listed: {reason}")),
            }
        })
        .await;
        if spec.probe {
            self.check("probe-ssh-methods", async || probe::methods(&guest.target, &spec.user).await).await;
        }
        guest.close().await;
    }

    /// Takes a stranger's look, where that was asked for.
    async fn look_from_outside(&self, running: &Running) {
        let Some((mut wire, mut qmp)) = running.probe.borrow_mut().take() else { return };
        let spec = self.spec;
        let mut stranger = Stranger {
            promises: &spec.promises,
            addresses: running.addresses.clone(),
            ssh_port: spec.ssh_port_in_guest,
            found: BTreeMap::new(),
        };
        self.checklist.borrow_mut().begin("probe-ports");
        self.tell_check("probe-ports");
        let verdict = stranger.ports(&mut wire, &mut qmp, &spec.ports).await;
        self.finish("probe-ports", verdict);
        self.checklist.borrow_mut().begin("probe-banners");
        self.tell_check("probe-banners");
        let (banners, credentials) = stranger.services().await;
        self.finish("probe-banners", banners);
        self.check("probe-tls", async || stranger.tls().await).await;
        self.check("probe-credentials", async || credentials).await;
    }

    /// Says which check is being asked.
    fn tell_check(&self, id: &str) {
        let (done, total) = self.checklist.borrow().counts();
        self.sink.step_progress(&self.step, done, Some(total), Some(&format!("checking {id}")));
    }

    /// Asks whether the machine keeps what the files promise.
    async fn ask_live(&self, guest: &Guest) {
        let promises = &self.spec.promises;
        // All answers come with the first question.
        self.checklist.borrow_mut().begin(LIVE_CHECKS[0].id);
        let snapshot = checks::snapshot(guest, promises, self.spec.ssh_port_in_guest).await;
        let snapshot = snapshot.unwrap_or_default();
        for check in &LIVE_CHECKS {
            if check.id != LIVE_CHECKS[0].id {
                self.checklist.borrow_mut().begin(check.id);
            }
            self.finish(check.id, (check.judge)(&snapshot, promises));
        }
    }

    async fn check(&self, id: &str, question: impl AsyncFnOnce() -> Verdict) {
        self.checklist.borrow_mut().begin(id);
        self.tell_check(id);
        let verdict = question().await;
        self.finish(id, verdict);
    }

    fn finish(&self, id: &str, verdict: Verdict) {
        self.steps.set(self.steps.get() + 1);
        self.checklist.borrow_mut().finish(verdict);
        let (done, total) = self.checklist.borrow().counts();
        self.sink.step_progress(&self.step, done, Some(total), Some(&format!("checked {id}")));
    }

    fn report(
        self,
        accelerator: &str,
        accelerator_note: Option<String>,
        boots: Vec<BootRun>,
        console_tail: Option<String>,
    ) -> BootReport {
        let reason = match (self.is_failed.get(), self.spec.second_boot) {
            (true, _) => "the guest was gone",
            (false, false) => "no second boot was asked for",
            (false, true) => "the second boot did not come so far",
        };
        let mut list = self.checklist.into_inner();
        let promises = &self.spec.promises;
        let mut disagreements = Vec::new();
        // A guest that is gone says nothing of its rules.
        if !self.is_failed.get() {
            disagreements = checks::disagreements(promises, list.verdicts());
            list.set(AGREEMENT, checks::verdict_on(promises, &disagreements), 0);
        }
        BootReport {
            firmware: self.spec.firmware,
            accelerator: accelerator.to_owned(),
            accelerator_note,
            boots,
            checks: list.into_results(reason),
            disagreements,
            console_tail,
        }
    }
}
