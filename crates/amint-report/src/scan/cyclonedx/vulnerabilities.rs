//! Findings about packages as vulnerabilities.
//!
//! One entry for each finding, not for each id: severity, analysis and remedy differ by package.

use amint_types::scan::{FindingKind, ScanDocument, ScanFinding};

use super::super::names::UniqueNames;
use super::super::text::{acceptance, line, remedy};
use super::IMAGE;
use super::components::Inventory;
use super::model::{
    Affected, AffectedVersion, Analysis, Property, Rating, Reference, Source, Vulnerability, text_property,
    version,
};

pub(super) fn vulnerabilities(
    document: &ScanDocument,
    inventory: &Inventory,
    names: &mut UniqueNames,
) -> Vec<Vulnerability> {
    document
        .findings
        .iter()
        .filter(|finding| finding.kind == FindingKind::Vulnerability)
        .map(|finding| Vulnerability {
            bom_ref: names.take(format!("finding-{}", finding.id)),
            id: finding.rule.clone(),
            source: finding.source.as_deref().map(source),
            references: references(finding),
            ratings: ratings(finding),
            description: line(&finding.title),
            detail: finding.evidence.as_deref().map(line),
            recommendation: remedy(finding),
            analysis: analysis(finding),
            affects: vec![affected(finding, inventory)],
            properties: properties(finding, finding.is_blocking(document.gate)),
        })
        .collect()
}

fn source(name: &str) -> Source {
    Source { name: line(name) }
}

/// Other ids, each with the publisher whose prefix it carries. The format asks that they differ.
fn references(finding: &ScanFinding) -> Vec<Reference> {
    let mut aliases = finding.aliases.clone();
    aliases.sort();
    aliases.dedup();
    aliases
        .into_iter()
        .map(|id| {
            let publisher = id.split('-').next().unwrap_or_default().to_owned();
            Reference { id, source: source(&publisher) }
        })
        .collect()
}

fn ratings(finding: &ScanFinding) -> Vec<Rating> {
    let rating = Rating { source: None, score: None, severity: None, method: None, justification: None };
    let mut ratings = vec![Rating {
        source: Some(source("amint")),
        severity: Some(finding.severity.as_str()),
        method: Some("other"),
        justification: finding.lowered.as_ref().map(|lowered| line(&lowered.reason)),
        ..rating
    }];
    if let Some(lowered) = &finding.lowered {
        ratings.push(Rating {
            source: finding.source.as_deref().map(source),
            score: None,
            severity: Some(lowered.from.as_str()),
            method: Some("other"),
            justification: None,
        });
    }
    if let Some(tenths) = finding.cvss_tenths {
        // The model does not tell which version of CVSS the score is of, so no method is named.
        ratings.push(Rating {
            source: finding.source.as_deref().map(source),
            score: Some(f64::from(tenths) / 10.0),
            severity: None,
            method: None,
            justification: None,
        });
    }
    ratings
}

fn analysis(finding: &ScanFinding) -> Option<Analysis> {
    if let Some(reason) = &finding.not_affected {
        let detail = Some(line(reason));
        return Some(Analysis { state: "not_affected", response: Vec::new(), detail });
    }
    // Accepted is not mended, nor is it said to be harmless.
    if let Some(waived) = &finding.waived {
        return Some(Analysis { state: "in_triage", response: Vec::new(), detail: Some(acceptance(waived)) });
    }
    // Lowered findings are judged by a rule of thumb, not by a person: open still, with the reason.
    let lowered = finding.lowered.as_ref()?;
    let has_fix = finding.is_fix_available == Some(true);
    Some(Analysis {
        state: "in_triage",
        response: if has_fix { vec!["update"] } else { Vec::new() },
        detail: Some(line(&format!("lowered from {}: {}", lowered.from, lowered.reason))),
    })
}

fn affected(finding: &ScanFinding, inventory: &Inventory) -> Affected {
    let status = if finding.not_affected.is_some() { "unaffected" } else { "affected" };
    Affected {
        reference: inventory.reference(finding).unwrap_or(IMAGE).to_owned(),
        versions: finding
            .version
            .iter()
            .map(|text| AffectedVersion { version: version(text), status })
            .collect(),
    }
}

fn properties(finding: &ScanFinding, is_blocking: bool) -> Vec<Property> {
    let mut properties = vec![
        text_property("amint:finding", &finding.id),
        text_property("amint:path", &finding.path),
        text_property("amint:blocks", if is_blocking { "true" } else { "false" }),
    ];
    if finding.is_exploited {
        properties.push(text_property("amint:exploited", "true"));
    }
    if let Some(millionths) = finding.epss_millionths {
        let probability = format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000);
        properties.push(text_property("amint:epss", &probability));
    }
    if let Some(fixed) = &finding.fixed_version {
        properties.push(text_property("amint:fixed-version", fixed));
    }
    if let Some(is_available) = finding.is_fix_available {
        properties.push(text_property("amint:fix-available", if is_available { "true" } else { "false" }));
    }
    properties
}
