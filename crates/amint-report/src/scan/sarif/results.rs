//! One result for each finding.

use std::collections::{BTreeMap, HashMap};

use amint_types::scan::{ScanDocument, ScanFinding};
use serde_json::{Value, json};

use super::super::names::relative_uri;
use super::super::text::{acceptance, finding_message, line};
use super::BASE_ID;
use super::message::message;
use super::model::{
    ArtifactLocation, Location, LogicalLocation, PhysicalLocation, Region, Rule, SarifResult, Suppression,
};
use super::rules::{level, security_severity, tenths};

/// Returns the results in the document's order.
pub(super) fn results(document: &ScanDocument, rules: &[Rule]) -> Vec<SarifResult> {
    let indexes: HashMap<&str, usize> =
        rules.iter().enumerate().map(|(index, rule)| (rule.id.as_str(), index)).collect();
    document
        .findings
        .iter()
        .filter_map(|finding| {
            let rule_index = indexes.get(finding.rule.as_str()).copied()?;
            Some(result(document, finding, rule_index))
        })
        .collect()
}

fn result(document: &ScanDocument, finding: &ScanFinding, rule_index: usize) -> SarifResult {
    SarifResult {
        rule_id: finding.rule.clone(),
        rule_index,
        level: level(finding.severity),
        message: message(&finding_message(finding)),
        locations: vec![location(finding)],
        partial_fingerprints: BTreeMap::from([("amintFindingId/v1", finding.id.clone())]),
        suppressions: suppressions(finding),
        properties: properties(finding, finding.is_blocking(document.gate)),
    }
}

fn location(finding: &ScanFinding) -> Location {
    let logical_locations = finding.package.as_ref().map(|package| {
        let version = finding.version.as_deref().map(|version| format!("@{version}")).unwrap_or_default();
        LogicalLocation {
            name: package.clone(),
            fully_qualified_name: finding.purl.clone().unwrap_or_else(|| format!("{package}{version}")),
            kind: "package",
        }
    });
    Location {
        physical_location: PhysicalLocation {
            artifact_location: ArtifactLocation { uri: relative_uri(&finding.path), uri_base_id: BASE_ID },
            // Lines count from 1; the format has no line 0.
            region: finding.line.filter(|line| *line > 0).map(|start_line| Region { start_line }),
        },
        logical_locations: logical_locations.into_iter().collect(),
    }
}

/// A VEX statement or a waiver is a decision outside the scan, and accepted: viewers then do not count the result.
fn suppressions(finding: &ScanFinding) -> Vec<Suppression> {
    let statement = finding.not_affected.as_deref().map(line);
    let waiver = finding.waived.as_ref().map(acceptance);
    statement
        .into_iter()
        .chain(waiver)
        .map(|justification| Suppression { kind: "external", status: "accepted", justification })
        .collect()
}

fn properties(finding: &ScanFinding, is_blocking: bool) -> BTreeMap<&'static str, Value> {
    let mut properties = BTreeMap::from([
        ("amint:severity", json!(finding.severity.as_str())),
        ("amint:blocks", json!(is_blocking)),
    ]);
    let mut add = |name, value: Option<Value>| properties.extend(value.map(|value| (name, value)));
    add("security-severity", security_severity(finding).map(|score| json!(tenths(score))));
    add("amint:exploited", finding.is_exploited.then_some(json!(true)));
    add("amint:cvss", finding.cvss_tenths.map(|score| json!(tenths(score))));
    add("amint:epss", finding.epss_millionths.map(|millionths| json!(probability(millionths))));
    add("amint:fixedVersion", finding.fixed_version.as_ref().map(|version| json!(version)));
    add("amint:fixAvailable", finding.is_fix_available.map(|is_available| json!(is_available)));
    add("amint:loweredFrom", finding.lowered.as_ref().map(|lowered| json!(lowered.from.as_str())));
    add("amint:loweredBecause", finding.lowered.as_ref().map(|lowered| json!(line(&lowered.reason))));
    add("amint:evidence", finding.evidence.as_ref().map(|evidence| json!(line(evidence))));
    add("amint:source", finding.source.as_ref().map(|source| json!(source)));
    add("amint:controls", (!finding.controls.is_empty()).then(|| json!(finding.controls)));
    add("amint:known", finding.is_known.then_some(json!(true)));
    add("amint:aliases", (!finding.aliases.is_empty()).then(|| json!(finding.aliases)));
    properties
}

/// Writes millionths as a decimal number, without the rounding of floating point.
fn probability(millionths: u32) -> String {
    format!("{}.{:06}", millionths / 1_000_000, millionths % 1_000_000)
}
