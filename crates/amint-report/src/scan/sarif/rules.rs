//! One rule for each rule or vulnerability that has findings.

use std::collections::BTreeMap;

use amint_types::Severity;
use amint_types::scan::{FindingKind, ScanDocument, ScanFinding};

use super::super::markdown::escaped;
use super::super::text::{line, remedy};
use super::message::{message, plain};
use super::model::{Configuration, Help, Rule, RuleProperties};

/// Returns the rules of all findings, by id.
pub(super) fn rules(document: &ScanDocument) -> Vec<Rule> {
    let mut by_rule: BTreeMap<&str, Vec<&ScanFinding>> = BTreeMap::new();
    for finding in &document.findings {
        by_rule.entry(&finding.rule).or_default().push(finding);
    }
    by_rule.into_iter().filter_map(|(id, findings)| rule(id, &findings)).collect()
}

fn rule(id: &str, findings: &[&ScanFinding]) -> Option<Rule> {
    let first = findings.first()?;
    let severity = findings.iter().map(|finding| finding.severity).max()?;
    let score = findings.iter().filter_map(|finding| security_severity(finding)).max();
    Some(Rule {
        id: id.to_owned(),
        short_description: message(&first.title),
        full_description: message(&format!("{}: {}", id, first.title)),
        help_uri: help_uri(id),
        help: help(first),
        default_configuration: Configuration { level: level(severity) },
        properties: RuleProperties { tags: tags(findings), security_severity: score.map(tenths) },
    })
}

/// Returns the level that stands for a severity.
pub(super) fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        _ => "note",
    }
}

/// Returns ten times the score that code scanning sorts by and names bands of: over 9.0 critical, from 7.0 high,
/// from 4.0 medium, over 0 low. The score of CVSS where it lies in the band of the severity here, else the middle of
/// that band: a lowered finding must not be shown as critical. None for what is only told.
pub(super) fn security_severity(finding: &ScanFinding) -> Option<u8> {
    let (band, middle) = match finding.severity {
        Severity::Critical => (91..=100, 95),
        Severity::High => (70..=90, 80),
        Severity::Medium => (40..=69, 55),
        Severity::Low => (1..=39, 20),
        _ => return None,
    };
    Some(finding.cvss_tenths.filter(|score| band.contains(score)).unwrap_or(middle))
}

pub(super) fn tenths(score: u8) -> String {
    format!("{}.{}", score / 10, score % 10)
}

fn tags(findings: &[&ScanFinding]) -> Vec<String> {
    let mut tags = vec!["security".to_owned()];
    let kinds = [
        (FindingKind::Vulnerability, "vulnerability"),
        (FindingKind::Rule, "configuration"),
        (FindingKind::Evidence, "evidence"),
    ];
    for (kind, tag) in kinds {
        if findings.iter().any(|finding| finding.kind == kind) {
            tags.push(tag.to_owned());
        }
    }
    if findings.iter().any(|finding| finding.is_exploited) {
        tags.push("exploited".to_owned());
    }
    let mut requirements: Vec<String> =
        findings.iter().flat_map(|finding| &finding.requirements).map(|id| line(id)).collect();
    requirements.sort();
    requirements.dedup();
    tags.extend(requirements);
    // The schema asks for tags that differ.
    let mut seen = std::collections::BTreeSet::new();
    tags.retain(|tag| seen.insert(tag.clone()));
    tags
}

fn help(finding: &ScanFinding) -> Help {
    let mut paragraphs = vec![finding.title.clone()];
    if let Some(remedy) = remedy(finding) {
        paragraphs.push(format!("What to do: {remedy}"));
    }
    if !finding.aliases.is_empty() {
        paragraphs.push(format!("Also known as: {}", finding.aliases.join(", ")));
    }
    if !finding.requirements.is_empty() {
        paragraphs.push(format!("Requirements: {}", finding.requirements.join(", ")));
    }
    if let Some(source) = &finding.source {
        paragraphs.push(format!("Told by: {source}"));
    }
    Help {
        text: paragraphs.iter().map(|text| plain(text)).collect::<Vec<_>>().join("\n"),
        markdown: paragraphs.iter().map(|text| escaped(text)).collect::<Vec<_>>().join("\n\n"),
    }
}

/// Returns the page of an id whose form is beyond doubt: nothing else of an image's text may become an address.
fn help_uri(id: &str) -> Option<String> {
    let is_plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_plain {
        return None;
    }
    if id.starts_with("CVE-") {
        Some(format!("https://www.cve.org/CVERecord?id={id}"))
    } else if id.starts_with("GHSA-") {
        Some(format!("https://github.com/advisories/{id}"))
    } else {
        None
    }
}
