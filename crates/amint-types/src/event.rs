//! What engines tell while they work.
//!
//! Engines emit events and never print; the terminal, the JSON log and later the web page are listeners.

use std::time::Duration;

use serde::Serialize;

/// The name of a step, unique within one run: `base`, `assemble`, `boot-uefi`.
pub type Step = String;

/// What a step's progress numbers count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Things: files, packages, checks.
    Items,
}

/// Which output of a program a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The serial console of a guest.
    Console,
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum StepOutcome {
    /// It did what it should.
    Done,
    /// It failed; the error follows as the result of the run.
    Failed,
    /// It was not needed.
    Skipped,
    /// Its result was there already, from the same step on the same inputs.
    Reused,
}

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum NoteLevel {
    /// Good to know.
    Info,
    /// Something the user should look at.
    Warning,
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Event {
    /// A step began.
    StepStarted {
        /// The step.
        step: Step,
        /// What it does, for people: `Assembling the disk`.
        title: String,
        /// How much there is to do, when known.
        total: Option<u64>,
        /// What `total` counts.
        unit: Unit,
    },
    /// A step got further.
    StepProgress {
        /// The step.
        step: Step,
        /// How much is done, in the step's unit.
        done: u64,
        /// How much there is to do, when known by now.
        total: Option<u64>,
        /// What is being worked on right now.
        doing: Option<String>,
    },
    /// A step ended.
    StepFinished {
        /// The step.
        step: Step,
        /// How.
        outcome: StepOutcome,
        /// How long it took, in milliseconds.
        elapsed_ms: u64,
        /// The result in few words: `224 packages, 580 MiB`.
        detail: Option<String>,
    },
    /// A program of a step wrote a line.
    Log {
        /// The step.
        step: Step,
        /// Where the line came from.
        stream: Stream,
        /// The line, without its end.
        line: String,
    },
    /// Something worth telling that is no step.
    Note {
        /// How much it matters.
        level: NoteLevel,
        /// The text: lower-case fragment.
        text: String,
        /// What to try, if anything.
        hint: Option<String>,
    },
}

/// Listens to events. Called from any thread.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);

    /// Tells that a step began.
    fn step_started(&self, step: &str, title: &str, total: Option<u64>, unit: Unit) {
        self.emit(Event::StepStarted { step: step.to_owned(), title: title.to_owned(), total, unit });
    }

    /// Tells that a step got further.
    fn step_progress(&self, step: &str, done: u64, total: Option<u64>, doing: Option<&str>) {
        self.emit(Event::StepProgress {
            step: step.to_owned(),
            done,
            total,
            doing: doing.map(ToOwned::to_owned),
        });
    }

    /// Tells that a step ended.
    fn step_finished(&self, step: &str, outcome: StepOutcome, elapsed: Duration, detail: Option<String>) {
        let elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.emit(Event::StepFinished { step: step.to_owned(), outcome, elapsed_ms, detail });
    }

    /// Passes on a line that a program wrote.
    fn log(&self, step: &str, stream: Stream, line: &str) {
        self.emit(Event::Log { step: step.to_owned(), stream, line: line.to_owned() });
    }

    /// Tells something good to know.
    fn info(&self, text: &str) {
        self.emit(Event::Note { level: NoteLevel::Info, text: text.to_owned(), hint: None });
    }

    /// Warns.
    fn warn(&self, text: &str, hint: Option<&str>) {
        self.emit(Event::Note {
            level: NoteLevel::Warning,
            text: text.to_owned(),
            hint: hint.map(ToOwned::to_owned),
        });
    }
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct NullSink;

impl EventSink for NullSink {
    fn emit(&self, _event: Event) {}
}
