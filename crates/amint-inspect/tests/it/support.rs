//! Looking into an image, and running tools.

use std::path::Path;
use std::process::Command;

use amint_inspect::image::{Image, ImageOptions, InspectError};
use amint_inspect::{InspectOptions, Inspection, JudgeOptions, inspect, judge};
use amint_types::scan::{Coverage, ScanDocument, Target};
use amint_types::{Cancel, NullSink, Severity};
use jiff::{SignedDuration, Timestamp};

/// Tells whether all tools are there, and says which is not.
pub(crate) fn has_tools(tools: &[&str]) -> bool {
    let is_missing = |tool: &&&str| {
        let folders = std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin";
        !folders.split(':').any(|folder| Path::new(folder).join(tool).exists())
    };
    match tools.iter().find(is_missing) {
        Some(tool) => {
            eprintln!("SKIPPED: needs {tool}");
            false
        }
        None => true,
    }
}

/// Runs a shell line in a folder; a failure ends the test.
pub(crate) fn sh(folder: &Path, line: &str) {
    let output = Command::new("sh")
        .args(["-ec", line])
        .current_dir(folder)
        .env("PATH", std::env::var("PATH").unwrap_or_default() + ":/usr/sbin:/sbin")
        .env("MTOOLS_SKIP_CHECK", "1")
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
}

/// The moment of every scan.
pub(crate) fn now() -> Timestamp {
    "2026-01-15T00:00:00Z".parse().unwrap()
}

pub(crate) fn options(threads: usize) -> InspectOptions {
    InspectOptions { now: now(), threads, skipped: Vec::new(), tool_version: "0".to_owned() }
}

/// Looks into an open image and judges it without advisories and rules.
pub(crate) fn look_at(image: &Image, threads: usize) -> Inspection {
    let target = Target {
        name: "image".to_owned(),
        format: image.format.clone(),
        disk_bytes: image.disk_bytes,
        digest: None,
    };
    let mut inspection = inspect(image, target, &options(threads), &NullSink, &Cancel::new()).unwrap();
    let options = JudgeOptions {
        gate: Severity::High,
        age_max: SignedDuration::from_hours(24),
        with_advisories: false,
        statements: &[],
        rules: None,
        suites: None,
        waivers: &[],
        today: jiff::civil::date(2026, 11, 26),
        baseline: None,
    };
    judge(&mut inspection, None, &options, &NullSink).unwrap();
    inspection
}

pub(crate) fn open(path: &Path) -> Result<Image, InspectError> {
    Image::open(path, &ImageOptions::default())
}

/// Looks into what lies at a path.
pub(crate) fn look(path: &Path) -> ScanDocument {
    look_at(&open(path).unwrap(), 2).document
}

/// Returns the document without what the container may change: its name and form, and how its parts are called.
pub(crate) fn inventory(document: &ScanDocument) -> String {
    let mut value = serde_json::to_value(document).unwrap();
    for key in ["target", "coverage"] {
        value.as_object_mut().unwrap().remove(key);
    }
    // Only disks have free space.
    value["analyzers"].as_array_mut().unwrap().retain(|run| run["id"] != "free-space");
    if let Some(rules) = value["rules"].as_array_mut() {
        rules.retain(|rule| rule["rule"] != "SEC-010");
    }
    serde_json::to_string_pretty(&value).unwrap()
}

/// Returns what covers a part whose label begins so.
pub(crate) fn part<'a>(document: &'a ScanDocument, label: &str) -> &'a Coverage {
    let found = document.coverage.iter().find(|part| part.partition.starts_with(label));
    found.unwrap_or_else(|| panic!("{label}: {:#?}", document.coverage))
}
