//! Databases, packages and systems for the tests.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "each test file uses a part of it, and only tests do"
)]

use std::path::PathBuf;

use amint_types::scan::{OperatingSystem, PackageKind, ScanFinding, ScannedPackage, SupportState};
use amint_vuln::{Builder, Database, ImporterKind, Input, MatchContext, MatchReport, Matcher, Trust};
use jiff::Timestamp;

pub fn date(text: &str) -> Timestamp {
    format!("{text}T00:00:00Z").parse().unwrap()
}

pub fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// The names of the fixtures with the dates of their sources.
pub const FIXTURES: [(&str, &str); 15] = [
    ("debian_osv_cve", "2025-02-12"),
    ("debian_osv_dsa_dla", "2025-02-12"),
    ("debian_suites", "2026-11-21"),
    ("debian_changelog_fixes", "2026-11-19"),
    ("almalinux", "2026-08-21"),
    ("redhat", "2025-02-18"),
    ("amazon", "2025-02-14"),
    ("suse", "2025-02-13"),
    ("ubuntu", "2024-08-09"),
    ("alpine_secdb", "2025-01-04"),
    ("alpine_osv_cve", "2025-01-03"),
    ("vulnrichment", "2024-10-24"),
    ("ghsa_npm", "2025-02-18"),
    ("ghsa_maven", "2025-02-14"),
    ("ghsa_pip", "2025-02-10"),
];

pub fn add_fixtures<'a>(builder: &mut Builder, names: impl Iterator<Item = &'a (&'a str, &'a str)>) {
    for (name, day) in names {
        let input = Input::File(fixture(&format!("{name}.jsonl.zst")));
        let counts = builder.add(name, date(day), &ImporterKind::Compact, input).unwrap();
        assert!(counts.records + counts.facts + counts.others > 0, "{name}");
    }
    builder
        .add("kev", date("2026-08-07"), &ImporterKind::Kev, Input::File(fixture("cisa_kev.json.zst")))
        .unwrap();
}

pub fn bytes(builder: Builder) -> Vec<u8> {
    let mut bytes = Vec::new();
    builder.write(&mut bytes, None).unwrap();
    bytes
}

pub fn open(builder: Builder) -> Database {
    Database::from_source(Box::new(bytes(builder)), Trust::Anyone).unwrap()
}

pub fn all() -> Database {
    let mut builder = Builder::new();
    add_fixtures(&mut builder, FIXTURES.iter());
    open(builder)
}

pub fn package(kind: PackageKind, name: &str, version: &str, source: Option<&str>) -> ScannedPackage {
    ScannedPackage {
        kind,
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: None,
        source: source.map(str::to_owned),
        source_version: None,
        module: None,
        vendor: None,
        repository: None,
        licenses: Vec::new(),
        path: "/var/lib/packages".to_owned(),
        owner: None,
        purl: format!("pkg:{}/x/{name}@{version}?arch=amd64", kind.as_str()),
        has_code: Some(true),
    }
}

pub fn deb(name: &str, version: &str, source: &str) -> ScannedPackage {
    package(PackageKind::Deb, name, version, Some(source))
}

pub fn system(id: &str, version: &str) -> OperatingSystem {
    OperatingSystem {
        id: id.to_owned(),
        version_id: Some(version.to_owned()),
        codename: None,
        name: format!("{id} {version}"),
        like: Vec::new(),
        architecture: None,
        support: SupportState::Supported,
        support_ends: None,
        long_term_support_ends: None,
    }
}

pub fn run(database: &Database, system: (&str, &str), packages: &[ScannedPackage]) -> MatchReport {
    run_with(database, system, packages, &MatchContext::default())
}

pub fn run_with(
    database: &Database,
    (id, version): (&str, &str),
    packages: &[ScannedPackage],
    context: &MatchContext<'_>,
) -> MatchReport {
    Matcher::open(database).match_packages(Some(&system(id, version)), packages, context).unwrap()
}

pub fn find<'a>(report: &'a MatchReport, rule: &str) -> Option<&'a ScanFinding> {
    report.findings.iter().find(|finding| finding.rule == rule)
}
