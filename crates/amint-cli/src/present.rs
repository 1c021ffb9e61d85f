//! From results to text: what commands show, put together from the pieces of [`crate::ui`].

use std::cmp::Reverse;
use std::fmt::Write;
use std::path::Path;
use std::time::Duration;

use amint_recipe::{DiagnosticSeverity, Diagnostics};
use amint_report::printable_line;
use amint_types::report::{BootReport, BuildReport, CheckOutcome, RuleOutcome, ScanReport};
use amint_types::{Severity, format_bytes, format_duration};

use crate::ui::{self, Palette, SummaryOptions};

/// Shows the errors and warnings of a recipe within its text.
pub(crate) fn diagnostics(diagnostics: &Diagnostics, text: &str, palette: Palette) -> String {
    let list: Vec<ui::Diagnostic> = diagnostics
        .items
        .iter()
        .map(|item| ui::Diagnostic {
            span: item.span.clone(),
            message: item.message.clone(),
            hint: item.hint.clone(),
            is_warning: item.severity == DiagnosticSeverity::Warning,
        })
        .collect();
    ui::diagnostics(&diagnostics.path.display().to_string(), text, &list, palette)
}

/// Gives the errors and warnings of a recipe as data.
pub(crate) fn diagnostics_json(diagnostics: &Diagnostics) -> serde_json::Value {
    let item = |item: &amint_recipe::Diagnostic| {
        serde_json::json!({
            "severity": item.severity.as_str(), "file": diagnostics.path, "line": item.line,
            "column": item.column, "end_column": item.end_column, "text": item.text,
            "message": item.message, "hint": item.hint,
        })
    };
    diagnostics.items.iter().map(item).collect()
}

/// Sums up a build.
pub(crate) fn summary(report: &BuildReport, page: Option<&Path>, palette: Palette) -> String {
    ui::summary(report, &SummaryOptions { gate: report.gate, report_path: page, palette })
}

/// Shows what is known about an image: the summary, its partitions, and what did not pass.
pub(crate) fn details(report: &BuildReport, page: Option<&Path>, palette: Palette) -> String {
    let mut text = summary(report, page, palette);
    let _ = writeln!(
        text,
        "  built     {} by amint {}",
        report.built_at.strftime("%Y-%m-%d %H:%M UTC"),
        report.tool_version
    );
    text.push('\n');
    let mut partitions = ui::Table::new(["PARTITION", "CONTENT", "START", "SIZE"]).right([2, 3]);
    for partition in &report.partitions {
        partitions.row([
            &format!("{} {}", partition.number, partition.name),
            &partition.content,
            &format_bytes(partition.start_bytes),
            &format_bytes(partition.bytes),
        ]);
    }
    text.push_str(&partitions.render(palette));
    let rules = rules_that_matter(&report.scan, Severity::Info, palette);
    if !rules.is_empty() {
        let _ = write!(text, "\nRules that did not pass:\n{rules}");
    }
    for boot in &report.boots {
        let _ = write!(text, "\n{}", boot_checks(boot, palette));
    }
    text
}

/// Tells which rules stop an image at `gate`, with evidence and remedy.
pub(crate) fn blocking(scan: &ScanReport, gate: Severity, palette: Palette) -> String {
    let count = scan.blocking(gate).count();
    let rules = if count == 1 { "rule stops" } else { "rules stop" };
    format!(
        "{} {count} {rules} the image (gate: {gate})\n{}",
        palette.red(palette.cross()),
        rules_that_matter(scan, gate, palette)
    )
}

fn rules_that_matter(scan: &ScanReport, least: Severity, palette: Palette) -> String {
    /// Findings named of one rule; the report has all of them.
    const FINDINGS_MAX: usize = 5;
    let mut text = String::new();
    for rule in scan.rules.iter().filter(|rule| rule.severity >= least) {
        let (mark, findings, reason) = match &rule.outcome {
            RuleOutcome::Fail { findings } => (palette.red(palette.cross()), findings.as_slice(), None),
            RuleOutcome::NotEvaluated { reason } => {
                (palette.yellow(palette.question()), &[][..], Some(reason.clone()))
            }
            RuleOutcome::Waived { findings, reason, until } => {
                (palette.dim("-"), findings.as_slice(), Some(format!("waived until {until}: {reason}")))
            }
            _ => continue,
        };
        let _ = writeln!(
            text,
            "  {mark} {} {} ({})",
            palette.bold(&rule.rule),
            printable_line(&rule.title),
            rule.severity
        );
        if let Some(reason) = reason {
            let _ = writeln!(text, "      {}", printable_line(&reason));
        }
        // What weighs most is named first.
        let mut ordered: Vec<_> = findings.iter().collect();
        ordered.sort_by_key(|finding| Reverse(finding.severity.unwrap_or(rule.severity)));
        for finding in ordered.into_iter().take(FINDINGS_MAX) {
            let line = finding.evidence.line.map(|line| format!(":{line}")).unwrap_or_default();
            let place = printable_line(&finding.evidence.path);
            let _ = writeln!(text, "      {place}{line}: {}", printable_line(&finding.message));
        }
        if findings.len() > FINDINGS_MAX {
            let _ = writeln!(text, "      and {} more", findings.len() - FINDINGS_MAX);
        }
        if matches!(rule.outcome, RuleOutcome::Fail { .. }) {
            let _ = writeln!(text, "      {} {}", palette.dim("remedy:"), printable_line(&rule.remedy));
        }
    }
    text
}

/// Shows every check of a boot test, and the console's end when one failed.
pub(crate) fn boot_checks(boot: &BootReport, palette: Palette) -> String {
    let word = if boot.is_passed() { palette.green("passed") } else { palette.red("failed") };
    let mut text = format!("Boot test by {} under {}: {word}\n", boot.firmware.as_str(), boot.accelerator);
    if let Some(note) = &boot.accelerator_note {
        let _ = writeln!(text, "  {}", palette.dim(&printable_line(note)));
    }
    for check in &boot.checks {
        let mark = match check.outcome {
            CheckOutcome::Pass => palette.green(palette.tick()),
            CheckOutcome::Fail => palette.red(palette.cross()),
            CheckOutcome::Noted => palette.yellow("!"),
            _ => palette.yellow(palette.question()),
        };
        let elapsed = format_duration(Duration::from_millis(check.elapsed_ms));
        let mut lines = check.detail.lines();
        let first = lines.next().map(printable_line).unwrap_or_default();
        let _ = writeln!(
            text,
            "  {mark} {}: {first} {}",
            printable_line(&check.title),
            palette.dim(&format!("({elapsed})"))
        );
        if check.outcome != CheckOutcome::Pass {
            for line in lines {
                let _ = writeln!(text, "      {}", printable_line(line));
            }
        }
    }
    if let Some(tail) = &boot.console_tail {
        let _ = writeln!(text, "  {}", palette.dim("the console's last lines:"));
        for line in tail.lines() {
            let _ = writeln!(text, "    {}", printable_line(line));
        }
    }
    text
}
