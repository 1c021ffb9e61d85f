//! The closing words of a build.

use std::path::Path;
use std::time::Duration;

use amint_report::{Verdict, VerdictOutcome, printable_line, verdict};
use amint_types::report::{BootReport, BuildReport, CheckOutcome};
use amint_types::{Severity, format_bytes, format_duration};

use super::palette::Palette;
use super::text::pad;

/// Reasons that are named; the report holds the rest. Keeps the summary within fifteen lines.
const REASONS_MAX: usize = 4;
/// Boot tests that are named one by one.
const BOOTS_MAX: usize = 3;
const LABEL_COLUMNS: usize = 10;

/// How to write a summary.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SummaryOptions<'a> {
    /// The severity from which violations count.
    pub(crate) gate: Severity,
    /// Where the report for people lies.
    pub(crate) report_path: Option<&'a Path>,
    /// Colours and symbols.
    pub(crate) palette: Palette,
}

/// Sums up a build in at most fifteen aligned lines.
pub(crate) fn summary(report: &BuildReport, options: &SummaryOptions<'_>) -> String {
    let palette = options.palette;
    let verdict = verdict(report, options.gate);
    let mut text = headline(report, &verdict, palette);
    let mut line = |label: &str, value: &str| {
        let label = palette.dim(&pad(label, LABEL_COLUMNS));
        text.extend(["  ", &label, &printable_line(value), "\n"]);
    };
    for reason in verdict.reasons.iter().take(REASONS_MAX) {
        line("", &format!("{}: {}", reason.subject, reason.text));
    }
    if let Some(rest @ 1..) = verdict.reasons.len().checked_sub(REASONS_MAX) {
        line("", &format!("and {rest} more"));
    }
    line("digest", &format!("sha256:{}", report.digest));
    let (disk, used) = (format_bytes(report.disk_bytes), format_bytes(report.used_bytes));
    line("disk", &format!("{disk}, {used} carrying data"));
    line("packages", &packages(report));
    line("rules", &rules(report));
    if report.boots.is_empty() {
        line("boot", "not tested");
    }
    for boot in report.boots.iter().take(BOOTS_MAX) {
        line("boot", &boot_line(boot));
    }
    if let Some(path) = options.report_path {
        line("report", &path.display().to_string());
    }
    text
}

fn headline(report: &BuildReport, verdict: &Verdict, palette: Palette) -> String {
    let (symbol, word) = match verdict.outcome {
        VerdictOutcome::Passed => (palette.green(palette.tick()), palette.green("passed")),
        VerdictOutcome::Incomplete => (palette.yellow(palette.question()), palette.yellow("incomplete")),
        VerdictOutcome::Failed => (palette.red(palette.cross()), palette.red("failed")),
    };
    let image = palette.bold(&format!("{}:{}", report.name, report.version));
    let facts = format!("{}, {}, gate {}", report.architecture, printable_line(&report.base), verdict.gate);
    format!("{symbol} {image} {word}  {}\n", palette.dim(&facts))
}

fn packages(report: &BuildReport) -> String {
    let bytes = report.packages.iter().map(|package| package.installed_bytes).fold(0, u64::saturating_add);
    format!("{}, {} installed", report.packages.len(), format_bytes(bytes))
}

/// What was not evaluated is named even when nothing else is worth it.
fn rules(report: &BuildReport) -> String {
    let counts = report.scan.counts();
    let parts: Vec<String> = [
        ("pass", "passed"),
        ("fail", "failed"),
        ("waived", "waived"),
        ("not_evaluated", "not evaluated"),
        ("not_applicable", "not applicable"),
    ]
    .into_iter()
    .filter_map(|(state, word)| Some(format!("{} {word}", counts.get(state)?)))
    .collect();
    if parts.is_empty() { "none".to_owned() } else { parts.join(", ") }
}

fn boot_line(boot: &BootReport) -> String {
    let logins: Vec<String> = boot
        .boots
        .iter()
        .map(|run| match run.login_ms {
            Some(login_ms) => format_duration(Duration::from_millis(login_ms)),
            None => "no login".to_owned(),
        })
        .collect();
    let number =
        |outcome: &CheckOutcome| boot.checks.iter().filter(|check| check.outcome == *outcome).count();
    let passed = number(&CheckOutcome::Pass);
    let mut checks = vec![format!("{passed} {} passed", if passed == 1 { "check" } else { "checks" })];
    for (outcome, word) in
        [(CheckOutcome::Fail, "failed"), (CheckOutcome::Noted, "noted"), (CheckOutcome::Skipped, "skipped")]
    {
        if number(&outcome) > 0 {
            checks.push(format!("{} {word}", number(&outcome)));
        }
    }
    let logins = if logins.is_empty() { "never started".to_owned() } else { logins.join(", then ") };
    format!("{} {logins} ({}); {}", boot.firmware.as_str(), boot.accelerator, checks.join(", "))
}

#[cfg(test)]
mod tests;
