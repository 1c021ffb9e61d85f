//! The compact JSON lines in which amint's test data lie: many feeds, trimmed, in one form each.
//!
//! For tests and demonstrations only; no publisher writes these.

use serde_json::{Map, Value};

use super::osv::{Ids, module_in};
use super::{ImportError, Sink, compact_other};
use crate::ecosystem::{Ecosystem, Family};
use crate::record::{Facts, Flags, Range, RangeEnd, Record};
use crate::scores::{cvss_tenths, severity_of_word};

/// Reads one line, by what it has.
#[expect(clippy::needless_pass_by_value, reason = "all visitors of documents take them")]
pub(super) fn import(line: Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let has = |name: &str| line.contains_key(name);
    if has("src") && has("suite") {
        return if has("n") {
            compact_other::suite(&line, sink)
        } else {
            compact_other::changelog(&line, sink)
        };
    }
    if has("fixed") && has("os") {
        return compact_other::amazon(&line, sink);
    }
    if has("fix") && has("rel") && has("p") {
        return compact_other::secdb(&line, sink);
    }
    if has("pri") {
        return compact_other::ubuntu(&line, sink);
    }
    match line.get("aff") {
        Some(Value::Object(_)) => by_ecosystem(&line, sink),
        Some(Value::Array(affected)) if affected.iter().all(Value::is_object) => by_list(&line, sink),
        Some(Value::Array(_)) => compact_other::pypa(&line, sink),
        None if has("x") || has("kev") => compact_other::vulnrichment(&line, sink),
        _ => {
            sink.skip();
            Ok(())
        }
    }
}

pub(super) fn text<'a>(line: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    line.get(name).and_then(Value::as_str)
}

pub(super) fn texts(line: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = line.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

pub(super) fn facts(line: &Map<String, Value>) -> Facts {
    Facts {
        title: text(line, "t").map(str::to_owned),
        severity: text(line, "sev").and_then(severity_of_word),
        cvss_tenths: text(line, "cvss").and_then(cvss_tenths),
        aliases: texts(line, "al"),
        ..Facts::default()
    }
}

/// Debian's and Alpine's OSV: `aff: [{e, p, fixed?, intro?, u?}]`.
fn by_list(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let id = text(line, "id").unwrap_or_default();
    let others = texts(line, "rel");
    for affected in
        line.get("aff").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object)
    {
        let ecosystem = text(affected, "e").and_then(Ecosystem::from_osv);
        let (Some((ecosystem, _)), Some(package)) = (ecosystem, text(affected, "p")) else {
            sink.skip();
            continue;
        };
        let mut record = Record::new(ecosystem.clone(), package, id);
        let ids = Ids::new(ecosystem.family(), id, &texts(line, "al"), &others);
        (record.vulnerabilities, record.aliases) = (ids.main, ids.aliases);
        let introduced = text(affected, "intro").filter(|version| *version != "0").map(str::to_owned);
        let end =
            text(affected, "fixed").map_or(RangeEnd::Open, |version| RangeEnd::Fixed(version.to_owned()));
        record.ranges.push(Range { introduced, end });
        record.flags = Flags::SOURCE;
        if id.starts_with("CVE-") {
            record.flags = record.flags.with(Flags::STATE);
        }
        match text(affected, "u") {
            Some("unimportant") => record.flags = record.flags.with(Flags::UNIMPORTANT),
            Some("end-of-life") => record.flags = record.flags.with(Flags::END_OF_LIFE),
            _ => {}
        }
        record.severity = text(affected, "u").and_then(severity_of_word);
        sink.record(record)?;
    }
    sink.facts(id, facts(line))
}

/// All others: `aff: {ecosystem: {package: ranges}}`.
fn by_ecosystem(line: &Map<String, Value>, sink: &mut Sink<'_>) -> Result<(), ImportError> {
    let id = text(line, "id").unwrap_or_default();
    let (aliases, others) = (texts(line, "al"), texts(line, "rel"));
    let mut fact_id = id.to_owned();
    for (name, packages) in line.get("aff").and_then(Value::as_object).into_iter().flatten() {
        let Some((ecosystem, repository)) = Ecosystem::from_osv(name) else {
            sink.skip();
            continue;
        };
        let family = ecosystem.family();
        for (package, ranges) in packages.as_object().into_iter().flatten() {
            let mut record = Record::new(ecosystem.clone(), package, id);
            let ids = Ids::new(family, id, &aliases, &others);
            ids.fact_id(id).clone_into(&mut fact_id);
            (record.vulnerabilities, record.aliases) = (ids.main, ids.aliases);
            record.ranges = self::ranges(ranges);
            record.versions = ranges.as_object().map(|ranges| texts(ranges, "v")).unwrap_or_default();
            record.repository.clone_from(&repository);
            let is_modular = record
                .ranges
                .iter()
                .any(|range| matches!(&range.end, RangeEnd::Fixed(version) if version.contains(".module")));
            if is_modular && matches!(family, Family::AlmaLinux | Family::Rocky | Family::RedHat) {
                record.module = text(line, "t").and_then(module_in);
            }
            // AlmaLinux and Rocky have the severity in the title: `Important: openssh security update`.
            let word = text(line, "t").and_then(|title| title.split(':').next());
            record.severity = word.and_then(severity_of_word);
            sink.record(record)?;
        }
    }
    sink.facts(&fact_id, facts(line))
}

/// Reads `"<v"`, `["first", "<v"]`, `["first"]`, or a list of such.
pub(super) fn ranges(value: &Value) -> Vec<Range> {
    let end = |text: &str| {
        if let Some(version) = text.strip_prefix("<=") {
            RangeEnd::LastAffected(version.to_owned())
        } else if let Some(version) = text.strip_prefix('<') {
            RangeEnd::Fixed(version.to_owned())
        } else {
            RangeEnd::Open
        }
    };
    let start = |text: &str| (!text.starts_with('<') && text != "0" && text != "*").then(|| text.to_owned());
    match value {
        Value::String(text) => vec![Range { introduced: start(text), end: end(text) }],
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            match words[..] {
                [first, last] if items.len() == 2 && !first.starts_with('<') => {
                    vec![Range { introduced: start(first), end: end(last) }]
                }
                _ => items.iter().flat_map(ranges).collect(),
            }
        }
        _ => Vec::new(),
    }
}
