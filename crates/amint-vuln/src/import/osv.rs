//! OSV records (<https://ossf.github.io/osv-schema/>).

use serde::Deserialize;
use serde_json::Value;

use super::osv_ranges::{OsvRange, intervals};
use super::{ImportError, Sink};
use crate::ecosystem::{Ecosystem, Family};
use crate::record::{Facts, Flags, Range, Record};
use crate::scores::{cvss_tenths, severity_of_word};

/// One record; what is not needed is not read.
#[derive(Debug, Deserialize)]
pub(super) struct OsvRecord {
    id: String,
    #[serde(default)]
    withdrawn: Value,
    #[serde(default)]
    aliases: Option<Vec<String>>,
    #[serde(default)]
    related: Option<Vec<String>>,
    #[serde(default)]
    upstream: Option<Vec<String>>,
    #[serde(default)]
    summary: Option<String>,
    #[serde(default)]
    details: Option<String>,
    #[serde(default)]
    severity: Option<Vec<OsvSeverity>>,
    #[serde(default)]
    affected: Option<Vec<OsvAffected>>,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct OsvSeverity {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    score: Value,
}

#[derive(Debug, Deserialize)]
struct OsvAffected {
    #[serde(default)]
    package: Option<OsvPackage>,
    #[serde(default)]
    ranges: Option<Vec<OsvRange>>,
    #[serde(default)]
    versions: Option<Vec<String>>,
    #[serde(default)]
    severity: Option<Vec<OsvSeverity>>,
    #[serde(default)]
    ecosystem_specific: Value,
    #[serde(default)]
    database_specific: Value,
}

#[derive(Debug, Deserialize)]
struct OsvPackage {
    #[serde(default)]
    ecosystem: String,
    #[serde(default)]
    name: String,
}

pub(super) fn import(record: OsvRecord, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let is_withdrawn = !matches!(&record.withdrawn, Value::Null | Value::Bool(false));
    if is_withdrawn || record.id.is_empty() {
        sink.skip();
        return Ok(());
    }
    let aliases = record.aliases.unwrap_or_default();
    let others: Vec<String> = record.upstream.into_iter().chain(record.related).flatten().collect();
    let ids = |family| Ids::new(family, &record.id, &aliases, &others);
    let title = record.summary.clone().filter(|text| !text.trim().is_empty()).or(record.details);
    let mut fact_ids = Vec::new();
    for affected in record.affected.into_iter().flatten() {
        let Some(package) = &affected.package else { continue };
        let Some((ecosystem, repository)) = Ecosystem::from_osv(&package.ecosystem) else {
            sink.skip();
            continue;
        };
        let family = ecosystem.family();
        let ids = ids(family);
        let mut found = Record::new(ecosystem, &package.name, &record.id);
        found.repository = repository;
        found.module = module(family, title.as_deref(), &affected);
        fill_versions(&mut found, &affected);
        found.severity = own_severity(family, &affected);
        found.flags = flags(family, &record.id, &affected);
        fact_ids.push(ids.fact_id(&record.id).to_owned());
        (found.vulnerabilities, found.aliases) = (ids.main, ids.aliases);
        sink.record(found)?;
    }
    fact_ids.sort();
    fact_ids.dedup();
    let word = record.database_specific.get("severity").and_then(Value::as_str);
    for id in fact_ids {
        let facts = Facts {
            title: title.clone(),
            severity: word.and_then(severity_of_word),
            cvss_tenths: best_score(record.severity.as_deref().unwrap_or_default()),
            aliases: aliases.iter().chain(std::iter::once(&record.id)).cloned().collect(),
            ..Facts::default()
        };
        sink.facts(&id, facts)?;
    }
    Ok(())
}

/// Which ids are the vulnerabilities, and which are other names.
pub(super) struct Ids {
    pub(super) main: Vec<String>,
    pub(super) aliases: Vec<String>,
}

impl Ids {
    /// In registries of languages, a record is one vulnerability with many names: the CVE id is the main one. Those
    /// of distributions are on one CVE, or are advisories on many.
    pub(super) fn new(family: Family, id: &str, aliases: &[String], others: &[String]) -> Self {
        let own = bare(id);
        let is_cve = |id: &&str| id.starts_with("CVE-");
        let mut main: Vec<String> = Vec::new();
        if is_cve(&own) {
            main.push(own.to_owned());
        } else if family.is_of_language() {
            let names = || std::iter::once(id).chain(aliases.iter().map(String::as_str));
            let first = names().filter(is_cve).min().or_else(|| names().min());
            main.extend(first.map(str::to_owned));
        } else {
            let cves = aliases.iter().chain(others).map(|id| bare(id)).filter(is_cve);
            main.extend(cves.map(str::to_owned));
            main.sort();
            main.dedup();
        }
        let own = std::iter::once(id.to_owned());
        let is_advisory = |id: &&String| id.starts_with("DSA-") || id.starts_with("DLA-");
        let names = own.chain(aliases.iter().cloned()).chain(others.iter().filter(is_advisory).cloned());
        let aliases = names.filter(|name| !main.contains(name) && !main.iter().any(|id| id == bare(name)));
        Self { aliases: aliases.collect(), main }
    }

    /// Facts of an advisory on many vulnerabilities are its own.
    pub(super) fn fact_id<'a>(&'a self, own: &'a str) -> &'a str {
        match self.main.as_slice() {
            [one] => one,
            _ => own,
        }
    }
}

/// `DEBIAN-CVE-2024-1` is a distribution's record on `CVE-2024-1`.
fn bare(id: &str) -> &str {
    match id.find("CVE-") {
        Some(start) if start > 0 && id.get(..start).is_some_and(|prefix| prefix.ends_with('-')) => {
            id.get(start..).unwrap_or(id)
        }
        _ => id,
    }
}

fn fill_versions(record: &mut Record, affected: &OsvAffected) {
    let scheme = record.ecosystem.scheme();
    let ranges = affected.ranges.iter().flatten().filter(|range| range.kind != "GIT");
    record.ranges = ranges.flat_map(|range| intervals(scheme, range)).collect();
    let versions = affected.versions.iter().flatten();
    let listed = |version: &&String| !record.ranges.iter().any(|range| range.contains(scheme, version));
    record.versions = versions.filter(listed).cloned().collect();
    // Only what says nothing at all is about every version.
    if record.ranges.is_empty() && affected.versions.as_ref().is_none_or(Vec::is_empty) {
        let has_ranges = affected.ranges.as_ref().is_some_and(|ranges| !ranges.is_empty());
        if !has_ranges {
            record.ranges.push(Range::all());
        }
    }
}

fn own_severity(family: Family, affected: &OsvAffected) -> Option<amint_types::Severity> {
    let words = [
        affected.ecosystem_specific.get("urgency"),
        affected.ecosystem_specific.get("severity"),
        affected.database_specific.get("severity"),
    ];
    let word = words.into_iter().flatten().find_map(Value::as_str).and_then(severity_of_word);
    if word.is_some() || !matches!(family, Family::Ubuntu | Family::UbuntuPro) {
        return word;
    }
    let own = affected.severity.iter().flatten().find(|severity| severity.kind == "Ubuntu");
    own.and_then(|severity| severity_of_word(severity.score.as_str()?))
}

fn flags(family: Family, id: &str, affected: &OsvAffected) -> Flags {
    let mut flags = Flags::default();
    if matches!(family, Family::Debian | Family::Ubuntu | Family::UbuntuPro | Family::Alpine) {
        flags = flags.with(Flags::SOURCE);
        if bare(id).starts_with("CVE-") {
            flags = flags.with(Flags::STATE);
        }
    }
    match affected.ecosystem_specific.get("urgency").and_then(Value::as_str) {
        Some("unimportant") => flags.with(Flags::UNIMPORTANT),
        Some("end-of-life") => flags.with(Flags::END_OF_LIFE),
        _ => flags,
    }
}

/// `AlmaLinux` and Rocky name the module stream in the title only: `Important: nodejs:18 security update`.
fn module(family: Family, title: Option<&str>, affected: &OsvAffected) -> Option<String> {
    if !matches!(family, Family::AlmaLinux | Family::Rocky | Family::RedHat) {
        return None;
    }
    let mut events = affected.ranges.iter().flatten().flat_map(|range| &range.events);
    let is_modular = |version: &String| version.contains(".module");
    events.any(|event| event.fixed.as_ref().is_some_and(is_modular)).then(|| module_in(title?)).flatten()
}

/// Finds `name:stream` in a title.
pub(super) fn module_in(title: &str) -> Option<String> {
    let is_good = |part: &str| {
        !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
    };
    let word = title
        .split_whitespace()
        .find(|word| word.split_once(':').is_some_and(|(name, stream)| is_good(name) && is_good(stream)))?;
    Some(word.to_owned())
}

/// The newest version of CVSS counts.
fn best_score(severities: &[OsvSeverity]) -> Option<u8> {
    ["CVSS_V4", "CVSS_V3", "CVSS_V2"].iter().find_map(|kind| {
        let severity = severities.iter().find(|severity| severity.kind == *kind)?;
        cvss_tenths(severity.score.as_str()?)
    })
}
