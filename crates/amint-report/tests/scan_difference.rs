//! What two scans differ in, as a reader and a merge request get it.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as the tests themselves do")]

mod support {
    pub(crate) mod scan;
}

use amint_report::scan::{difference, difference_json, difference_markdown};
use amint_types::Severity;
use amint_types::scan::{PackageKind, ScanDocument};
use amint_types::scan_difference::{Changes, ScanDifference};
use support::scan::{HOSTILE, empty, hostile, large, package, rich, vulnerability};

#[expect(clippy::assigning_clones, reason = "assignments read better in a test")]
fn changed() -> ScanDocument {
    let mut new = rich();
    new.packages.retain(|package| package.name != "bash");
    for package in &mut new.packages {
        if package.name == "curl" {
            package.version = "8.14.1-3".to_owned();
        }
    }
    let mut wget = new.packages[0].clone();
    wget.name = "wget".to_owned();
    new.packages.push(wget);
    new.users[1].shell = "/usr/sbin/nologin".to_owned();
    new.services[0].ports.push("tcp/8080".to_owned());
    new.certificates.remove(0);
    new.modified_files[0].change = "missing".to_owned();
    new.kernels.pop();
    new.privileged[0].mode = "0755".to_owned();
    for finding in &mut new.findings {
        match finding.rule.as_str() {
            // The package was updated and is still affected: the id changes, the finding does not.
            "CVE-2026-4444" => {
                finding.id = "CVE-2026-4444/curl/8.14.1-3".to_owned();
                finding.version = Some("8.14.1-3".to_owned());
            }
            "SSH-001" => finding.severity = Severity::Low,
            _ => {}
        }
    }
    new.findings.retain(|finding| finding.rule != "CVE-2026-1111");
    new.findings.push(vulnerability("CVE-2026-5555", Severity::High, "wget", "1"));
    new.sort();
    new
}

fn lengths<T, C>(changes: &Changes<T, C>) -> [usize; 3] {
    [changes.new.len(), changes.gone.len(), changes.changed.len()]
}

#[test]
fn a_difference_tells_what_came_went_and_changed() {
    let difference = difference(&rich(), &changed());
    assert_eq!(lengths(&difference.packages), [1, 1, 1]);
    assert_eq!(difference.packages.changed[0].old_version, "8.14.1-2");
    assert_eq!(difference.packages.changed[0].new_version, "8.14.1-3");
    assert_eq!(lengths(&difference.findings), [1, 1, 1]);
    assert_eq!(difference.findings.changed[0].new.rule, "SSH-001");
    assert_eq!(lengths(&difference.users), [0, 0, 1]);
    assert_eq!(lengths(&difference.services), [0, 0, 1]);
    assert_eq!(difference.ports.new[0].port, "tcp/8080");
    assert_eq!(lengths(&difference.kernels), [0, 1, 0]);
    assert_eq!(lengths(&difference.certificates), [0, 1, 0]);
    assert_eq!(lengths(&difference.modified_files), [0, 0, 1]);
    assert_eq!(lengths(&difference.privileged), [0, 0, 1]);
    assert_eq!(difference.count(), 13);
    let read: ScanDifference = serde_json::from_str(&difference_json(&difference)).unwrap();
    assert_eq!(read, difference);
    let text = difference_markdown(&difference);
    for part in ["## New findings (1)", "8.14.1-2 | 8.14.1-3", "tcp/8080", "4755 0&#58;0 → 0755 0&#58;0"] {
        assert!(text.contains(part), "`{part}` is missing in\n{text}");
    }
}

#[test]
fn two_scans_of_the_same_image_differ_in_nothing() {
    let mut later = rich();
    later.scanned_at = "2026-10-09T00:00:00Z".parse().unwrap();
    let difference = difference(&rich(), &later);
    assert!(difference.is_empty());
    assert!(difference_markdown(&difference).contains("Nothing differs."));
}

#[test]
fn several_versions_of_one_package_are_not_confused() {
    let mut old = empty();
    let kernel = |version: &str| package(PackageKind::Rpm, "kernel", version, "/var/lib/rpm/rpmdb.sqlite");
    old.packages = vec![kernel("6.1.1"), kernel("6.1.2")];
    let mut new = empty();
    new.packages = vec![kernel("6.1.2"), kernel("6.1.3"), kernel("6.1.4")];
    let difference = difference(&old, &new).packages;
    assert_eq!(difference.changed.len(), 1);
    assert_eq!(difference.changed[0].old_version, "6.1.1");
    assert_eq!(difference.changed[0].new_version, "6.1.3");
    assert_eq!(difference.new[0].version, "6.1.4");
}

#[test]
fn hostile_text_makes_no_markup_in_markdown() {
    let text = difference_markdown(&difference(&empty(), &hostile()));
    for markup in ["<script", "](http", "`x`", "http://"] {
        assert!(!text.contains(markup), "`{markup}`");
    }
    let is_whole = |line: &str| !line.starts_with('|') || line.ends_with('|');
    assert!(text.lines().all(is_whole), "a line end in a name would break its row");
    assert!(HOSTILE.contains('|') && text.contains("\\|"));
}

#[test]
fn markdown_of_a_large_difference_stays_short_and_counts_the_rest() {
    let text = difference_markdown(&difference(&empty(), &large()));
    assert!(text.lines().count() < 500, "{} lines", text.lines().count());
    assert!(text.contains("## New packages (2000)"));
    assert!(text.contains("… and 1900 more."));
}
