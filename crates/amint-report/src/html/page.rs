//! What the page's templates see.

use std::time::Duration;

use amint_types::report::{BootReport, BuildReport, CheckOutcome};
use amint_types::{Severity, format_bytes, format_duration};
use askama::Template;
use jiff::Timestamp;

use super::disk::Disk;
use super::frame::{Fact, Frame, Mark, date_time};
use super::prose::Prose;
use super::rules::{Fixes, RuleGroup, rule_groups};
use super::times::StepBar;
use super::{count, share};
use crate::text::printable_lines;
use crate::verdict::{Reason, VerdictOutcome, boot_anchor, verdict};

#[derive(Template)]
#[template(path = "page.html", whitespace = "minimize")]
pub(super) struct Page<'a> {
    report: &'a BuildReport,
    frame: Frame<'a>,
    verdict: VerdictView,
    facts: Vec<Fact>,
    boots: Vec<BootView<'a>>,
    groups: Vec<RuleGroup<'a>>,
    rules_note: String,
    fixes: Fixes<'a>,
    disk: Disk<'a>,
    steps: Vec<StepBar<'a>>,
    steps_total: String,
    packages: Vec<PackageView<'a>>,
    packages_total: String,
    built_at: String,
    source_date: String,
}

struct VerdictView {
    mark: Mark,
    headline: String,
    reasons: Vec<Reason>,
}

struct PackageView<'a> {
    name: &'a str,
    version: &'a str,
    architecture: &'a str,
    size: String,
}

struct BootView<'a> {
    anchor: String,
    firmware: &'static str,
    mark: Mark,
    boot: &'a BootReport,
    boots: Vec<(String, &'a str)>,
    checks: Vec<CheckView<'a>>,
    console: Option<String>,
}

struct CheckView<'a> {
    mark: Mark,
    id: &'a str,
    title: Prose<'a>,
    detail: Prose<'a>,
    requirements: String,
    /// The rules about files that the check confirms on the machine.
    rules: String,
    time: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(report: &'a BuildReport, gate: Severity) -> Self {
        let steps = StepBar::all(&report.steps);
        let steps_ms = report.steps.iter().map(|step| step.elapsed_ms).fold(0, u64::saturating_add);
        let packages_bytes = installed_bytes(report);
        Self {
            report,
            frame: Frame::new(&report.tool_version),
            verdict: verdict_view(report, gate),
            facts: facts(report),
            boots: report.boots.iter().enumerate().map(boot_view).collect(),
            groups: rule_groups(&report.scan.rules, gate),
            rules_note: format!(
                "{} over {}, profiles: {}",
                count(report.scan.rules.len(), "rule"),
                count(report.scan.files, "file"),
                if report.scan.profiles.is_empty() {
                    "none".to_owned()
                } else {
                    report.scan.profiles.join(", ")
                }
            ),
            fixes: Fixes::new(&report.scan.fixes),
            disk: Disk::new(report),
            steps,
            steps_total: duration(steps_ms),
            packages: report.packages.iter().map(package_view).collect(),
            packages_total: format_bytes(packages_bytes),
            built_at: date_time(report.built_at),
            source_date: Timestamp::from_second(report.source_epoch)
                .map_or_else(|_| "not a date".to_owned(), date_time),
        }
    }
}

pub(super) fn duration(elapsed_ms: u64) -> String {
    if elapsed_ms < 100 {
        format!("{elapsed_ms} ms")
    } else {
        format_duration(Duration::from_millis(elapsed_ms))
    }
}

fn installed_bytes(report: &BuildReport) -> u64 {
    report.packages.iter().map(|package| package.installed_bytes).fold(0, u64::saturating_add)
}

fn verdict_view(report: &BuildReport, gate: Severity) -> VerdictView {
    let verdict = verdict(report, gate);
    let reasons = count(verdict.reasons.len(), "reason");
    let (mark, headline) = match verdict.outcome {
        VerdictOutcome::Passed => {
            (Mark::PASSED, format!("No violation of severity {gate} or above, and every boot test passed."))
        }
        VerdictOutcome::Incomplete => {
            (Mark::INCOMPLETE, "Nothing stops this image, but not everything was looked at:".to_owned())
        }
        VerdictOutcome::Failed => {
            (Mark::FAILED, format!("{reasons} against this image (gate: severity {gate} and above):"))
        }
    };
    VerdictView { mark, headline, reasons: verdict.reasons }
}

fn facts(report: &BuildReport) -> Vec<Fact> {
    let counts = report.scan.counts();
    let number = |state: &str| counts.get(state).copied().unwrap_or_default();
    let fact = |name, value: String, note: String| Fact { name, value, note };
    let mut facts = vec![
        fact("Base", report.base.clone(), report.architecture.to_string()),
        fact(
            "Disk",
            format_bytes(report.disk_bytes),
            format!(
                "{} carrying data, {}",
                format_bytes(report.used_bytes),
                share(report.used_bytes, report.disk_bytes)
            ),
        ),
        fact(
            "Packages",
            report.packages.len().to_string(),
            format!("{} installed", format_bytes(installed_bytes(report))),
        ),
        fact(
            "Rules",
            format!("{} failed", number("fail")),
            format!(
                "{} passed, {} waived, {} not evaluated, {} not applicable",
                number("pass"),
                number("waived"),
                number("not_evaluated"),
                number("not_applicable")
            ),
        ),
    ];
    if report.boots.is_empty() {
        facts.push(fact("Boot", "not tested".to_owned(), "the image was not booted".to_owned()));
    }
    for boot in &report.boots {
        let first = boot.boots.first().and_then(|run| run.login_ms);
        let (value, what) = match first {
            Some(login_ms) => (duration(login_ms), "to first login"),
            None => ("no login".to_owned(), "within the time allowed"),
        };
        let note = format!("{what}, {}, {}", boot.accelerator, boot_mark(boot).word);
        facts.push(fact(boot_fact_name(boot), value, note));
    }
    facts
}

fn boot_fact_name(boot: &BootReport) -> &'static str {
    match boot.firmware.as_str() {
        "uefi" => "UEFI boot",
        "bios" => "BIOS boot",
        _ => "Boot",
    }
}

fn boot_mark(boot: &BootReport) -> Mark {
    if boot.is_passed() { Mark::PASSED } else { Mark::FAILED }
}

fn boot_view((index, boot): (usize, &BootReport)) -> BootView<'_> {
    let boots = boot
        .boots
        .iter()
        .map(|run| {
            let login = run.login_ms.map(|login_ms| format!("login after {}", duration(login_ms)));
            (login.unwrap_or_else(|| "no login".to_owned()), run.instance_id.as_str())
        })
        .collect();
    BootView {
        anchor: boot_anchor(index),
        firmware: boot_fact_name(boot),
        mark: boot_mark(boot),
        boot,
        boots,
        checks: boot.checks.iter().map(check_view).collect(),
        console: boot.console_tail.as_deref().map(printable_lines),
    }
}

fn check_view(check: &amint_types::report::CheckResult) -> CheckView<'_> {
    CheckView {
        mark: match check.outcome {
            CheckOutcome::Pass => Mark::PASSED,
            CheckOutcome::Fail => Mark::FAILED,
            CheckOutcome::Noted => Mark::NOTED,
            _ => Mark::SKIPPED,
        },
        id: &check.id,
        title: Prose(&check.title),
        detail: Prose(&check.detail),
        requirements: check.requirements.join(", "),
        rules: check.rules.join(", "),
        time: if check.outcome == CheckOutcome::Skipped { String::new() } else { duration(check.elapsed_ms) },
    }
}

fn package_view(package: &amint_types::report::Package) -> PackageView<'_> {
    PackageView {
        name: &package.name,
        version: &package.version,
        architecture: &package.architecture,
        size: format_bytes(package.installed_bytes),
    }
}
