//! Marks findings that a statement says do not apply.

use std::collections::HashMap;

use amint_types::scan::{FindingKind, ScanFinding};

use super::model::{OpenVex, Statement, VexStatus};

/// Marks findings; of several statements on one, the latest counts.
///
/// A statement is about a package URL: type, namespace and name must be the same, the version and each qualifier only
/// where the statement has them. One without any package URL is about nothing.
pub fn apply(documents: &[OpenVex], findings: &mut [ScanFinding]) {
    let mut by_id: HashMap<&str, Vec<&Statement>> = HashMap::new();
    for statement in documents.iter().flat_map(|document| &document.statements) {
        for id in &statement.ids {
            by_id.entry(id).or_default().push(statement);
        }
    }
    for finding in findings.iter_mut().filter(|finding| finding.kind == FindingKind::Vulnerability) {
        let Some(purl) = finding.purl.as_deref() else { continue };
        let ids = std::iter::once(&finding.rule).chain(&finding.aliases);
        let statements = ids.filter_map(|id| by_id.get(id.as_str())).flatten();
        let matching =
            statements.filter(|statement| statement.products.iter().any(|product| covers(product, purl)));
        // The later one of two with the same time: documents are given in order.
        let Some(latest) = matching.max_by_key(|statement| statement.time) else { continue };
        let word = match latest.status {
            VexStatus::NotAffected => "not affected",
            VexStatus::Fixed => "fixed",
            VexStatus::Affected | VexStatus::UnderInvestigation => continue,
        };
        let reason =
            if latest.reason.is_empty() { word.to_owned() } else { format!("{word}: {}", latest.reason) };
        finding.not_affected = Some(reason);
    }
}

/// Tells whether the package URL of a statement means that of a package.
fn covers(statement: &str, package: &str) -> bool {
    let (wanted, found) = (split(statement), split(package));
    let has_version = wanted.version.is_none() || wanted.version == found.version;
    wanted.path == found.path
        && has_version
        && wanted.qualifiers.iter().all(|qualifier| found.qualifiers.contains(qualifier))
}

struct Purl<'a> {
    path: &'a str,
    version: Option<String>,
    qualifiers: Vec<&'a str>,
}

fn split(purl: &str) -> Purl<'_> {
    let purl = purl.split_once('#').map_or(purl, |(purl, _)| purl);
    let (rest, qualifiers) = purl.split_once('?').unwrap_or((purl, ""));
    // The `@` of an npm scope is written `%40`.
    let (path, version) = match rest.rsplit_once('@') {
        Some((path, version)) => (path, Some(decode(version))),
        None => (rest, None),
    };
    Purl { path, version, qualifiers: qualifiers.split('&').filter(|part| !part.is_empty()).collect() }
}

/// Versions are percent-encoded by some and not by others.
fn decode(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let code = (byte == b'%').then(|| digit(ahead.next()).zip(digit(ahead.next()))).flatten();
        match code.and_then(|(high, low)| u8::try_from(high * 16 + low).ok()) {
            Some(code) => {
                decoded.push(code);
                bytes = ahead;
            }
            None => decoded.push(byte),
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}
