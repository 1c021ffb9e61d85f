//! Real advisories against packages of each distribution.

mod common;

use amint_types::Severity;
use amint_types::scan::{Kernel, PackageKind};
use amint_vuln::vex::{OpenVex, statements_of};
use amint_vuln::{AgeProblem, Builder, Ecosystem, Family, ImporterKind, Input, MatchContext, Matcher};
use common::{add_fixtures, all, date, deb, find, open, package, run, run_with, system};
use jiff::SignedDuration;

const REGRESSHION: &str = "CVE-2024-6387";

#[test]
fn knows_regresshion_on_every_distribution() {
    use PackageKind::{Apk, Deb, Rpm};
    let database = all();
    let cases = [
        (("debian", "12"), Deb, "openssh-server", "1:9.2p1-2+deb12u2", "1:9.2p1-2+deb12u3"),
        (("debian", "13"), Deb, "openssh-server", "1:9.6p1-4", "1:9.7p1-7"),
        (("ubuntu", "22.04"), Deb, "openssh-server", "1:8.9p1-3ubuntu0.7", "1:8.9p1-3ubuntu0.10"),
        (("ubuntu", "24.04"), Deb, "openssh-server", "1:9.6p1-3ubuntu13", "1:9.6p1-3ubuntu13.3"),
        (("almalinux", "9.4"), Rpm, "openssh-server", "0:8.7p1-38.el9", "8.7p1-38.el9_4.1"),
        (("rhel", "9.4"), Rpm, "openssh-server", "0:8.7p1-38.el9", "0:8.7p1-38.el9_4.1"),
        (("amzn", "2023"), Rpm, "openssh-server", "0:8.7p1-8.amzn2023.0.10", "8.7p1-8.amzn2023.0.11"),
        (("sles", "15.6"), Rpm, "openssh", "0:9.6p1-150600.4.1", "9.6p1-150600.6.3.1"),
        (("opensuse-leap", "15.6"), Rpm, "openssh", "0:9.6p1-150600.4.1", "9.6p1-150600.6.3.1"),
        (("alpine", "3.17.7"), Apk, "openssh-server", "9.1_p1-r5", "9.1_p1-r6"),
        (("alpine", "3.18.6"), Apk, "openssh-server", "9.3_p2-r1", "9.3_p2-r2"),
        (("alpine", "3.19.1"), Apk, "openssh-server", "9.6_p1-r0", "9.6_p1-r1"),
        (("alpine", "3.20.0"), Apk, "openssh-server", "9.7_p1-r3", "9.7_p1-r4"),
        (("alpine", "3.21.0"), Apk, "openssh-server", "9.7_p1-r4", "9.8_p1-r0"),
    ];
    for (system, kind, name, old, fixed) in cases {
        let report = run(&database, system, &[package(kind, name, old, Some("openssh"))]);
        let finding = find(&report, REGRESSHION).unwrap_or_else(|| panic!("{system:?} {old}"));
        assert_eq!(finding.fixed_version.as_deref(), Some(fixed), "{system:?}");
        assert_eq!(finding.cvss_tenths, Some(81), "{system:?}");
        assert!(finding.severity >= Severity::High, "{system:?}: {}", finding.severity);
        assert!(finding.evidence.as_deref().unwrap().contains("proof of concept"), "{system:?}");
        let report = run(&database, system, &[package(kind, name, fixed, Some("openssh"))]);
        assert!(find(&report, REGRESSHION).is_none(), "{system:?} {fixed}");
        assert_eq!((report.counts.judged, report.counts.not_judged), (1, 0), "{system:?}");
    }
    let debian = run(&database, ("debian", "12"), &[deb("openssh-server", "1:9.2p1-2", "openssh")]);
    let finding = find(&debian, REGRESSHION).unwrap();
    assert!(finding.aliases.contains(&"DSA-5724-1".to_owned()), "{:?}", finding.aliases);
    assert_eq!(finding.is_fix_available, Some(true));
    assert_eq!(finding.source.as_deref(), Some("debian_osv_cve"));
}

#[test]
fn takes_one_finding_for_all_binaries_of_a_source() {
    let database = all();
    let packages =
        [deb("openssh-client", "1:9.2p1-2", "openssh"), deb("openssh-server", "1:9.2p1-2", "openssh")];
    let report = run(&database, ("debian", "12"), &packages);
    let count = report.findings.iter().filter(|finding| finding.rule == REGRESSHION).count();
    assert_eq!(count, 1);
    let evidence = find(&report, REGRESSHION).unwrap().evidence.as_deref().unwrap();
    assert!(evidence.contains("openssh-client, openssh-server"), "{evidence}");
    let again = run(&database, ("debian", "12"), &[packages[1].clone(), packages[0].clone()]);
    assert_eq!(report.findings, again.findings);
}

#[test]
fn lowers_what_is_unimportant_or_no_code_and_counts_it() {
    let database = all();
    let report = run(&database, ("debian", "12"), &[deb("openssh-client", "1:9.2p1-2+deb12u9", "openssh")]);
    let lowered: Vec<_> = report.findings.iter().filter(|finding| finding.lowered.is_some()).collect();
    assert!(!lowered.is_empty());
    assert!(lowered.iter().all(|finding| finding.severity == Severity::Info));
    let counted: usize = report.counts.lowered.values().sum();
    assert_eq!(counted, lowered.len());
    let mut documents = deb("openssh-doc", "1:9.2p1-2", "openssh");
    documents.has_code = Some(false);
    let report = run(&database, ("debian", "12"), &[documents]);
    let finding = find(&report, REGRESSHION).unwrap();
    let lowered = finding.lowered.as_ref().unwrap();
    assert_eq!((finding.severity, lowered.from), (Severity::Info, Severity::High));
    let vex = statements_of(&report.findings, "https://example.org/vex", "amint", date("2026-11-26"));
    assert!(vex.statement_count() > 0);
    // What was written can be read, and says of the finding that it does not apply.
    let read = OpenVex::from_json(&vex.to_json()).unwrap();
    let mut findings = report.findings.clone();
    amint_vuln::vex::apply(&[read], &mut findings);
    let finding = findings.iter().find(|finding| finding.rule == REGRESSHION).unwrap();
    assert!(finding.not_affected.as_deref().unwrap().contains("vulnerable_code_not_present"));
}

#[test]
fn weighs_kernels_by_what_boots() {
    let database = all();
    let kernel = |release: &str, is_default| Kernel {
        release: release.to_owned(),
        path: format!("/boot/vmlinuz-{release}"),
        package: Some(format!("linux-image-{release}")),
        is_default,
        has_modules: true,
        command_line: None,
    };
    let kernels = [kernel("6.1.0-10-amd64", false), kernel("6.1.0-20-amd64", true)];
    let context = MatchContext { kernels: &kernels, ..MatchContext::default() };
    let packages = [
        deb("linux-image-6.1.0-10-amd64", "6.1.38-1", "linux-signed-amd64"),
        deb("linux-image-6.1.0-20-amd64", "6.1.39-1", "linux-signed-amd64"),
        deb("linux-libc-dev", "6.1.37-1", "linux"),
    ];
    let report = run_with(&database, ("debian", "12"), &packages, &context);
    let of = |version: &str| -> Vec<_> {
        report.findings.iter().filter(|finding| finding.version.as_deref() == Some(version)).collect()
    };
    let (old, boots, headers) = (of("6.1.38-1"), of("6.1.39-1"), of("6.1.37-1"));
    assert!(!old.is_empty() && !boots.is_empty() && !headers.is_empty());
    let reason = |finding: &amint_types::scan::ScanFinding| {
        finding.lowered.as_ref().map(|lowered| lowered.reason.clone())
    };
    assert!(old.iter().all(|finding| finding.severity <= Severity::Low));
    assert!(
        old.iter()
            .any(|finding| reason(finding).is_some_and(|reason| reason.contains("not the one that boots")))
    );
    assert!(boots.iter().all(|finding| finding.lowered.is_none()));
    assert!(headers.iter().all(|finding| finding.severity == Severity::Info && !finding.is_exploited));
}

#[test]
fn puts_exploited_ones_first_and_calls_them_critical() {
    let database = all();
    let mut image = deb("linux-image-6.1.0-1-amd64", "6.0.1-1", "linux-signed-amd64");
    image.path = "/boot".to_owned();
    let jar = package(PackageKind::Maven, "org.apache.logging.log4j:log4j-core", "2.14.1", None);
    let report = run(&database, ("debian", "12"), &[image, jar]);
    let first = report.findings.first().unwrap();
    assert!(first.is_exploited && first.severity == Severity::Critical, "{first:?}");
    let log4shell = find(&report, "CVE-2021-44228").unwrap();
    assert!(log4shell.is_exploited && log4shell.evidence.as_deref().unwrap().contains("KEV"));
    assert_eq!(log4shell.fixed_version.as_deref(), Some("2.15.0"));
    assert!(log4shell.aliases.contains(&"GHSA-jfh8-c2jp-5v3q".to_owned()));
    let is_sorted = report.findings.windows(2).all(|pair| {
        let key = |index: usize| (!pair[index].is_exploited, std::cmp::Reverse(pair[index].severity));
        key(0) <= key(1)
    });
    assert!(is_sorted);
}

#[test]
fn counts_what_it_does_not_judge() {
    let database = all();
    let mut docker = deb("docker-ce", "5:24.0.7-1~debian.12~bookworm", "docker-ce");
    docker.repository = Some("download.docker.com".to_owned());
    let postgres = deb("postgresql-16", "16.1-1.pgdg120+1", "postgresql-16");
    let own = deb("own-tool", "1.0", "own-tool");
    let crate_ = package(PackageKind::Cargo, "serde", "1.0.0", None);
    let mut owned = package(PackageKind::Npm, "lodash", "4.17.0", None);
    owned.owner = Some("node-lodash".to_owned());
    let report = run(&database, ("debian", "12"), &[docker, postgres, own, crate_, owned]);
    assert_eq!((report.counts.judged, report.counts.not_judged, report.counts.owned), (0, 4, 1));
    let evidence = find(&report, "VUL-000").unwrap();
    assert!(evidence.title.starts_with("4 packages"), "{}", evidence.title);
    assert_eq!(report.findings.len(), 1);
    let mut epel = package(PackageKind::Rpm, "openssh-server", "0:1.0-1", Some("openssh"));
    epel.vendor = Some("Fedora Project".to_owned());
    let report = run(&database, ("almalinux", "9.4"), &[epel.clone()]);
    assert_eq!(report.counts.not_judged, 1);
    let report = run(&database, ("nixos", "24.11"), &[epel]);
    assert!(report.not_judged[0].reason.contains("nixos"), "{:?}", report.not_judged);
}

#[test]
fn keeps_module_streams_and_topics_apart() {
    let database = all();
    let node = |version: &str, module: Option<&str>| {
        let mut package = package(PackageKind::Rpm, "nodejs", version, Some("nodejs"));
        package.module = module.map(str::to_owned);
        run(&database, ("almalinux", "9.2"), &[package])
    };
    let stream = "nodejs:18:9020020230720153143:rhel9";
    let old = node("1:18.16.0-1.module_el9.2.0+31+cbae0c8e", Some(stream));
    assert!(find(&old, "CVE-2023-30581").is_some());
    let new = node("1:18.16.1-1.module_el9.2.0+31+cbae0c8e", Some(stream));
    assert!(find(&new, "CVE-2023-30581").is_none());
    let other = node("1:16.20.0-1.module_el9.2.0+1+aaaaaaaa", Some("nodejs:16:1:c"));
    let streams = other.findings.iter().filter_map(|finding| finding.fixed_version.as_deref());
    assert!(streams.clone().all(|fixed| fixed.contains(":16.")), "{:?}", streams.collect::<Vec<_>>());

    let docker = package(PackageKind::Rpm, "docker", "0:18.09.9ce-1.amzn2", Some("docker"));
    let run_topics = |topics: &[String]| {
        let context = MatchContext { repositories: Some(topics), ..MatchContext::default() };
        run_with(&database, ("amzn", "2"), std::slice::from_ref(&docker), &context).findings.len()
    };
    assert_eq!(run_topics(&[]), 0);
    assert!(run_topics(&["amzn2extra-docker".to_owned()]) > 0);
}

#[test]
fn judges_packages_of_languages_by_their_registries() {
    let database = all();
    let packages = [
        package(PackageKind::Npm, "lodash", "4.17.20", None),
        package(PackageKind::Pypi, "Paramiko", "2.4.0", None),
    ];
    let report = run(&database, ("debian", "12"), &packages);
    let lodash = find(&report, "CVE-2021-23337").unwrap();
    assert_eq!(lodash.fixed_version.as_deref(), Some("4.17.21"));
    assert_eq!(lodash.requirements, ["VUL-004"]);
    let paramiko = find(&report, "CVE-2018-7750").unwrap();
    assert_eq!(paramiko.fixed_version.as_deref(), Some("2.4.1"));
}

#[test]
fn newer_data_replace_older_and_changelogs_add_fixes() {
    let ecosystem = Ecosystem::new(Family::Debian, "12");
    let osv = r#"{"id":"CVE-2025-1000","aff":[{"e":"Debian:12","p":"foo"}]}
        {"id":"CVE-2025-2000","aff":[{"e":"Debian:12","p":"foo"}]}
        {"id":"CVE-2025-4000","aff":[{"e":"Debian:12","p":"foo","fixed":"1.0-5"}]}"#;
    let tracker = r#"{"foo":{"CVE-2025-2000":{"description":"A thing","releases":{"bookworm":
        {"status":"resolved","fixed_version":"0","urgency":"not yet assigned","repositories":{}}}},
        "TEMP-1-AAAA":{"releases":{}},
        "CVE-2025-4000":{"releases":{"bookworm":{"status":"open","urgency":"low","nodsa":"x","nodsa_reason":"postponed"}}},
        "CVE-2025-3000":{"releases":{"bookworm":{"status":"open","urgency":"unimportant"},"trixie":
        {"status":"resolved","fixed_version":"2.0-1","urgency":"low"}}}}}"#;
    let changelog = "foo (1.0-3) bookworm-security; urgency=high\n\n  * Fix CVE-2025-1000.\n  * Not affected by\n    CVE-2025-3000\n\n -- A B <a@b>  Mon, 02 Nov 2026 11:12:13 +0000\n";
    let mut builder = Builder::new();
    builder.add("osv", date("2025-01-01"), &ImporterKind::Compact, Input::bytes(osv.as_bytes())).unwrap();
    builder
        .add("tracker", date("2025-02-01"), &ImporterKind::DebianTracker, Input::bytes(tracker.as_bytes()))
        .unwrap();
    let kind = ImporterKind::DebianChangelog { ecosystem };
    builder.add("archive", date("2026-11-01"), &kind, Input::bytes(changelog.as_bytes())).unwrap();
    let database = open(builder);
    let rules = |version: &str| -> Vec<String> {
        let report = run(&database, ("debian", "12"), &[deb("foo", version, "foo")]);
        report.findings.iter().map(|finding| format!("{}={}", finding.rule, finding.severity)).collect()
    };
    let old = ["CVE-2025-1000=medium", "CVE-2025-4000=low", "CVE-2025-3000=info"];
    assert_eq!(rules("1.0-2"), old);
    assert_eq!(rules("1.0-3"), old[1..]);
    let report = run(&database, ("debian", "12"), &[deb("foo", "1.0-9", "foo")]);
    // The older feed knew of a fix, the newer one took it back.
    assert!(find(&report, "CVE-2025-4000").is_some_and(|finding| finding.fixed_version.is_none()));
}

#[test]
fn tells_old_missing_and_future_data() {
    let database = all();
    let now = date("2026-11-26");
    let verdict = |system_: (&str, &str), kinds: &[PackageKind], days: i64| {
        let system = system(system_.0, system_.1);
        database.age_verdict(Some(&system), kinds, now, SignedDuration::from_hours(24 * days))
    };
    assert!(verdict(("debian", "12"), &[PackageKind::Deb], 30).is_fresh());
    let amazon = verdict(("amzn", "2023"), &[], 30);
    assert!(
        matches!(&amazon.problems[..], [AgeProblem::TooOld { age_days: 650, .. }]),
        "{:?}",
        amazon.problems
    );
    let missing = verdict(("fedora", "41"), &[PackageKind::Golang], 30);
    assert_eq!(missing.problems.len(), 2);
    assert!(!verdict(("nixos", "1"), &[], 30).is_fresh());
    let early =
        database.age_verdict(Some(&system("debian", "12")), &[], date("2026-01-01"), SignedDuration::MAX);
    assert!(matches!(early.problems[..], [AgeProblem::InFuture { .. }]), "{early:?}");
}

#[test]
fn tells_outdated_packages_and_ended_support() {
    let mut builder = Builder::new();
    add_fixtures(&mut builder, common::FIXTURES.iter());
    let ecosystem = Ecosystem::new(Family::Debian, "12");
    let list = "# list\nzlib\t0\t\t2025-03-22\tabandoned upstream\n";
    let ended = ImporterKind::DebianSupport { ecosystem: ecosystem.clone(), has_ended: true };
    builder.add("ended", date("2026-06-30"), &ended, Input::bytes(list.as_bytes())).unwrap();
    let limited = ImporterKind::DebianSupport { ecosystem, has_ended: false };
    builder
        .add("limited", date("2026-06-30"), &limited, Input::bytes(b"golang.*  static linking\n"))
        .unwrap();
    let database = open(builder);
    let packages = [
        deb("zlib1g", "1:99", "zlib"),
        deb("golang-1.19", "99", "golang-1.19"),
        deb("libssl3", "3.0.9-1", "openssl"),
    ];
    let found = Matcher::open(&database)
        .outdated_packages(&system("debian", "12"), &packages, &MatchContext::default())
        .unwrap();
    let rules: Vec<(&str, Option<&str>)> =
        found.iter().map(|finding| (finding.rule.as_str(), finding.package.as_deref())).collect();
    assert_eq!(
        rules,
        [("EOL-003", Some("zlib1g")), ("EOL-003", Some("golang-1.19")), ("VUL-002", Some("libssl3"))]
    );
    assert_eq!(found[2].is_fix_available, Some(true));
}

#[test]
fn heeds_statements_of_others() {
    let database = all();
    let packages = [deb("openssh-server", "1:9.2p1-2", "openssh")];
    let statement = |product: &str, status: &str| {
        let text = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-11-01T00:00:00Z",
            "version":1,"statements":[{{"vulnerability":{{"name":"{REGRESSHION}"}},
            "products":[{{"@id":"{product}"}}],"status":"{status}",
            "justification":"inline_mitigations_already_exist"}}]}}"#
        );
        let documents = [OpenVex::from_json(text.as_bytes()).unwrap()];
        let context = MatchContext { statements: &documents, ..MatchContext::default() };
        let report = run_with(&database, ("debian", "12"), &packages, &context);
        (find(&report, REGRESSHION).unwrap().not_affected.clone(), report.counts.not_affected)
    };
    let wanted = (Some("not affected: inline_mitigations_already_exist".to_owned()), 1);
    assert_eq!(statement("pkg:deb/x/openssh-server", "not_affected"), wanted);
    assert_eq!(statement("pkg:deb/x/openssh-server@1%3A9.2p1-2?arch=amd64", "not_affected"), wanted);
    assert_eq!(statement("pkg:deb/x/openssh-server@1:9.2p1-3", "not_affected"), (None, 0));
    assert_eq!(statement("pkg:deb/x/openssh-server?arch=arm64", "not_affected"), (None, 0));
    assert_eq!(statement("pkg:deb/x/openssh", "fixed"), (None, 0));
    assert_eq!(statement("pkg:deb/x/openssh-server", "affected"), (None, 0));
    assert!(OpenVex::from_json(br#"{"@context":"https://example.org","statements":[]}"#).is_err());
}
