//! A stock Debian tree is refused, hardened, and then accepted.
//!
//! Needs a bootstrapped tree with openssh-server, sudo and cloud-init: name it in `AMINT_TEST_DEBIAN_TREE`. It
//! is copied first, and needs root for that.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;
use std::process::Command;

use amint_disk::tree::DirTree;
use amint_scan::{Profile, ScanRequest, harden, scan};
use amint_types::report::RuleOutcome;
use amint_types::{NullSink, Severity};

#[test]
fn a_stock_debian_tree_fails_before_hardening_and_passes_after() {
    let Ok(stock) = std::env::var("AMINT_TEST_DEBIAN_TREE") else {
        eprintln!("SKIPPED: AMINT_TEST_DEBIAN_TREE names no tree");
        return;
    };
    let scratch = tempfile::TempDir::new().unwrap();
    let root = scratch.path().join("tree");
    let copied = Command::new("cp").arg("-a").arg(&stock).arg(&root).status().unwrap();
    assert!(copied.success(), "copying {stock} failed");
    check(&root);
}

fn check(root: &Path) {
    let tree = DirTree::open(root).unwrap();
    let request = ScanRequest {
        profiles: vec![Profile::Marketplace, Profile::SharedLinux, Profile::Hardened],
        waivers: Vec::new(),
        today: jiff::civil::date(2026, 11, 23),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
        rights: Vec::new(),
    };
    let before = scan(&tree, &request, &NullSink).unwrap();
    for id in ["SSH-001", "SSH-003", "SSH-006"] {
        let result = before.rules.iter().find(|result| result.rule == id).unwrap();
        assert!(
            matches!(result.outcome, RuleOutcome::Fail { .. }),
            "{id} must fail before: {:?}",
            result.outcome
        );
    }

    let fixes = harden(&tree, &request, &NullSink).unwrap();
    assert!(fixes.iter().any(|fix| fix.rule == "SSH-001"));
    let again = harden(&tree, &request, &NullSink).unwrap();
    assert_eq!(again, [], "hardening again changed something");

    let after = scan(&tree, &request, &NullSink).unwrap();
    let left: Vec<String> = after
        .blocking(Severity::Medium)
        .map(|result| format!("{} {:?}", result.rule, result.outcome))
        .collect();
    assert!(left.is_empty(), "{}", left.join("\n"));
    assert_eq!(after, scan(&tree, &request, &NullSink).unwrap(), "two scans of the same tree differ");
}
