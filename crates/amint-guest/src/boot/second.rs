//! The second power-on: another instance of the same image.
//!
//! It runs beside the first. Under software emulation a booting guest does not keep two processors busy all the
//! time, and the second machine is done once it has let its user in. Measured on two cores that others used as
//! well: one boot with all its questions 251 s, two beside each other 340 and 398 s; one after the other would
//! take 251 s and another 188 s to the second login. The number of the guest's own processors hardly matters
//! (189 and 196 s of processor time with one and two).

use std::cell::Cell;

use amint_types::report::BootRun;
use amint_types::{Cancel, EventSink, StepOutcome, Unit, format_duration};

use crate::boot::power::{PowerOn, Running};
use crate::boot::test::copy_test_id;
use crate::boot::watch::Watch;
use crate::boot::{Guest, LoginWait, Stop, wait_for_login, watch};
use crate::checks::{self, Checklist, Traces, Verdict};
use crate::error::GuestError;
use crate::spec::BootTestSpec;
use crate::ssh::LoginKeyPair;

/// What the second boot is about.
pub(crate) struct SecondBoot<'a> {
    pub(crate) spec: &'a BootTestSpec,
    pub(crate) sink: &'a dyn EventSink,
    pub(crate) cancel: &'a Cancel,
    pub(crate) step: String,
    /// The login key of the first instance, which must not open this one.
    pub(crate) first_key: LoginKeyPair,
    pub(crate) is_abandoned: &'a Cell<bool>,
}

/// What the second boot found.
pub(crate) struct SecondFindings {
    pub(crate) boot: BootRun,
    pub(crate) console_tail: Option<String>,
    traces: Result<Traces, String>,
    first_key: Verdict,
    copy_tests: Vec<Verdict>,
}

/// Boots another instance and looks at what identifies it; none when the first boot made that useless.
pub(crate) async fn second_boot(
    second: &SecondBoot<'_>,
    power: &PowerOn<'_>,
) -> Result<Option<SecondFindings>, GuestError> {
    let running = power.start(second.cancel).await?;
    let title = "Booting another instance";
    second.sink.step_started(&second.step, title, None, Unit::Items);
    let mut boot = BootRun { login_ms: None, instance_id: running.metadata.instance_id.clone() };
    let wait = LoginWait::default();
    let login_ms = Cell::new(None);
    let steps = Cell::new(0);
    let surroundings = Watch {
        step: &second.step,
        sink: second.sink,
        cancel: second.cancel,
        is_abandoned: second.is_abandoned,
        steps: &steps,
        is_logged_in: &|| login_ms.get().is_some(),
        done: &|| (steps.get(), 3),
        deadlines: second.spec.deadline,
    };
    let outcome = tokio::select! {
        biased;
        stop = watch(&running, &surroundings) => Err(stop),
        findings = examine(second, &running, &wait, &login_ms, &steps) => Ok(findings),
    };
    boot.login_ms = login_ms.get();
    let elapsed = running.started.elapsed();
    let is_abandoned = matches!(outcome, Err(Stop::Abandoned | Stop::Cancelled));
    let console_tail = outcome.is_err().then(|| running.console.borrow().tail(60));
    let examined = outcome.unwrap_or_else(|stop| {
        let reason = format!("the second boot failed: {stop}; {}", wait.reason(&running));
        let copy_tests = second.spec.copy_tests.iter().map(|_| Verdict::fail(reason.clone())).collect();
        Examined { traces: Err(reason.clone()), first_key: Verdict::fail(reason), copy_tests }
    });
    running.end().await;
    second.cancel.check()?;
    let (outcome, detail) = match (is_abandoned, boot.login_ms) {
        (true, _) => (StepOutcome::Skipped, None),
        (false, Some(_)) => (StepOutcome::Done, Some(format!("done after {}", format_duration(elapsed)))),
        (false, None) => (StepOutcome::Failed, None),
    };
    second.sink.step_finished(&second.step, outcome, elapsed, detail);
    let Examined { traces, first_key, copy_tests } = examined;
    Ok((!is_abandoned).then_some(SecondFindings { boot, console_tail, traces, first_key, copy_tests }))
}

/// What the second instance says.
struct Examined {
    traces: Result<Traces, String>,
    first_key: Verdict,
    copy_tests: Vec<Verdict>,
}

async fn examine(
    second: &SecondBoot<'_>,
    running: &Running,
    wait: &LoginWait,
    login_ms: &Cell<Option<u64>>,
    steps: &Cell<u64>,
) -> Examined {
    let user = &second.spec.user;
    let session = wait_for_login(wait, running, user).await;
    login_ms.set(Some(u64::try_from(running.started.elapsed().as_millis()).unwrap_or(u64::MAX)));
    steps.set(1);
    let guest = Guest::new(running.target.clone(), user, running.key.clone(), session);
    let traces = checks::traces(&guest).await;
    steps.set(2);
    let first_key = checks::refused_key(&guest.target, &second.first_key, user).await;
    steps.set(3);
    let copy_tests = ask_copy(second.spec, &guest, running).await;
    guest.close().await;
    Examined { traces, first_key, copy_tests }
}

/// Asks the tests of a copy: the instance has no product codes.
async fn ask_copy(spec: &BootTestSpec, guest: &Guest, running: &Running) -> Vec<Verdict> {
    let identity = checks::prepare_identity(guest, spec, &spec.copy_tests, &running.metadata).await;
    let mut verdicts = Vec::with_capacity(spec.copy_tests.len());
    for test in &spec.copy_tests {
        verdicts.push(checks::recipe_test(guest, &running.addresses, test, identity.as_ref().err()).await);
    }
    verdicts
}

/// Judges what the two boots found.
pub(crate) fn judge_second(list: &mut Checklist, first: Option<&Traces>, second: &SecondFindings) {
    let (host_keys, machine_ids) = match (first, &second.traces) {
        (Some(first), Ok(traces)) => checks::compare(first, traces),
        (_, Err(reason)) => (Verdict::fail(reason), Verdict::fail(reason)),
        (None, Ok(_)) => {
            let verdict = Verdict::fail("the first boot could not be asked");
            (verdict.clone(), verdict)
        }
    };
    let elapsed_ms = second.boot.login_ms.unwrap_or_default();
    for (index, verdict) in second.copy_tests.iter().enumerate() {
        list.set(&copy_test_id(index), verdict.clone(), elapsed_ms);
    }
    list.set("unique-host-keys", host_keys, elapsed_ms);
    list.set("unique-machine-id", machine_ids, elapsed_ms);
    list.set("no-leftover-key", second.first_key.clone(), elapsed_ms);
}
