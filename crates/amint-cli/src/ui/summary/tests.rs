use amint_types::report::{
    BootRun, CheckResult, Evidence, Finding, Firmware, Package, RuleOutcome, RuleResult, ScanReport,
};
use amint_types::{Architecture, Digest, GIB, MIB, Severity};

use super::*;

fn rule(id: &str, severity: Severity, outcome: RuleOutcome) -> RuleResult {
    RuleResult {
        rule: id.to_owned(),
        title: "no key is left".to_owned(),
        severity,
        requirements: vec!["A2".to_owned()],
        remedy: "remove it".to_owned(),
        outcome,
    }
}

fn boot(outcome: CheckOutcome, login_ms: Option<u64>) -> BootReport {
    BootReport {
        firmware: Firmware::Uefi,
        accelerator: "kvm".to_owned(),
        accelerator_note: None,
        boots: vec![
            BootRun { login_ms, instance_id: "i-1".to_owned() },
            BootRun { login_ms: Some(8_900), instance_id: "i-2".to_owned() },
        ],
        checks: vec![CheckResult {
            id: "ssh-login".to_owned(),
            title: "ec2-user logs in".to_owned(),
            requirements: Vec::new(),
            rules: Vec::new(),
            severity: None,
            outcome,
            detail: String::new(),
            elapsed_ms: 12_300,
        }],
        disagreements: Vec::new(),
        console_tail: None,
    }
}

fn report() -> BuildReport {
    let package = Package {
        name: "bash".to_owned(),
        version: "5.2".to_owned(),
        architecture: "amd64".to_owned(),
        installed_bytes: 7 * MIB,
    };
    BuildReport {
        format_version: 1,
        name: "web".parse().unwrap(),
        version: "1.4.0".parse().unwrap(),
        architecture: Architecture::X86_64,
        base: "Debian 13 (trixie)".to_owned(),
        description: None,
        digest: Digest::from_bytes([0xab; 32]),
        disk_bytes: 2 * GIB,
        used_bytes: 612 * MIB,
        partitions: Vec::new(),
        packages: vec![package],
        recipe_digest: Digest::of(b"recipe"),
        source_epoch: 0,
        built_at: "2026-10-01T14:03:11Z".parse().unwrap(),
        tool_version: "0.1.0".to_owned(),
        steps: Vec::new(),
        gate: Severity::High,
        scan: ScanReport {
            profiles: Vec::new(),
            rules: vec![
                rule("KEY-001", Severity::Critical, RuleOutcome::Pass),
                rule("MOD-009", Severity::Low, RuleOutcome::NotEvaluated { reason: "unknown".to_owned() }),
            ],
            fixes: Vec::new(),
            files: 1,
            unused_waivers: Vec::new(),
        },
        boots: vec![boot(CheckOutcome::Pass, Some(12_300))],
    }
}

fn show(report: &BuildReport) -> String {
    let path = Path::new("out/report.html");
    let palette = Palette { is_coloured: false, is_unicode: true };
    summary(report, &SummaryOptions { gate: Severity::High, report_path: Some(path), palette })
}

#[test]
fn sums_up_a_good_build() {
    let expected = "\
✓ web:1.4.0 passed  x86_64, Debian 13 (trixie), gate high
  digest    sha256:abababababababababababababababababababababababababababababababab
  disk      2 GiB, 612 MiB carrying data
  packages  1, 7 MiB installed
  rules     1 passed, 1 not evaluated
  boot      uefi 12 s, then 8.9 s (kvm); 1 check passed
  report    out/report.html
";
    assert_eq!(show(&report()), expected);
}

#[test]
fn names_the_reasons_of_a_failure_and_stays_short() {
    let mut report = report();
    for number in 1..=9 {
        let evidence = Evidence { path: "/root".to_owned(), line: None, excerpt: None };
        let finding = Finding { message: "a key \u{1b}[31mis left".to_owned(), evidence, severity: None };
        let outcome = RuleOutcome::Fail { findings: vec![finding] };
        report.scan.rules.push(rule(&format!("KEY-10{number}"), Severity::High, outcome));
    }
    report.boots =
        vec![boot(CheckOutcome::Fail, None), boot(CheckOutcome::Skipped, None), report.boots.remove(0)];
    let text = show(&report);
    assert!(text.starts_with("✗ web:1.4.0 failed"), "{text}");
    assert!(text.contains("\n            KEY-101: a key is left\n"), "{text}");
    assert!(text.contains("and 7 more"), "{text}");
    assert!(text.contains("uefi no login, then 8.9 s (kvm); 0 checks passed, 1 failed"), "{text}");
    assert!(text.lines().count() <= 15, "{text}");
}

#[test]
fn says_so_when_the_image_was_not_booted() {
    let mut report = report();
    report.boots.clear();
    let text = show(&report);
    assert!(text.starts_with("? web:1.4.0 incomplete"), "{text}");
    assert!(text.contains("  boot      not tested\n"));
}
