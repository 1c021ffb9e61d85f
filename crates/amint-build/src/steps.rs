//! The beginning and end of each step of a build, told to whoever listens.

use std::time::{Duration, Instant};

use amint_types::{EventSink, StepOutcome, Unit};

use crate::error::BuildError;

/// Emits the beginning and end of each step around its work.
#[derive(Clone, Copy)]
pub(crate) struct Steps<'a> {
    pub(crate) sink: &'a dyn EventSink,
}

impl Steps<'_> {
    /// Runs a step; its work returns a value and, in few words, what came out.
    pub(crate) fn run<T>(
        &self,
        step: &str,
        title: &str,
        work: impl FnOnce() -> Result<(T, String), BuildError>,
    ) -> Result<T, BuildError> {
        let started = Instant::now();
        self.sink.step_started(step, title, None, Unit::Items);
        match work() {
            Ok((value, detail)) => {
                self.finished(step, StepOutcome::Done, started.elapsed(), detail);
                Ok(value)
            }
            Err(error) => {
                self.finished(step, StepOutcome::Failed, started.elapsed(), String::new());
                Err(error)
            }
        }
    }

    /// Tells that a step's outcome is there already.
    pub(crate) fn reused(&self, step: &str, title: &str, took: Duration) {
        self.sink.step_started(step, title, None, Unit::Items);
        let detail = format!("saves {:.1} s", took.as_secs_f64());
        self.finished(step, StepOutcome::Reused, Duration::ZERO, detail);
    }

    fn finished(&self, step: &str, outcome: StepOutcome, elapsed: Duration, detail: String) {
        self.sink.step_finished(step, outcome, elapsed, (!detail.is_empty()).then_some(detail));
    }
}
