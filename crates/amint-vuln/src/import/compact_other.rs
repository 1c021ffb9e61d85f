//! The compact lines of feeds that are no OSV.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::compact::{facts, text, texts};
use super::debian_archive::{put_changelog, put_suite};
use super::osv::Ids;
use super::osv_ranges::{OsvEvent, OsvRange, intervals};
use super::ssvc::exploitation;
use super::{ImportError, Sink, alpine};
use crate::ecosystem::{Ecosystem, Family, debian_release};
use crate::record::{Flags, Range, Record};
use crate::scores::severity_of_word;
use crate::versions::Scheme;

/// `{suite, n, src: {package: version}}`.
pub(super) fn suite(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let suite = text(line, "suite").unwrap_or_default();
    let codename = suite.split('-').next().unwrap_or(suite);
    let ecosystem = Ecosystem::new(Family::Debian, debian_release(codename).unwrap_or(codename));
    let versions = line.get("src").and_then(Value::as_object).into_iter().flatten();
    let versions: BTreeMap<String, String> =
        versions.filter_map(|(name, version)| Some((name.clone(), version.as_str()?.to_owned()))).collect();
    put_suite(&ecosystem, suite, &versions, sink)
}

/// `{rel, src, v, cve, neg}`.
pub(super) fn changelog(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let (Some(codename), Some(package), Some(version)) =
        (text(line, "rel"), text(line, "src"), text(line, "v"))
    else {
        sink.skip();
        return Ok(());
    };
    let ecosystem = Ecosystem::new(Family::Debian, debian_release(codename).unwrap_or(codename));
    put_changelog(&ecosystem, package, version, &texts(line, "cve"), &texts(line, "neg"), sink)
}

/// `{id, os, repo, sev, cve, fixed: {evr: [names]}}`.
pub(super) fn amazon(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let id = text(line, "id").unwrap_or_default();
    let release = text(line, "os").unwrap_or_default().trim_start_matches("AL");
    let ecosystem = Ecosystem::new(Family::Amazon, release);
    for (version, names) in line.get("fixed").and_then(Value::as_object).into_iter().flatten() {
        for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
            let mut record = Record::new(ecosystem.clone(), name, id);
            record.vulnerabilities = texts(line, "cve");
            record.aliases.push(id.to_owned());
            record.ranges.push(Range::before(version));
            record.severity = text(line, "sev").and_then(severity_of_word);
            record.repository = text(line, "repo").filter(|name| *name != "core").map(str::to_owned);
            sink.record(record)?;
        }
    }
    sink.facts(id, facts(line))
}

/// `{rel, repo, p, fix: {version: [ids]}}`.
pub(super) fn secdb(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let field = |name: &str| text(line, name).unwrap_or_default();
    for (version, ids) in line.get("fix").and_then(Value::as_object).into_iter().flatten() {
        let ids: Vec<String> =
            ids.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        alpine::put(field("rel"), field("repo"), field("p"), version, &ids, sink)?;
    }
    Ok(())
}

/// `{id, pri, aff: {release: {package: "<v" or a state}}}`.
pub(super) fn ubuntu(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let id = text(line, "id").unwrap_or_default();
    for (name, packages) in line.get("aff").and_then(Value::as_object).into_iter().flatten() {
        let (pocket, codename) = name.split_once('/').unwrap_or(("", name));
        let release = match codename {
            "focal" => "20.04",
            "jammy" => "22.04",
            "noble" => "24.04",
            _ => {
                sink.skip();
                continue;
            }
        };
        let family = if pocket.starts_with("esm") { Family::UbuntuPro } else { Family::Ubuntu };
        for (package, state) in packages.as_object().into_iter().flatten() {
            let state = state.as_str().unwrap_or_default();
            let mut record = Record::new(Ecosystem::new(family, release), package, id);
            record.flags = Flags::SOURCE.with(Flags::STATE);
            record.severity = text(line, "pri").and_then(severity_of_word);
            record.ranges.push(state.strip_prefix('<').map_or_else(Range::all, Range::before));
            if state == "deferred" {
                record.flags = record.flags.with(Flags::POSTPONED);
            }
            sink.record(record)?;
        }
    }
    sink.facts(id, facts(line))
}

/// `{id, al, withdrawn, aff: [[package, events]]}`.
pub(super) fn pypa(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let id = text(line, "id").unwrap_or_default();
    if line.get("withdrawn") == Some(&Value::Bool(true)) {
        sink.skip();
        return Ok(());
    }
    for affected in line.get("aff").and_then(Value::as_array).into_iter().flatten() {
        let package = affected.get(0).and_then(Value::as_str);
        let events = affected.get(1).cloned().map(serde_json::from_value::<Vec<OsvEvent>>);
        let (Some(package), Some(Ok(events))) = (package, events) else {
            sink.skip();
            continue;
        };
        let mut record = Record::new(Ecosystem::new(Family::Pypi, ""), package, id);
        record.ranges = intervals(Scheme::Pep440, &OsvRange { kind: String::new(), events });
        let ids = Ids::new(Family::Pypi, id, &texts(line, "al"), &[]);
        (record.vulnerabilities, record.aliases) = (ids.main, ids.aliases);
        sink.record(record)?;
    }
    Ok(())
}

/// `{id, cvss, x, kev}`.
pub(super) fn vulnrichment(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let mut facts = facts(line);
    facts.exploitation = text(line, "x").and_then(exploitation);
    facts.is_listed_exploited =
        line.get("kev").is_some_and(|kev| !matches!(kev, Value::Null | Value::Bool(false)));
    sink.facts(text(line, "id").unwrap_or_default(), facts)
}
