//! Events for programs: one JSON object per line on standard output.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use amint_types::report::StepTime;
use amint_types::{Event, EventSink};
use jiff::Timestamp;
use serde::Serialize;

use super::steps::StepLog;

/// Writes each event as it happens, with the time.
pub(crate) struct JsonReporter {
    clock: Box<dyn Fn() -> Timestamp + Send + Sync>,
    state: Mutex<(StepLog, Box<dyn Write + Send>)>,
}

/// The event's own fields follow the time, so that lines sort and read well.
#[derive(Serialize)]
struct Line<'a> {
    time: Timestamp,
    #[serde(flatten)]
    event: &'a Event,
}

impl JsonReporter {
    /// Reports on standard output.
    pub(crate) fn stdout(clock: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self::new(Box::new(io::stdout()), clock)
    }

    /// Reports to any writer.
    pub(crate) fn new(
        output: Box<dyn Write + Send>,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Self {
        Self { clock: Box::new(clock), state: Mutex::new((StepLog::default(), output)) }
    }

    /// Returns how long each ended step took, in the order in which they began.
    pub(crate) fn step_times(&self) -> Vec<StepTime> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.times()
    }
}

impl EventSink for JsonReporter {
    fn emit(&self, event: Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (steps, output) = &mut *state;
        steps.record(&event);
        // The clock is read under the lock: times never run backwards from line to line.
        let line = Line { time: (self.clock)(), event: &event };
        let mut text = serde_json::to_string(&line).expect("every key of an event is a string");
        text.push('\n');
        // A reader that went away (`| head`) must not break the build; the command's own result is written
        // with the error checked.
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use amint_types::{StepOutcome, Stream, Unit};

    use super::*;
    use crate::ui::reporter::tests::Captured;

    #[test]
    fn writes_one_object_per_line_with_the_time_first() {
        let captured = Captured::default();
        let clock = || "2026-10-01T14:03:11.5Z".parse().unwrap();
        let reporter = JsonReporter::new(Box::new(captured.clone()), clock);
        reporter.step_started("assemble", "Assembling the disk", Some(3), Unit::Items);
        reporter.log("assemble", Stream::Stderr, "two\nlines \u{1b}[31m");
        reporter.step_finished("assemble", StepOutcome::Done, Duration::from_millis(2100), None);
        let text = captured.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                r#"{"time":"2026-10-01T14:03:11.5Z","event":"step_started","step":"assemble","title":"Assembling the disk","total":3,"unit":"items"}"#,
                r#"{"time":"2026-10-01T14:03:11.5Z","event":"log","step":"assemble","stream":"stderr","line":"two\nlines \u001b[31m"}"#,
                r#"{"time":"2026-10-01T14:03:11.5Z","event":"step_finished","step":"assemble","outcome":"done","elapsed_ms":2100,"detail":null}"#,
            ]
        );
        assert_eq!(reporter.step_times()[0].elapsed_ms, 2100);
    }
}
