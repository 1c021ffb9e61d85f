//! What is written is held against the published schema of its format.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as the tests themselves do")]

mod support {
    pub(crate) mod scan;
}

use amint_report::scan::{cyclonedx, sarif, scan_json, scan_schema, spdx};
use amint_types::scan::ScanDocument;
use schemars::generate::SchemaSettings;
use serde_json::Value;
use support::scan::{empty, hostile, large, rich};

fn documents() -> [(&'static str, ScanDocument); 4] {
    [("empty", empty()), ("rich", rich()), ("hostile", hostile()), ("large", large())]
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

/// Validates with formats checked; nothing is fetched, since every schema that is referred to is given.
fn assert_valid(schema: &str, others: &[(&str, &str)], write: impl Fn(&ScanDocument) -> String) {
    let mut registry = jsonschema::Registry::new();
    for (address, text) in others {
        registry = registry.add(*address, parsed(text)).unwrap();
    }
    let registry = registry.prepare().unwrap();
    let validator = jsonschema::options()
        .with_registry(&registry)
        .should_validate_formats(true)
        .build(&parsed(schema))
        .unwrap();
    for (name, document) in documents() {
        let value = parsed(&write(&document));
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .take(5)
            .map(|error| format!("{}: {:.200}", error.instance_path(), error.to_string()))
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
    }
}

#[test]
fn json_follows_its_own_schema() {
    assert_valid(scan_schema(), &[], scan_json);
}

#[test]
fn the_schema_is_that_of_the_model() {
    let generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut schema = generator.into_root_schema_for::<ScanDocument>();
    schema.insert("title".to_owned(), "Report of a scan of amint, format version 1".into());
    let mut text = serde_json::to_string_pretty(&sorted(schema.to_value())).unwrap();
    text.push('\n');
    if std::env::var_os("AMINT_WRITE_SCHEMA").is_some() {
        std::fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/schema/scan.schema.json"), &text).unwrap();
        return;
    }
    assert!(
        text == scan_schema(),
        "the schema is stale: run this test once with AMINT_WRITE_SCHEMA=1 and commit the result"
    );
}

/// Sorts the keys of objects, which otherwise stand as a feature of `serde_json` has them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|left, right| left.0.cmp(&right.0));
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// The published schema has one pattern (for languages, which amint does not write) with a stray bracket, which only
/// regular expressions of browsers let pass.
fn sarif_schema() -> String {
    const STRAY: &str = "[a-zA-Z]{2}]?$";
    let text = include_str!("schemas/sarif-2.1.0.schema.json");
    assert!(text.contains(STRAY));
    text.replace(STRAY, "[a-zA-Z]{2}$")
}

#[test]
fn sarif_follows_the_schema_of_oasis() {
    assert_valid(&sarif_schema(), &[], sarif);
}

#[test]
fn cyclonedx_follows_the_schema_of_ecma_424() {
    let others = [
        (
            "http://cyclonedx.org/schema/spdx.SNAPSHOT.schema.json",
            include_str!("schemas/spdx.SNAPSHOT.schema.json"),
        ),
        (
            "http://cyclonedx.org/schema/jsf-0.82.SNAPSHOT.schema.json",
            include_str!("schemas/jsf-0.82.SNAPSHOT.schema.json"),
        ),
    ];
    assert_valid(include_str!("schemas/cyclonedx-1.6.schema.json"), &others, cyclonedx);
}

#[test]
fn spdx_follows_the_schema_of_version_2_3() {
    assert_valid(include_str!("schemas/spdx-2.3.schema.json"), &[], spdx);
}

#[test]
fn a_broken_document_is_noticed_by_each_schema() {
    for (schema, text) in [
        (scan_schema(), scan_json(&rich()).replace("\"medium\"", "\"terrible\"")),
        (&sarif_schema(), sarif(&rich()).replace("\"note\"", "\"whisper\"")),
        (include_str!("schemas/spdx-2.3.schema.json"), spdx(&rich()).replace("CONTAINS", "HOLDS")),
    ] {
        assert!(!jsonschema::is_valid(&parsed(schema), &parsed(&text)));
    }
}
