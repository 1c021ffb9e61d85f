//! A scan as text for people: the verdict first, then why, then what was found.

use std::collections::BTreeMap;
use std::fmt::Write;

use amint_report::printable_line;
use amint_types::scan::{
    AnalyzerStatus, CoverageStatus, FindingKind, PackageKind, ScanDocument, ScanFinding, ScanVerdict,
    SupportState,
};
use amint_types::{Severity, format_bytes};

use crate::ui::{Palette, Table};

/// How many findings are shown unless all are asked for.
const FINDINGS_SHOWN: usize = 25;

/// Shows a scan.
pub(crate) fn text(document: &ScanDocument, shows_all: bool, palette: Palette) -> String {
    let mut text = String::new();
    head(document, palette, &mut text);
    coverage(document, palette, &mut text);
    analyzers(document, palette, &mut text);
    findings(document, shows_all, palette, &mut text);
    text
}

fn head(document: &ScanDocument, palette: Palette, text: &mut String) {
    let verdict = match document.verdict {
        ScanVerdict::Pass => palette.green("passed"),
        ScanVerdict::Fail => palette.red("failed"),
        ScanVerdict::Stale => palette.yellow("no verdict: the advisories are missing or too old"),
        _ => palette.red("no verdict: something could not be read"),
    };
    let _ = writeln!(text, "{}  {verdict}", palette.bold(&printable_line(&document.target.name)));
    for reason in &document.reasons {
        let _ = writeln!(text, "  {} {}", palette.dim("-"), printable_line(reason));
    }
    for warning in &document.warnings {
        let _ = writeln!(text, "  {} {}", palette.yellow("warning:"), printable_line(warning));
    }
    if let Some(system) = &document.system {
        let support = match (system.support, system.support_ends) {
            (SupportState::Supported, Some(ends)) => format!("supported until {ends}"),
            (SupportState::Limited, _) => {
                let ends =
                    system.long_term_support_ends.map(|ends| format!(" until {ends}")).unwrap_or_default();
                format!("long-term support only{ends}")
            }
            (SupportState::Ended, Some(ends)) => format!("support ended on {ends}"),
            _ => "end of support not known".to_owned(),
        };
        let architecture = system.architecture.as_deref().unwrap_or("unknown architecture");
        row(text, palette, "system", &format!("{}, {architecture}, {support}", system.name));
    }
    for kernel in &document.kernels {
        let mark = if kernel.is_default { "boots" } else { "installed" };
        row(text, palette, "kernel", &format!("{} ({mark})", kernel.release));
    }
    let mut kinds: BTreeMap<PackageKind, usize> = BTreeMap::new();
    for package in &document.packages {
        *kinds.entry(package.kind).or_default() += 1;
    }
    let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {}", kind.as_str())).collect();
    row(text, palette, "packages", &if kinds.is_empty() { "none".to_owned() } else { kinds.join(", ") });
    let ports: std::collections::BTreeSet<&str> =
        document.services.iter().flat_map(|service| service.ports.iter().map(String::as_str)).collect();
    let ports: Vec<&str> = ports.into_iter().collect();
    let listening = if ports.is_empty() { "none known".to_owned() } else { ports.join(", ") };
    row(text, palette, "services", &format!("{} start, ports: {listening}", document.services.len()));
    let changed = document.modified_files.iter().filter(|file| !file.is_configuration).count();
    let configuration = document.modified_files.len() - changed;
    row(
        text,
        palette,
        "files",
        &format!("{changed} of packages changed or missing, {configuration} configuration files changed"),
    );
    if let Some(baseline) = &document.baseline {
        let mut since = format!(
            "{} new, {} known, {} fixed since {} of {}",
            baseline.new,
            baseline.known,
            baseline.fixed,
            baseline.target.name,
            baseline.scanned_at.strftime("%Y-%m-%d")
        );
        if baseline.not_looked_for > 0 {
            let _ = write!(since, "; {} of then were not looked for", baseline.not_looked_for);
        }
        row(text, palette, "findings", &since);
    }
    match document.data.iter().map(|source| source.date).min() {
        Some(oldest) => {
            let data = match document.data.len() {
                1 => format!("1 source of {}", oldest.strftime("%Y-%m-%d")),
                count => format!("{count} sources, the oldest of {}", oldest.strftime("%Y-%m-%d")),
            };
            row(text, palette, "advisories", &data);
        }
        None => row(text, palette, "advisories", "none"),
    }
}

fn row(text: &mut String, palette: Palette, name: &str, value: &str) {
    let _ = writeln!(text, "  {} {}", palette.dim(&format!("{name:<10}")), printable_line(value));
}

fn coverage(document: &ScanDocument, palette: Palette, text: &mut String) {
    text.push('\n');
    let mut table = Table::new(["PARTITION", "CONTENT", "AT", "NAMES", "READ", "STATUS"]).right([3, 4]);
    for part in &document.coverage {
        let status = match part.status {
            CoverageStatus::Read => "read",
            CoverageStatus::Partial => "read in part",
            CoverageStatus::Empty => "nothing to read",
            _ => "NOT READ",
        };
        let at = part.mounted_at.as_deref().unwrap_or("-");
        table.row([
            &part.partition,
            &part.filesystem,
            at,
            &part.files.to_string(),
            &format_bytes(part.bytes),
            status,
        ]);
    }
    text.push_str(&table.render(palette));
    for part in &document.coverage {
        for note in &part.notes {
            let _ = writeln!(
                text,
                "  {} {}: {}",
                palette.dim("note"),
                printable_line(&part.partition),
                printable_line(note)
            );
        }
    }
}

/// Says which analyzers could not look at all they wanted.
fn analyzers(document: &ScanDocument, palette: Palette, text: &mut String) {
    for run in document.analyzers.iter().filter(|run| run.status == AnalyzerStatus::Partial) {
        for note in &run.notes {
            let _ = writeln!(text, "  {} {}: {}", palette.dim("note"), run.id, printable_line(note));
        }
    }
}

fn findings(document: &ScanDocument, shows_all: bool, palette: Palette, text: &mut String) {
    let counts = document.counts();
    let counted: Vec<String> = Severity::ALL
        .iter()
        .rev()
        .filter_map(|severity| counts.get(severity).map(|count| format!("{count} {severity}")))
        .collect();
    text.push('\n');
    let not_affected = document.findings.iter().filter(|finding| finding.not_affected.is_some()).count();
    let accepted = document.findings.iter().filter(|finding| is_accepted(finding)).count();
    if counted.is_empty() && not_affected + accepted == 0 {
        text.push_str("No findings\n");
        return;
    }
    let lowered = document.findings.iter().filter(|finding| finding.lowered.is_some()).count();
    let counted = if counted.is_empty() { "none that counts".to_owned() } else { counted.join(", ") };
    let _ = write!(text, "{}  {counted}", palette.bold("Findings"));
    if lowered > 0 {
        let _ = write!(text, "; {lowered} lowered");
    }
    if not_affected > 0 {
        let _ = write!(text, "; {not_affected} do not apply");
    }
    if accepted > 0 {
        let _ = write!(text, "; {accepted} accepted");
    }
    text.push('\n');
    let shown: Vec<&ScanFinding> = document
        .findings
        .iter()
        .filter(|finding| shows_all || (finding.is_counted() && finding.severity > Severity::Info))
        .collect();
    let limit = if shows_all { usize::MAX } else { FINDINGS_SHOWN };
    let mut table = Table::new(["SEVERITY", "ID", "WHERE", "FIX", "WHAT"]);
    for finding in shown.iter().take(limit) {
        let place = match (&finding.package, &finding.version, finding.line) {
            (Some(package), Some(version), _) => format!("{package} {version}"),
            (Some(package), None, _) => package.clone(),
            (None, _, Some(line)) => format!("{}:{line}", finding.path),
            (None, _, None) => finding.path.clone(),
        };
        let fix = match (&finding.fixed_version, finding.is_fix_available) {
            (Some(version), Some(false)) => format!("{version} (not in its repositories)"),
            (Some(version), _) => version.clone(),
            (None, _) if finding.kind == FindingKind::Vulnerability => "none yet".to_owned(),
            (None, _) => "-".to_owned(),
        };
        let severity = if finding.is_exploited {
            format!("{} EXPLOITED", finding.severity)
        } else {
            finding.severity.to_string()
        };
        let what = what(finding);
        table.row([&severity, &finding.rule, &place, &fix, &what]);
    }
    text.push_str(&table.render(palette));
    let more = document.findings.len() - shown.len().min(limit);
    if more > 0 && !shows_all {
        let _ = writeln!(text, "{more} more: `--all` shows every one, `--format html` makes a page");
    }
}

/// What is wrong, and why it counts less than it would.
fn what(finding: &ScanFinding) -> String {
    let mut what = finding.title.clone();
    if let Some(lowered) = &finding.lowered {
        let _ = write!(what, " (lowered from {}: {})", lowered.from, lowered.reason);
    }
    if let Some(waived) = &finding.waived {
        let _ = write!(what, " (accepted until {} by {}: {})", waived.until, waived.owner, waived.reason);
    }
    if finding.is_known {
        what.push_str(" (known)");
    }
    what
}

/// Tells whether a finding counts but for its waiver.
fn is_accepted(finding: &ScanFinding) -> bool {
    finding.waived.is_some() && finding.not_affected.is_none()
}
