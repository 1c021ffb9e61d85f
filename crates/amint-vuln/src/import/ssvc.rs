//! CVE records with CISA's container (<https://github.com/cisagov/vulnrichment>): SSVC decision points and scores.

use serde::Deserialize;
use serde_json::Value;

use super::{ImportError, Sink};
use crate::record::{Exploitation, Facts};
use crate::scores::cvss_tenths;

/// A CVE record, version 5.
#[derive(Debug, Deserialize)]
pub(super) struct CveRecord {
    #[serde(rename = "cveMetadata")]
    metadata: Metadata,
    #[serde(default)]
    containers: Containers,
}

#[derive(Debug, Deserialize)]
struct Metadata {
    #[serde(rename = "cveId")]
    id: String,
}

#[derive(Debug, Default, Deserialize)]
struct Containers {
    #[serde(default)]
    adp: Vec<Container>,
    #[serde(default)]
    cna: Option<Container>,
}

#[derive(Debug, Default, Deserialize)]
struct Container {
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    metrics: Vec<Value>,
}

#[expect(clippy::needless_pass_by_value, reason = "all visitors of documents take them")]
pub(super) fn import(record: CveRecord, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut facts =
        Facts { title: record.containers.cna.as_ref().and_then(|cna| cna.title.clone()), ..Facts::default() };
    // What the CVE's own authority says counts before what CISA adds.
    let containers = record.containers.cna.iter().chain(&record.containers.adp);
    for metric in containers.flat_map(|container| &container.metrics) {
        for name in ["cvssV4_0", "cvssV3_1", "cvssV3_0"] {
            let vector = metric.get(name).and_then(|cvss| cvss.get("vectorString")).and_then(Value::as_str);
            facts.cvss_tenths = facts.cvss_tenths.or_else(|| vector.and_then(cvss_tenths));
        }
        let Some(other) = metric.get("other") else { continue };
        match other.get("type").and_then(Value::as_str) {
            Some("ssvc") => facts.exploitation = decision(other).or(facts.exploitation),
            Some("kev") => facts.is_listed_exploited = true,
            _ => {}
        }
    }
    sink.facts(&record.metadata.id, facts)
}

fn decision(other: &Value) -> Option<Exploitation> {
    let options = other.get("content")?.get("options")?.as_array()?;
    let word = options.iter().find_map(|option| option.get("Exploitation")?.as_str())?;
    exploitation(word)
}

/// Reads SSVC's word.
pub(super) fn exploitation(word: &str) -> Option<Exploitation> {
    Some(match word.to_ascii_lowercase().as_str() {
        "none" => Exploitation::None,
        "poc" | "public poc" => Exploitation::ProofOfConcept,
        "active" => Exploitation::Active,
        _ => return None,
    })
}
