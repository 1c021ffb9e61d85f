//! Watching a machine while something else is done with it.

use std::cell::Cell;
use std::fmt;
use std::process::ExitStatus;
use std::time::Duration;

use amint_types::{Cancel, Event, EventSink, Stream};
use tokio::time::{MissedTickBehavior, interval};

use crate::boot::Running;
use crate::boot::stage::{dead_end, stage};
use crate::progress::{Observation, Stuck, Watchdog, processor_time};
use crate::spec::Deadlines;

/// How often the machine is looked at: the longest wait between Ctrl-C and the end.
const TICK: Duration = Duration::from_millis(100);

/// Why a machine is of no use any more.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The user asked to stop.
    Cancelled,
    /// Another machine failed, so this one is not needed.
    Abandoned,
    /// The guest switched itself off, or QEMU died.
    Exited {
        /// How.
        status: ExitStatus,
        /// What QEMU said.
        message: String,
    },
    /// QEMU stopped the guest: it does not know how to go on, or the guest panicked.
    Halted(String),
    /// Its console says that it has given up.
    DeadEnd(String),
    /// It makes no progress.
    Stuck(Stuck),
    /// Its console or process cannot be read.
    Unreadable(std::io::Error),
}

impl fmt::Display for Stop {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cancelled => formatter.write_str("interrupted"),
            Self::Abandoned => formatter.write_str("not needed any more"),
            Self::Exited { status, .. } if status.success() => {
                formatter.write_str("the guest switched itself off")
            }
            Self::Exited { status, message } => write!(formatter, "QEMU ended ({status}): {message}"),
            Self::Halted(state) => write!(formatter, "QEMU stopped the guest: {state}"),
            Self::DeadEnd(line) => write!(formatter, "the guest gave up: {line}"),
            Self::Stuck(stuck) => stuck.fmt(formatter),
            Self::Unreadable(error) => write!(formatter, "the machine cannot be watched: {error}"),
        }
    }
}

/// What a watch needs beside the machine.
pub(crate) struct Watch<'a> {
    /// The step that console lines belong to.
    pub(crate) step: &'a str,
    pub(crate) sink: &'a dyn EventSink,
    pub(crate) cancel: &'a Cancel,
    /// Raised when the machine is not needed any more.
    pub(crate) is_abandoned: &'a Cell<bool>,
    /// Counts what was achieved over SSH.
    pub(crate) steps: &'a Cell<u64>,
    /// Whether somebody is logged in: from then on the console's words are not believed blindly.
    pub(crate) is_logged_in: &'a dyn Fn() -> bool,
    /// Counts checks, for the progress of the step.
    pub(crate) done: &'a dyn Fn() -> (u64, u64),
    pub(crate) deadlines: Deadlines,
}

/// Watches until the machine is of no use any more.
pub(crate) async fn watch(running: &Running, watch: &Watch<'_>) -> Stop {
    let mut watchdog = Watchdog::new(watch.deadlines);
    let mut last_stage = String::new();
    let mut ticks = interval(TICK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if watch.cancel.is_cancelled() {
            return Stop::Cancelled;
        }
        if watch.is_abandoned.get() {
            return Stop::Abandoned;
        }
        let lines = match running.console.borrow_mut().poll() {
            Ok(lines) => lines,
            Err(error) => return Stop::Unreadable(error),
        };
        tell(watch, &lines, &mut last_stage);
        if let Some(line) = lines.iter().find_map(|line| dead_end(line))
            && !(watch.is_logged_in)()
        {
            return Stop::DeadEnd(line);
        }
        // Taken out while QEMU is asked, so that no borrow is held across an await.
        let Some(mut machine) = running.machine.borrow_mut().take() else { return Stop::Abandoned };
        let stopped = look(&mut machine).await;
        let process_id = machine.process_id();
        *running.machine.borrow_mut() = Some(machine);
        if let Some(stop) = stopped {
            // What QEMU or the guest wrote last is part of the story.
            if let Ok(lines) = running.console.borrow_mut().poll() {
                tell(watch, &lines, &mut last_stage);
            }
            return stop;
        }
        let seen = Observation {
            console_bytes: running.console.borrow().bytes(),
            steps: watch.steps.get().saturating_add(running.imds.activity().requests),
            processor_time: process_id.and_then(processor_time).unwrap_or_default(),
        };
        if let Err(stuck) = watchdog.observe(running.started.elapsed(), seen) {
            return Stop::Stuck(stuck);
        }
    }
}

async fn look(machine: &mut crate::machine::Machine) -> Option<Stop> {
    match machine.exit_status() {
        Ok(None) => {}
        Ok(Some(status)) => return Some(Stop::Exited { status, message: machine.message() }),
        Err(error) => return Some(Stop::Unreadable(error)),
    }
    while let Some(event) = machine.qmp().take_event() {
        if event == "STOP" || event == "GUEST_PANICKED" {
            let state = machine.qmp().status().await.unwrap_or(event);
            return Some(Stop::Halted(state));
        }
    }
    None
}

fn tell(watch: &Watch<'_>, lines: &[String], last_stage: &mut String) {
    for line in lines {
        watch.sink.log(watch.step, Stream::Console, line);
        if let Some(doing) = stage(line).filter(|doing| doing != last_stage) {
            last_stage.clone_from(&doing);
            let (done, total) = (watch.done)();
            watch.sink.emit(Event::StepProgress {
                step: watch.step.to_owned(),
                done,
                total: Some(total),
                doing: Some(doing),
            });
        }
    }
}
