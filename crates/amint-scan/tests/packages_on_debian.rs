//! What the rules about packages and rights say of a stock Debian tree, and how long reading its licences takes.
//!
//! Needs a bootstrapped tree: name it in `AMINT_TEST_DEBIAN_TREE`.

use std::path::Path;
use std::time::{Duration, Instant};

use amint_disk::tree::DirTree;
use amint_scan::{Profile, ScanRequest, scan, source_manifest};
use amint_types::report::{RuleOutcome, ScanReport};
use amint_types::{NullSink, Severity};

/// How long reading all databases and licences may take: a tenth of a second, and leave for a busy machine.
const READING_MAX: Duration = Duration::from_secs(2);

fn request() -> ScanRequest {
    ScanRequest {
        profiles: vec![Profile::Marketplace, Profile::SharedLinux, Profile::Hardened],
        waivers: Vec::new(),
        today: jiff::civil::date(2026, 11, 23),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
        rights: Vec::new(),
    }
}

fn told(report: &ScanReport, gate: Severity) -> Vec<String> {
    let ours = report.rules.iter().filter(|rule| {
        ["VUL-", "EOL-", "RES-"].iter().any(|start| rule.rule.starts_with(start)) && rule.severity >= gate
    });
    let failed = ours
        .filter(|rule| matches!(rule.outcome, RuleOutcome::Fail { .. } | RuleOutcome::NotEvaluated { .. }));
    failed.map(|rule| format!("{} {:?}", rule.rule, rule.outcome)).collect()
}

#[test]
fn a_stock_debian_tree_has_whole_packages_that_may_be_passed_on() {
    let Ok(stock) = std::env::var("AMINT_TEST_DEBIAN_TREE") else {
        eprintln!("SKIPPED: AMINT_TEST_DEBIAN_TREE names no tree");
        return;
    };
    let tree = DirTree::open(Path::new(&stock)).unwrap();
    let report = scan(&tree, &request(), &NullSink).unwrap();
    let found = told(&report, Severity::Medium);
    assert!(found.is_empty(), "{}", found.join("\n"));
    eprintln!("told at lower severities: {}", told(&report, Severity::Info).join("\n"));

    let started = Instant::now();
    let manifest = source_manifest(&tree, &request(), None).unwrap();
    let elapsed = started.elapsed();
    eprintln!("{} sources to offer, read in {} ms", manifest.sources.len(), elapsed.as_millis());
    assert!(manifest.sources.iter().any(|offer| offer.source == "bash"));
    assert!(elapsed < READING_MAX, "{elapsed:?}");
}
