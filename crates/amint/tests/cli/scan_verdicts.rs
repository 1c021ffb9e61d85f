//! `amint scan`: waivers, earlier reports, plans and assessments.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::scan::tree;
use crate::support::{Ran, amint};

/// A tree whose ssh server takes passwords, in a folder of its own.
fn prepared() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    tree(folder.path(), "tree", &[("bash", "5.2-1"), ("openssh-server", "1:10.0p1-7")]);
    let root = folder.path().join("tree");
    for (path, content) in [
        ("usr/sbin/sshd", ""),
        ("etc/ssh/sshd_config", "# a comment\nPasswordAuthentication yes\n"),
        ("etc/machine-id", "0123456789abcdef0123456789abcdef\n"),
    ] {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn scan(folder: &Path, arguments: &[&str]) -> Ran {
    let common = ["scan", "./tree", "--no-advisories", "--profile", "marketplace"];
    amint(folder, &[&common, arguments].concat())
}

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {} {}", ran.stdout, ran.stderr))
}

/// The findings that fail the image, by rule.
fn blocking(document: &Value) -> Vec<String> {
    let findings = document["findings"].as_array().unwrap();
    let is_severe = |finding: &&Value| matches!(finding["severity"].as_str(), Some("high" | "critical"));
    let is_open = |finding: &&Value| finding["waived"].is_null() && finding["is_known"].is_null();
    let open = findings.iter().filter(is_severe).filter(is_open);
    open.map(|finding| finding["rule"].as_str().unwrap().to_owned()).collect()
}

/// Waivers of all that fails the tree.
fn waivers_of(rules: &[String], until: &str) -> String {
    let mut rules = rules.to_vec();
    rules.sort();
    rules.dedup();
    rules.iter().fold(String::new(), |text, rule| {
        let waiver = "reason = \"a test\"\nowner = \"team\"";
        format!("{text}[[harden.waive]]\nrule = \"{rule}\"\n{waiver}\nuntil = {until}\n")
    })
}

#[test]
fn what_is_waived_in_a_file_passes_the_gate_and_is_shown_when_all_is_asked_for() {
    let folder = prepared();
    let failed = json(&scan(folder.path(), &["--json"]));
    let rules = blocking(&failed);
    assert!(rules.iter().any(|rule| rule == "SSH-001"), "{rules:?}");
    fs::write(folder.path().join("waivers.toml"), waivers_of(&rules, "2099-12-31")).unwrap();
    let ran = scan(folder.path(), &["--waivers", "waivers.toml"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("accepted"), "{}", ran.stdout);
    assert!(
        ran.stdout.contains("is too wide") && ran.stdout.contains("decide once a year"),
        "{}",
        ran.stdout
    );
    assert!(!ran.stdout.contains("sshd accepts"), "{}", ran.stdout);
    let ran = scan(folder.path(), &["--waivers", "waivers.toml", "--all"]);
    assert!(ran.stdout.contains("accepted until 2099-12-31 by team"), "{}", ran.stdout);

    fs::write(folder.path().join("waivers.toml"), waivers_of(&rules, "2026-01-01")).unwrap();
    let ran = scan(folder.path(), &["--waivers", "waivers.toml"]);
    assert_eq!(ran.code, Some(1), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("ended on 2026-01-01"), "{}", ran.stdout);
}

#[test]
fn every_mistake_of_a_file_of_waivers_is_told_with_its_place() {
    let folder = prepared();
    fs::write(
        folder.path().join("waivers.toml"),
        "[[harden.waive]]\nrule = \"SSH-001\"\nuntil = 2099-02-30\n",
    )
    .unwrap();
    let ran = scan(folder.path(), &["--waivers", "waivers.toml"]);
    assert_eq!(ran.code, Some(3), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("waivers.toml:3"), "{}", ran.stderr);
    fs::write(
        folder.path().join("waivers.toml"),
        "[[harden.waive]]\nrule = \"SSH-001\"\nuntil = 2099-02-03\n",
    )
    .unwrap();
    let ran = scan(folder.path(), &["--waivers", "waivers.toml"]);
    assert!(ran.stderr.contains("`owner`") && ran.stderr.contains("`reason`"), "{}", ran.stderr);
}

#[test]
fn against_an_earlier_report_only_what_is_new_fails() {
    let folder = prepared();
    let ran = scan(folder.path(), &["--format", "json", "--output", "before.json"]);
    assert_eq!(ran.code, Some(1), "{} {}", ran.stdout, ran.stderr);
    // Lines move, and that is no news.
    let config = folder.path().join("tree/etc/ssh/sshd_config");
    fs::write(&config, "# one\n# two\n# three\nPasswordAuthentication yes\n").unwrap();
    let ran = scan(folder.path(), &["--against", "before.json"]);
    assert_eq!(ran.code, Some(0), "{} {}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("0 new"), "{}", ran.stdout);

    fs::write(folder.path().join("tree/etc/machine-id"), "").unwrap();
    fs::write(&config, "PasswordAuthentication yes\nPermitEmptyPasswords yes\n").unwrap();
    let ran = scan(folder.path(), &["--against", "before.json", "--json"]);
    assert_eq!(ran.code, Some(1), "{} {}", ran.stdout, ran.stderr);
    let document = json(&ran);
    assert_eq!(blocking(&document), ["SSH-004"], "{:#}", document["findings"]);
    assert_eq!(document["baseline"]["fixed"], 1, "{:#}", document["baseline"]);

    fs::write(folder.path().join("before.json"), "{}").unwrap();
    assert_eq!(scan(folder.path(), &["--against", "before.json"]).code, Some(3));
}

#[test]
fn a_plan_is_written_as_a_part_of_a_recipe() {
    let folder = prepared();
    let ran = scan(folder.path(), &["--fix-plan"]);
    assert_eq!(ran.code, Some(1), "{} {}", ran.stdout, ran.stderr);
    let recipe = "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n";
    fs::write(folder.path().join("amint.toml"), format!("{recipe}{}", ran.stdout)).unwrap();
    assert!(ran.stdout.contains("profiles = [") && ran.stdout.contains("# clears SSH-001"), "{}", ran.stdout);
    let checked = amint(folder.path(), &["check", "amint.toml"]);
    assert_eq!(checked.code, Some(0), "{} {}", checked.stderr, ran.stdout);
}

#[test]
fn an_assessment_has_the_form_of_aws() {
    let folder = prepared();
    let ran = amint(folder.path(), &["scan", "./tree", "--no-advisories", "--format", "marketplace"]);
    let assessment = json(&ran);
    assert_eq!(assessment["FrameworkId"], "AMISecurity@1.0");
    assert_eq!(assessment["AssessmentResult"], "FAIL");
    let control = |id: &str| {
        let controls = assessment["ControlAssessments"].as_array().unwrap();
        controls.iter().find(|control| control["ControlId"] == id).cloned().unwrap()
    };
    let passwords = control("MP-L1");
    assert_eq!(passwords["ControlAssessmentResult"], "FAIL");
    assert_eq!(passwords["Errors"][0]["Scope"][0]["Name"], "FILE_PATH");
    assert_eq!(passwords["Errors"][0]["Scope"][0]["Value"], "/etc/ssh/sshd_config");
    assert_eq!(control("MP-L3")["ControlAssessmentResult"], "PASS");
    assert_eq!(control("MP-A2")["ControlAssessmentResult"], "NOT_EXECUTED");
    let vulnerabilities = control("MP-G1");
    assert_eq!(vulnerabilities["ControlAssessmentResult"], "NOT_EXECUTED", "no advisories were used");

    // AWS's answer is joined with it: one complaint is shared, the other is AWS's alone.
    let theirs = r#"{"FrameworkId": "AMISecurity@1.0", "AssessmentResult": "FAIL", "ControlAssessments": [
        {"ControlId": "SSH", "ControlAssessmentResult": "FAIL", "Errors": [{"Code": "P", "Message": "a password opens it",
         "Scope": [{"Name": "FILE_PATH", "Value": "/etc/ssh/sshd_config"}]}]},
        {"ControlId": "MALWARE", "ControlAssessmentResult": "FAIL", "Errors": [{"Code": "M", "Message": "it mines",
         "Scope": [{"Name": "FILE_PATH", "Value": "/opt/miner"}]}]}]}"#;
    fs::write(folder.path().join("aws.json"), theirs).unwrap();
    let ran = scan(folder.path(), &["--format", "marketplace", "--assessment", "aws.json"]);
    assert!(ran.stderr.contains("1 complaints are shared, 1 are AWS's alone"), "{}", ran.stderr);
    assert!(ran.stderr.contains("AWS alone: MALWARE M /opt/miner it mines"), "{}", ran.stderr);
    let controls = json(&ran)["ControlAssessments"].clone();
    assert!(controls.as_array().unwrap().iter().any(|control| control["ControlId"] == "MALWARE"));
    fs::write(folder.path().join("aws.json"), "[]").unwrap();
    assert_eq!(scan(folder.path(), &["--assessment", "aws.json"]).code, Some(3));

    let rules: Vec<String> = vec!["SSH-001".to_owned(), "SSH-002".to_owned()];
    fs::write(folder.path().join("waivers.toml"), waivers_of(&rules, "2099-12-31")).unwrap();
    let ran = scan(folder.path(), &["--format", "marketplace", "--waivers", "waivers.toml"]);
    let controls = json(&ran)["ControlAssessments"].clone();
    let passwords =
        controls.as_array().unwrap().iter().find(|control| control["ControlId"] == "MP-L1").cloned();
    assert_eq!(passwords.unwrap()["ControlAssessmentResult"], "EXEMPTION_PASS");
}
