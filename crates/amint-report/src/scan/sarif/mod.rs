//! SARIF 2.1.0 (OASIS standard, errata 01), for code scanning and editors.
//!
//! A scan whose evidence is missing or stale says so as a failed invocation with notifications: a log without
//! results would else read as "nothing found". Paths are relative to the root of the image, which has no address of
//! its own.

mod message;
mod model;
mod notifications;
mod results;
mod rules;

use std::collections::BTreeMap;

use amint_types::scan::ScanDocument;
use serde_json::{Value, json};

use super::names::percent_encoded;
use super::text::{is_incomplete, line};
use crate::json::indented;
use model::{AutomationDetails, BaseLocation, Driver, Invocation, Log, Message, Run, SCHEMA, Tool, VERSION};

/// The name that stands for the root of the image's file system.
const BASE_ID: &str = "IMAGEROOT";

/// Writes a scan as a SARIF 2.1.0 log with one run, as indented JSON with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn sarif(document: &ScanDocument) -> String {
    let rules = rules::rules(document);
    let results = results::results(document, &rules);
    let run = Run {
        tool: Tool {
            driver: Driver {
                name: "amint",
                version: line(&document.tool_version),
                rules,
                notifications: notifications::descriptors(),
            },
        },
        automation_details: AutomationDetails {
            id: format!("amint/scan/{}/", percent_encoded(&document.target.name)),
        },
        invocations: vec![Invocation {
            execution_successful: !is_incomplete(document),
            end_time_utc: document.scanned_at.to_string(),
            tool_execution_notifications: notifications::notifications(document),
        }],
        original_uri_base_ids: BTreeMap::from([(
            BASE_ID,
            BaseLocation { description: Message::new("The root of the file systems of the image.") },
        )]),
        column_kind: "unicodeCodePoints",
        results,
        properties: properties(document),
    };
    indented(&Log { schema: SCHEMA, version: VERSION, runs: vec![run] })
}

/// A sorted map: the order of `serde_json`'s own objects depends on features that other crates switch on.
fn properties(document: &ScanDocument) -> BTreeMap<&'static str, Value> {
    let data: BTreeMap<&str, String> =
        document.data.iter().map(|source| (source.source.as_str(), source.date.to_string())).collect();
    let mut properties = BTreeMap::from([
        ("amint:verdict", json!(document.verdict.as_str())),
        ("amint:gate", json!(document.gate.as_str())),
        ("amint:target", json!(document.target.name)),
        ("amint:data", json!(data)),
    ]);
    properties.extend(document.target.digest.map(|digest| ("amint:digest", json!(digest.to_string()))));
    properties
}
