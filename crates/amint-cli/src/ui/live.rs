//! Progress that redraws itself: one line per running step below everything that was printed.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;

use amint_types::{Unit, format_bytes, format_duration};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};

use super::palette::Palette;
use super::reporter::{ELAPSED_COLUMNS, TITLE_COLUMNS};
use super::text::{pad, pad_left, truncate};

/// Often enough for a lively spinner, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Live {
    lines: MultiProgress,
    running: HashMap<String, ProgressBar>,
    palette: Palette,
}

impl Live {
    pub(super) fn new(target: ProgressDrawTarget, palette: Palette) -> Self {
        Self { lines: MultiProgress::with_draw_target(target), running: HashMap::new(), palette }
    }

    /// Prints a line above the running steps.
    pub(super) fn line(&self, text: &str) {
        // A terminal that went away is no reason to stop a build.
        let _ = self.lines.println(text);
    }

    pub(super) fn start(&mut self, step: &str, title: &str) {
        let bar = self.lines.add(ProgressBar::no_length());
        bar.set_style(self.style());
        bar.set_prefix(pad(&truncate(title, TITLE_COLUMNS, self.palette.ellipsis()), TITLE_COLUMNS));
        bar.enable_steady_tick(TICK);
        if let Some(earlier) = self.running.insert(step.to_owned(), bar) {
            earlier.finish_and_clear();
        }
    }

    pub(super) fn progress(&self, step: &str, text: &str) {
        if let Some(bar) = self.running.get(step) {
            bar.set_message(self.palette.dim(text));
        }
    }

    pub(super) fn finish(&mut self, step: &str) {
        if let Some(bar) = self.running.remove(step) {
            bar.finish_and_clear();
            self.lines.remove(&bar);
        }
    }

    /// Takes the lines of all running steps away.
    pub(super) fn clear(&mut self) {
        for (_, bar) in self.running.drain() {
            bar.finish_and_clear();
        }
        let _ = self.lines.clear();
    }

    fn style(&self) -> ProgressStyle {
        let spinner = if self.palette.is_coloured { "{spinner:.cyan}" } else { "{spinner}" };
        let template = format!("{spinner} {{prefix}} {{clock}}  {{wide_msg}}");
        ProgressStyle::with_template(&template)
            .expect("the template is constant and well-formed")
            .tick_strings(self.palette.spinner())
            .with_key("clock", |state: &ProgressState, output: &mut dyn std::fmt::Write| {
                let clock = pad_left(&format_duration(state.elapsed()), ELAPSED_COLUMNS);
                output.write_str(&clock).expect("writing to memory cannot fail");
            })
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Writes how far a step got: `120.5 MiB of 580 MiB  root`.
pub(super) fn progress_text(done: u64, total: Option<u64>, unit: Unit, doing: Option<&str>) -> String {
    let amount = |number: u64| match unit {
        Unit::Bytes => format_bytes(number),
        _ => number.to_string(),
    };
    let mut text = amount(done);
    if let Some(total) = total {
        write!(text, " of {}", amount(total)).expect("writing to memory cannot fail");
    }
    if let Some(doing) = doing {
        write!(text, "  {}", amint_report::printable_line(doing)).expect("writing to memory cannot fail");
    }
    text
}
