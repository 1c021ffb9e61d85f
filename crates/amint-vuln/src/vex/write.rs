//! Documents, as they are written: what amint itself found out about findings.

use amint_types::scan::{FindingKind, ScanFinding};
use jiff::Timestamp;
use serde::Serialize;

use crate::matching::lowering as reasons;

/// A document to be written.
#[derive(Clone, Debug, Serialize)]
pub struct VexDocument {
    #[serde(rename = "@context")]
    context: &'static str,
    #[serde(rename = "@id")]
    id: String,
    author: String,
    timestamp: Timestamp,
    version: u32,
    tooling: &'static str,
    statements: Vec<VexStatement>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct VexStatement {
    vulnerability: Name,
    products: Vec<Id>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    justification: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    impact_statement: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status_notes: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action_statement: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Name {
    name: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Id {
    #[serde(rename = "@id")]
    id: String,
}

impl VexDocument {
    /// Returns how many statements it has.
    pub fn statement_count(&self) -> usize {
        self.statements.len()
    }

    /// Writes the JSON form, with an end of line.
    pub fn to_json(&self) -> Vec<u8> {
        // Plain text and numbers only: nothing of it can fail to be written.
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }
}

/// Makes statements of findings that were lowered or do not apply, each with the reason.
///
/// Only what cannot be attacked is said to be not affected; a kernel that can be chosen in the boot menu, and what a
/// distribution calls unimportant, are affected with a note. `id` is the document's IRI.
pub fn statements_of(findings: &[ScanFinding], id: &str, author: &str, timestamp: Timestamp) -> VexDocument {
    let of_vulnerability = findings.iter().filter(|finding| finding.kind == FindingKind::Vulnerability);
    VexDocument {
        context: "https://openvex.dev/ns/v0.2.0",
        id: id.to_owned(),
        author: author.to_owned(),
        timestamp,
        version: 1,
        tooling: "amint",
        statements: of_vulnerability.filter_map(statement).collect(),
    }
}

fn statement(finding: &ScanFinding) -> Option<VexStatement> {
    let purl = finding.purl.clone()?;
    let mut statement = VexStatement {
        vulnerability: Name { name: finding.rule.clone(), aliases: finding.aliases.clone() },
        products: vec![Id { id: purl }],
        status: "not_affected",
        justification: None,
        impact_statement: None,
        status_notes: None,
        action_statement: None,
    };
    if let Some(reason) = &finding.not_affected {
        statement.impact_statement = Some(reason.clone());
        return Some(statement);
    }
    let reason = &finding.lowered.as_ref()?.reason;
    if [reasons::NO_CODE, reasons::NO_KERNEL, reasons::DENIED].contains(&reason.as_str()) {
        statement.justification = Some("vulnerable_code_not_present");
        statement.impact_statement = Some(reason.clone());
    } else {
        statement.status = "affected";
        statement.status_notes = Some(reason.clone());
        let nothing = || "no fix is known".to_owned();
        statement.action_statement = Some(finding.fix.clone().unwrap_or_else(nothing));
    }
    Some(statement)
}
