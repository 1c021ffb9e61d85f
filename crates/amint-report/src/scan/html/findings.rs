//! Findings by what they ask of the reader: those that fail the image first.

use amint_types::Severity;
use amint_types::scan::{ScanDocument, ScanFinding};

use super::super::text::{acceptance, clipped, remedy};
use super::table::OPEN_ROWS_MAX;
use crate::html::count;
use crate::html::frame::Mark;

/// How many findings that fail the image stand open; more would hide the rest of the page.
const OPEN_BLOCKING_MAX: usize = 100;

/// The longest value and the longest evidence of a row, in characters.
const VALUE_CHARACTERS_MAX: usize = 400;
const EVIDENCE_CHARACTERS_MAX: usize = 2_000;

pub(super) struct Group<'a> {
    pub(super) mark: Mark,
    pub(super) caption: String,
    pub(super) open: Vec<Row<'a>>,
    pub(super) folded: Vec<Row<'a>>,
    pub(super) folded_caption: String,
}

pub(super) struct Row<'a> {
    /// The place of the severity among all, from 1: what the filter compares.
    pub(super) level: usize,
    pub(super) finding: &'a ScanFinding,
    pub(super) rule: String,
    pub(super) title: String,
    pub(super) is_blocking: bool,
    /// Package and version, and the version that mends it.
    pub(super) package: String,
    pub(super) fixed: String,
    pub(super) place: String,
    pub(super) ids: String,
    /// Probability and score of exploitation.
    pub(super) weight: String,
    pub(super) evidence: Option<String>,
    pub(super) not_affected: Option<String>,
    /// Who accepts it, why and until when.
    pub(super) accepted: Option<String>,
    pub(super) lowered: Option<(Severity, String)>,
    pub(super) remedy: Option<String>,
}

/// Groups findings; empty groups are left out.
pub(super) fn groups(document: &ScanDocument) -> Vec<Group<'_>> {
    let mut blocking = Vec::new();
    let mut others = Vec::new();
    let mut not_affected = Vec::new();
    let mut accepted = Vec::new();
    let mut known = Vec::new();
    for finding in &document.findings {
        let row = row(finding, document.gate);
        if finding.not_affected.is_some() {
            not_affected.push(row);
        } else if finding.waived.is_some() {
            accepted.push(row);
        } else if finding.is_known {
            known.push(row);
        } else if row.is_blocking {
            blocking.push(row);
        } else {
            others.push(row);
        }
    }
    let others_open = if blocking.is_empty() { OPEN_ROWS_MAX } else { 0 };
    let groups = [
        (Mark { symbol: "✗", word: "fails the image", class: "bad" }, blocking, OPEN_BLOCKING_MAX),
        (Mark { symbol: "–", word: "below the gate", class: "open" }, others, others_open),
        (Mark { symbol: "–", word: "known before", class: "open" }, known, 0),
        (Mark { symbol: "~", word: "accepted for a while", class: "open" }, accepted, 0),
        (Mark { symbol: "~", word: "not affected", class: "open" }, not_affected, 0),
    ];
    groups
        .into_iter()
        .filter(|(_, rows, _)| !rows.is_empty())
        .map(|(mark, mut open, open_max)| {
            let caption = count(open.len(), "finding");
            let folded = open.split_off(open_max.min(open.len()));
            let folded_caption =
                if open.is_empty() { "Show them".to_owned() } else { format!("{} more", folded.len()) };
            Group { mark, caption, open, folded, folded_caption }
        })
        .collect()
}

fn shown(text: &str) -> String {
    clipped(text.to_owned(), VALUE_CHARACTERS_MAX)
}

fn row(finding: &ScanFinding, gate: Severity) -> Row<'_> {
    let version = finding.version.as_deref().unwrap_or_default();
    let package = finding.package.as_deref().map(|package| format!("{package} {version}"));
    let fixed = match (&finding.fixed_version, finding.is_fix_available) {
        (Some(fixed), Some(true)) => format!("fixed in {fixed}, which the image's repositories have"),
        (Some(fixed), Some(false)) => format!("fixed in {fixed}, not yet in the image's repositories"),
        (Some(fixed), None) => format!("fixed in {fixed}"),
        (None, _) if finding.package.is_some() => "no fix known".to_owned(),
        (None, _) => String::new(),
    };
    let mut ids: Vec<&str> = finding.aliases.iter().map(String::as_str).collect();
    ids.extend(finding.requirements.iter().map(String::as_str));
    ids.extend(finding.controls.iter().map(String::as_str));
    Row {
        level: level(finding.severity),
        finding,
        rule: shown(&finding.rule),
        title: shown(&finding.title),
        is_blocking: finding.is_blocking(gate),
        package: shown(package.unwrap_or_default().trim()),
        fixed: shown(&fixed),
        place: shown(&match finding.line {
            Some(line) => format!("{}:{line}", finding.path),
            None => finding.path.clone(),
        }),
        ids: shown(&ids.join(", ")),
        weight: weight(finding),
        evidence: finding.evidence.clone().map(|evidence| clipped(evidence, EVIDENCE_CHARACTERS_MAX)),
        not_affected: finding.not_affected.as_deref().map(shown),
        accepted: finding.waived.as_ref().map(|waived| shown(&acceptance(waived))),
        lowered: finding.lowered.as_ref().map(|lowered| (lowered.from, shown(&lowered.reason))),
        // "Update to the fixed version" stands in the row already.
        remedy: finding.fix.as_ref().and_then(|_| remedy(finding)),
    }
}

/// Returns the place of a severity among all, from 1.
pub(super) fn level(severity: Severity) -> usize {
    Severity::ALL.iter().take_while(|one| **one <= severity).count()
}

fn weight(finding: &ScanFinding) -> String {
    let mut parts = Vec::new();
    if let Some(tenths) = finding.cvss_tenths {
        parts.push(format!("CVSS {}.{}", tenths / 10, tenths % 10));
    }
    if let Some(millionths) = finding.epss_millionths {
        parts.push(format!("EPSS {}.{}\u{a0}%", millionths / 10_000, millionths / 1_000 % 10));
    }
    parts.join(", ")
}
