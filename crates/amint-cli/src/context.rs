//! What every command has at hand.

use std::io::Write;
use std::path::PathBuf;

use amint_recipe::Diagnostics;
use amint_store::Store;
use amint_types::{Cancel, EventSink};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use serde::Serialize;

use crate::args::GlobalArgs;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::present;
use crate::ui::{self, JsonReporter, Palette, Reporter, Verbosity};

/// Settings, the listener to events, and the flag that Ctrl-C raises.
pub(crate) struct Context {
    pub(crate) global: GlobalArgs,
    pub(crate) cancel: Cancel,
    reporter: AnyReporter,
}

enum AnyReporter {
    People(Reporter),
    Json(JsonReporter),
}

impl Context {
    pub(crate) fn new(global: &GlobalArgs) -> Result<Self, Failure> {
        let cancel = Cancel::new();
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM, signal_hook::consts::SIGHUP]
        {
            // The second signal ends the process at once; the first asks the work to stop.
            signal_hook::flag::register_conditional_shutdown(signal, 130, cancel.flag())
                .and_then(|_| signal_hook::flag::register(signal, cancel.flag()))
                .map_err(|error| Failure::new(ExitCode::Defect, error))?;
        }
        let verbosity = match (global.quiet, global.verbose) {
            (true, _) => Verbosity::Quiet,
            (_, true) => Verbosity::Verbose,
            _ => Verbosity::Normal,
        };
        let reporter = if global.json {
            AnyReporter::Json(JsonReporter::stdout(Timestamp::now))
        } else {
            AnyReporter::People(Reporter::stderr(verbosity))
        };
        Ok(Self { global: global.clone(), cancel, reporter })
    }

    /// Returns the listener to events.
    pub(crate) fn sink(&self) -> &dyn EventSink {
        match &self.reporter {
            AnyReporter::People(reporter) => reporter,
            AnyReporter::Json(reporter) => reporter,
        }
    }

    /// Returns how long each step took so far.
    pub(crate) fn step_times(&self) -> Vec<amint_types::report::StepTime> {
        match &self.reporter {
            AnyReporter::People(reporter) => reporter.step_times(),
            AnyReporter::Json(reporter) => reporter.step_times(),
        }
    }

    /// Ends progress lines.
    pub(crate) fn finish(&self) {
        if let AnyReporter::People(reporter) = &self.reporter {
            reporter.finish();
        }
    }

    /// Returns the folder of the store.
    pub(crate) fn home(&self) -> Result<PathBuf, Failure> {
        if let Some(home) = &self.global.home {
            return std::path::absolute(home).map_err(|error| Failure::file(home, error));
        }
        let data = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
        let home = std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".local/share"));
        data.or(home).map(|folder| folder.join("amint")).ok_or_else(|| {
            Failure::new(ExitCode::Environment, "no folder for the store is known: HOME is not set")
                .hint("give one with `--home` or AMINT_HOME")
        })
    }

    /// Opens the store.
    pub(crate) fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.home()?)?)
    }

    /// Writes text to standard output.
    pub(crate) fn print(&self, text: &str) {
        // Live lines would be torn by what follows.
        self.finish();
        let mut stdout = anstream::stdout().lock();
        // A reader that went away, such as `head`, wants no more.
        let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
    }

    /// Writes one JSON document to standard output: on one line while events are written as well.
    pub(crate) fn print_json(&self, value: &impl Serialize) -> Result<(), Failure> {
        let text =
            serde_json::to_string_pretty(value).map_err(|error| Failure::new(ExitCode::Defect, error))?;
        self.print(&format!("{text}\n"));
        Ok(())
    }

    /// Writes the last event of a command that wrote events.
    pub(crate) fn print_result(&self, value: &serde_json::Value) {
        self.print(&format!("{value}\n"));
    }

    /// Tells something to people, on standard error.
    pub(crate) fn say(&self, text: &str) {
        if !self.global.json && !self.global.quiet {
            let mut stderr = anstream::stderr().lock();
            let _ = writeln!(stderr, "{text}");
        }
    }
}

/// Returns the present day (UTC).
pub(crate) fn today() -> Date {
    Offset::UTC.to_datetime(Timestamp::now()).date()
}

/// Shows a failure and returns its exit code.
pub(crate) fn show_failure(global: &GlobalArgs, failure: &Failure) -> ExitCode {
    if global.json {
        let mut causes = vec![failure.error.to_string()];
        let mut cause = failure.error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        let event = serde_json::json!({
            "event": "error",
            "exit_code": failure.code as u8,
            "error": causes.first(),
            "causes": causes.get(1..),
            "hint": failure.hint,
            "diagnostics": failure.diagnostics.as_ref().map(present::diagnostics_json),
        });
        let _ = writeln!(std::io::stdout().lock(), "{event}");
    }
    let palette = Palette::for_stderr();
    let text = match &failure.diagnostics {
        Some(diagnostics) => show_diagnostics(diagnostics, palette),
        None if failure.code == ExitCode::Interrupted => {
            let what = failure.hint.as_deref().unwrap_or("the work so far was cleaned up");
            format!("interrupted: {what}\n")
        }
        None => ui::error(failure.error.as_ref(), failure.hint.as_deref(), palette),
    };
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
    failure.code
}

/// Shows the errors of a recipe within its text, or on their own where the text is gone.
pub(crate) fn show_diagnostics(diagnostics: &Diagnostics, palette: Palette) -> String {
    match std::fs::read_to_string(&diagnostics.path) {
        Ok(text) => {
            let text = amint_recipe::mask_passwords(&text);
            format!("{}\n{diagnostics}\n", present::diagnostics(diagnostics, &text, palette))
        }
        Err(_) => diagnostics.render_plain(),
    }
}
