//! What the template of the page sees.

use std::fmt::Write as _;

use amint_types::Severity;
use amint_types::format_bytes;
use amint_types::scan::{PackageKind, ScanDocument, ScanFinding, ScanVerdict, SupportState};
use askama::Template;

use super::super::text::clipped;
use super::findings::{Group, groups, level};
use super::inventory;
use super::table::Section;
use crate::html::count;
use crate::html::frame::{Fact, Frame, Mark, date_time};
use crate::html::grouped;
use crate::html::prose::Prose;

#[derive(Template)]
#[template(path = "scan.html", whitespace = "minimize")]
pub(super) struct Page<'a> {
    document: &'a ScanDocument,
    name: String,
    reasons: Vec<String>,
    warnings: Vec<String>,
    frame: Frame<'a>,
    mark: Mark,
    headline: String,
    scanned_at: String,
    facts: Vec<Fact>,
    groups: Vec<Group<'a>>,
    findings_note: String,
    /// The severities of the filter, worst first, with their places.
    levels: Vec<(usize, Severity)>,
    sections: Vec<Section>,
}

impl<'a> Page<'a> {
    pub(super) fn new(document: &'a ScanDocument) -> Self {
        let (mark, headline) = verdict(document);
        let findings_note = findings_note(document);
        Self {
            document,
            name: shown(&document.target.name),
            reasons: document.reasons.iter().map(|reason| shown(reason)).collect(),
            warnings: document.warnings.iter().map(|warning| shown(warning)).collect(),
            frame: Frame::new(&document.tool_version),
            mark,
            headline,
            scanned_at: date_time(document.scanned_at),
            facts: facts(document),
            groups: groups(document),
            findings_note,
            levels: Severity::ALL.into_iter().rev().map(|severity| (level(severity), severity)).collect(),
            sections: inventory::sections(document),
        }
    }
}

/// Cuts what would fill the head of the page.
fn shown(text: &str) -> String {
    const HEAD_CHARACTERS_MAX: usize = 200;
    clipped(text.to_owned(), HEAD_CHARACTERS_MAX)
}

fn grouped_count(number: usize) -> String {
    grouped(u64::try_from(number).unwrap_or(u64::MAX))
}

fn verdict(document: &ScanDocument) -> (Mark, String) {
    let gate = document.gate;
    match document.verdict {
        ScanVerdict::Pass => (
            Mark::PASSED,
            format!("All that was asked for was looked at, and nothing of severity {gate} or above was found."),
        ),
        ScanVerdict::Fail => {
            let blocking = count(document.blocking().count(), "finding");
            (Mark::FAILED, format!("{blocking} of severity {gate} or above, or exploited, against this image."))
        }
        ScanVerdict::Stale => (
            Mark { symbol: "?", word: "stale", class: "open" },
            "Nothing that is known fails this image, but advisories are missing or too old to say that there are \
             none."
                .to_owned(),
        ),
        _ => (
            Mark { symbol: "?", word: "unread", class: "bad" },
            "Parts of this image could not be read: nothing can be said about it.".to_owned(),
        ),
    }
}

fn facts(document: &ScanDocument) -> Vec<Fact> {
    let fact = |name, value: String, note: String| Fact { name, value: shown(&value), note };
    let mut facts = vec![findings_fact(document)];
    if let Some(system) = &document.system {
        let support = match (system.support, system.support_ends) {
            (SupportState::Supported, Some(date)) => format!("supported until {date}"),
            (SupportState::Supported, None) => "supported".to_owned(),
            (SupportState::Limited, _) => match system.long_term_support_ends {
                Some(date) => format!("long-term support until {date}"),
                None => "long-term support only".to_owned(),
            },
            (SupportState::Ended, Some(date)) => format!("support ended {date}"),
            (SupportState::Ended, None) => "support has ended".to_owned(),
            _ => "support not known".to_owned(),
        };
        facts.push(fact("System", system.name.clone(), support));
    }
    let default = document.kernels.iter().find(|kernel| kernel.is_default);
    if let Some(kernel) = default {
        facts.push(fact("Kernel", kernel.release.clone(), count(document.kernels.len(), "kernel")));
    }
    let kinds: Vec<String> = PackageKind::ALL
        .iter()
        .map(|kind| (kind, document.packages.iter().filter(|package| package.kind == *kind).count()))
        .filter(|(_, number)| *number > 0)
        .map(|(kind, number)| format!("{} {}", grouped_count(number), kind.as_str()))
        .collect();
    facts.push(fact("Packages", grouped_count(document.packages.len()), kinds.join(", ")));
    let oldest = document.data.iter().map(|source| source.date).min();
    facts.push(match oldest {
        Some(date) => {
            let days = inventory::age_days(document, date);
            fact("Oldest advisories", count(days, "day"), format!("of {}", date.strftime("%Y-%m-%d")))
        }
        None => fact("Advisories", "none".to_owned(), "no vulnerability could be looked up".to_owned()),
    });
    let target = &document.target;
    let size = target.disk_bytes.map(format_bytes);
    if let Some(baseline) = &document.baseline {
        let note = format!(
            "{} known, {} fixed since {} of {}",
            grouped_count(baseline.known),
            grouped_count(baseline.fixed),
            baseline.target.name,
            baseline.scanned_at.strftime("%Y-%m-%d")
        );
        facts.push(fact("New findings", grouped_count(baseline.new), note));
    }
    facts.push(fact("Form", target.format.clone(), size.unwrap_or_default()));
    facts
}

fn findings_fact(document: &ScanDocument) -> Fact {
    let counts = document.counts();
    let by_severity: Vec<String> = counts
        .iter()
        .rev()
        .map(|(severity, number)| format!("{} {severity}", grouped_count(*number)))
        .collect();
    Fact {
        name: "Findings",
        value: grouped_count(counts.values().sum()),
        note: if by_severity.is_empty() { "of any severity".to_owned() } else { by_severity.join(", ") },
    }
}

/// Counts the findings, and says how many of them do not count.
fn findings_note(document: &ScanDocument) -> String {
    let number_of = |is_meant: fn(&ScanFinding) -> bool| {
        document.findings.iter().filter(|finding| is_meant(finding)).count()
    };
    let not_affected = number_of(|finding| finding.not_affected.is_some());
    let accepted = number_of(|finding| finding.waived.is_some() && finding.not_affected.is_none());
    let known = number_of(|finding| finding.is_known && finding.is_counted());
    let mut note = count(document.findings.len() - not_affected - accepted, "finding");
    let groups = [
        (known, "that was known before", "that were known before"),
        (accepted, "that is accepted", "that are accepted"),
        (not_affected, "that does not apply", "that do not apply"),
    ];
    for (number, one, more) in groups {
        if number > 0 {
            let _ = write!(note, ", {} {}", grouped_count(number), if number == 1 { one } else { more });
        }
    }
    note
}
