//! Progress for people, on standard error.

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use amint_report::printable_line;
use amint_types::report::StepTime;
use amint_types::{Event, EventSink, NoteLevel, StepOutcome, format_duration};
use indicatif::ProgressDrawTarget;

use super::live::{Live, progress_text};
use super::palette::Palette;
use super::steps::StepLog;
use super::text::{pad, pad_left, truncate, width};

/// Columns of a step's title: running and finished lines keep their columns.
pub(super) const TITLE_COLUMNS: usize = 28;
/// Columns of a step's time: `12 min 5 s` fits.
pub(super) const ELAPSED_COLUMNS: usize = 10;

/// How much a reporter tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verbosity {
    /// Warnings and failures only.
    Quiet,
    /// Steps, too.
    #[default]
    Normal,
    /// Everything that programs and consoles write, too.
    Verbose,
}

/// Tells people what engines do.
///
/// On a terminal running steps have a live line each; elsewhere there is one plain line when a step begins and
/// one when it ends, without control characters. When a step fails, the last lines that its programs wrote
/// follow.
pub(crate) struct Reporter {
    verbosity: Verbosity,
    palette: Palette,
    state: Mutex<State>,
}

struct State {
    steps: StepLog,
    output: Output,
}

enum Output {
    Plain(Box<dyn Write + Send>),
    Live { live: Live, columns: Box<dyn Fn() -> Option<usize> + Send> },
}

impl Reporter {
    /// Reports on standard error, live when that is a terminal.
    pub(crate) fn stderr(verbosity: Verbosity) -> Self {
        let palette = Palette::for_stderr();
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        if io::stderr().is_terminal() && !is_dumb && verbosity > Verbosity::Quiet {
            let columns =
                || terminal_size::terminal_size_of(io::stderr()).map(|(size, _)| usize::from(size.0));
            Self::live(ProgressDrawTarget::stderr(), Box::new(columns), palette, verbosity)
        } else {
            Self::plain(Box::new(io::stderr()), palette, verbosity)
        }
    }

    /// Reports to any writer, line by line.
    pub(crate) fn plain(output: Box<dyn Write + Send>, palette: Palette, verbosity: Verbosity) -> Self {
        Self::new(Output::Plain(output), palette, verbosity)
    }

    fn live(
        target: ProgressDrawTarget,
        columns: Box<dyn Fn() -> Option<usize> + Send>,
        palette: Palette,
        verbosity: Verbosity,
    ) -> Self {
        Self::new(Output::Live { live: Live::new(target, palette), columns }, palette, verbosity)
    }

    fn new(output: Output, palette: Palette, verbosity: Verbosity) -> Self {
        Self { verbosity, palette, state: Mutex::new(State { steps: StepLog::default(), output }) }
    }

    /// Returns how long each ended step took, in the order in which they began.
    pub(crate) fn step_times(&self) -> Vec<StepTime> {
        self.state().steps.times()
    }

    /// Takes live lines away, so that other text can follow; call it before printing a result.
    pub(crate) fn finish(&self) {
        if let Output::Live { live, .. } = &mut self.state().output {
            live.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A thread that panicked while it reported leaves nothing half done that matters here.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn started(&self, state: &mut State, step: &str, title: &str) {
        let title = printable_line(title);
        match &mut state.output {
            Output::Live { live, .. } => live.start(step, &title),
            Output::Plain(_) => {
                let symbol = pad(self.palette.arrow(), width(self.palette.tick()));
                state.output.line(&self.palette.dim(&format!("{symbol} {title}")));
            }
        }
    }

    fn finished(&self, state: &mut State, step: &str, outcome: StepOutcome, elapsed_ms: u64, detail: &str) {
        if let Output::Live { live, .. } = &mut state.output {
            live.finish(step);
        }
        let title = printable_line(&state.steps.get(step).title);
        if self.verbosity > Verbosity::Quiet || outcome == StepOutcome::Failed {
            let line = self.finished_line(&title, outcome, elapsed_ms, detail, state.output.columns());
            state.output.line(&line);
        }
        if outcome == StepOutcome::Failed && self.verbosity < Verbosity::Verbose {
            for line in std::mem::take(&mut state.steps.get(step).tail) {
                state.output.line(&self.palette.dim(&format!("  {} {line}", self.palette.bar())));
            }
        }
    }

    fn finished_line(
        &self,
        title: &str,
        outcome: StepOutcome,
        elapsed_ms: u64,
        detail: &str,
        columns: Option<usize>,
    ) -> String {
        let palette = self.palette;
        let symbol = match outcome {
            StepOutcome::Done | StepOutcome::Reused => palette.green(palette.tick()),
            StepOutcome::Failed => palette.red(palette.cross()),
            _ => palette.dim(palette.dash()),
        };
        let time = match outcome {
            StepOutcome::Skipped => "skipped".to_owned(),
            StepOutcome::Reused => "reused".to_owned(),
            _ => format_duration(Duration::from_millis(elapsed_ms)),
        };
        let mut text = pad(title, TITLE_COLUMNS);
        text.push(' ');
        text.push_str(&pad_left(&time, ELAPSED_COLUMNS));
        let mut detail = printable_line(detail);
        if let Some(columns) = columns {
            let room = columns.saturating_sub(width(palette.tick()) + 1);
            text = truncate(&text, room, palette.ellipsis());
            detail = truncate(&detail, room.saturating_sub(width(&text) + 2), palette.ellipsis());
        }
        if detail.is_empty() {
            return format!("{symbol} {text}");
        }
        format!("{symbol} {text}  {}", palette.dim(&detail))
    }

    fn note(&self, state: &mut State, level: NoteLevel, text: &str, hint: Option<&str>) {
        let palette = self.palette;
        let head = match level {
            NoteLevel::Warning => palette.yellow("warning:"),
            _ if self.verbosity == Verbosity::Quiet => return,
            _ => palette.bold("note:"),
        };
        state.output.line(&format!("{head} {}", printable_line(text)));
        if let Some(hint) = hint {
            state.output.line(&format!("{} {}", palette.cyan("hint:"), printable_line(hint)));
        }
    }
}

impl Output {
    fn line(&mut self, text: &str) {
        match self {
            // A closed standard error is no reason to stop a build.
            Self::Plain(output) => drop(writeln!(output, "{text}")),
            Self::Live { live, .. } => live.line(text),
        }
    }

    fn columns(&self) -> Option<usize> {
        match self {
            Self::Plain(_) => None,
            Self::Live { columns, .. } => columns(),
        }
    }
}

impl EventSink for Reporter {
    fn emit(&self, event: Event) {
        let mut state = self.state();
        let state = &mut *state;
        state.steps.record(&event);
        match event {
            Event::StepStarted { step, title, .. } if self.verbosity > Verbosity::Quiet => {
                self.started(state, &step, &title);
            }
            Event::StepProgress { step, done, doing, .. } => {
                let record = state.steps.get(&step);
                let (total, unit) = (record.total, record.unit);
                if let Output::Live { live, .. } = &state.output {
                    live.progress(&step, &progress_text(done, total, unit, doing.as_deref()));
                }
            }
            Event::StepFinished { step, outcome, elapsed_ms, detail } => {
                self.finished(state, &step, outcome, elapsed_ms, detail.as_deref().unwrap_or_default());
            }
            Event::Log { step, line, .. } if self.verbosity == Verbosity::Verbose => {
                let text = format!("  {step} {} {}", self.palette.bar(), printable_line(&line));
                state.output.line(&self.palette.dim(&text));
            }
            Event::Note { level, text, hint } => self.note(state, level, &text, hint.as_deref()),
            _ => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests;
