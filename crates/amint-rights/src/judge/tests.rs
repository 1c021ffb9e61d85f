use super::*;
use crate::testing::{package, system};

const TODAY: Date = Date::constant(2026, 11, 26);

fn run(
    id: &str,
    packages: &[ScannedPackage],
    sections: &[(&str, &str)],
    paths: &[&str],
    declared: &[Right],
) -> RightsReport {
    let system = system(id);
    let image = Image {
        system: Some(&system),
        packages,
        sections: &|name| {
            sections.iter().find(|(other, _)| *other == name).map(|(_, section)| (*section).to_owned())
        },
        paths: &|path| paths.contains(&path) || path.ends_with("/copyright"),
        usage_operation: None,
    };
    judge(&image, declared, TODAY)
}

fn deb(name: &str, licenses: &[&str]) -> ScannedPackage {
    package(PackageKind::Deb, name, "1.0-1", licenses)
}

fn right(name: &str, until: Option<Date>) -> Right {
    Right { name: name.to_owned(), holder: "Seller Ltd".to_owned(), document: "contract 7".to_owned(), until }
}

fn only(report: &RightsReport) -> &RightsFinding {
    assert_eq!(report.findings.len(), 1, "{:#?}", report.findings);
    &report.findings[0]
}

#[test]
fn a_free_image_has_nothing_but_the_sources_to_offer() {
    let report = run("debian", &[deb("bash", &["GPL-3+"]), deb("zlib1g", &["Zlib"])], &[], &[], &[]);
    let finding = only(&report);
    assert_eq!((finding.rule, finding.severity), (RightsRule::Source, Severity::Info));
    assert_eq!(report.copyleft.sources.len(), 1);
    assert_eq!(report.counts.classes[&LicenseClass::Permissive], 1);
}

#[test]
fn each_class_of_licence_has_its_severity() {
    for (license, severity) in [
        ("SSPL-1.0", Severity::High),
        ("CC-BY-NC-4.0", Severity::Critical),
        ("Commercial", Severity::High),
        ("Wubble", Severity::Medium),
    ] {
        let report = run("debian", &[deb("thing", &["MIT", license])], &[], &[], &[]);
        let finding = only(&report);
        assert_eq!(finding.severity, severity, "{license}");
        assert!(finding.reason.contains(license), "{}", finding.reason);
    }
}

#[test]
fn parts_of_archives_that_are_not_free_are_told_and_firmware_is_let_pass() {
    let sections = [
        ("libfoo", "non-free/libs"),
        ("intel-microcode", "non-free-firmware/admin"),
        ("firmware-ivtv", "non-free-firmware/kernel"),
        ("nvidia-driver", "non-free/x11"),
    ];
    let packages =
        ["libfoo", "intel-microcode", "firmware-ivtv", "nvidia-driver"].map(|name| deb(name, &["MIT"]));
    let report = run("debian", &packages, &sections, &[], &[]);
    let severity = |name: &str| {
        let about =
            |finding: &&RightsFinding| finding.package.as_ref().is_some_and(|about| about.name == name);
        report.findings.iter().find(about).expect("a finding").severity
    };
    assert_eq!(severity("libfoo"), Severity::High);
    assert_eq!(severity("intel-microcode"), Severity::Info);
    assert_eq!(severity("firmware-ivtv"), Severity::High);
    assert_eq!(severity("nvidia-driver"), Severity::High);
    assert_eq!(report.findings.len(), 4, "one finding for one package");
}

#[test]
fn products_are_found_by_file_and_only_once() {
    let chrome = "/opt/google/chrome/chrome";
    let report = run("debian", &[], &[], &[chrome, "/etc/pki/consumer/cert.pem"], &[]);
    assert_eq!(report.findings.len(), 2);
    assert!(report.findings.iter().any(|finding| finding.path == chrome));
    let package = deb("google-chrome-stable", &["MIT"]);
    let report = run("debian", &[package], &[], &[chrome], &[]);
    assert_eq!(only(&report).severity, Severity::Critical);
}

#[test]
fn a_right_covers_until_its_last_day() {
    let packages = [deb("google-chrome-stable", &["MIT"])];
    let report = run("debian", &packages, &[], &[], &[right("google-chrome", Some(TODAY))]);
    assert_eq!(report.findings, []);
    assert_eq!(report.covered[0].right.document, "contract 7");
    let told = report.to_scan_findings();
    assert!(told[0].not_affected.as_deref().unwrap().contains("Seller Ltd"));

    let yesterday = TODAY.yesterday().unwrap();
    let report = run("debian", &packages, &[], &[], &[right("google-chrome", Some(yesterday))]);
    assert!(report.unused.is_empty(), "it is needed, and it has ended");
    let told = only(&report).to_scan_finding();
    assert_eq!(told.severity, Severity::Critical);
    assert!(told.evidence.unwrap().contains("contract 7) ended on 2026-11-25"));
    let both = [right("google-chrome*", Some(yesterday)), right("google-chrome-stable", None)];
    assert_eq!(run("debian", &packages, &[], &[], &both).findings, []);
}

#[test]
fn rights_name_systems_and_licences() {
    let packages = [deb("thing", &["Elastic-2.0"])];
    let declared = [right("os:rhel", None), right("license:elastic-2.0", None)];
    let report = run("rhel", &packages, &[], &[], &declared);
    assert_eq!(report.findings, []);
    assert_eq!(report.covered.len(), 2);
    let mixed = [deb("thing", &["Elastic-2.0", "SSPL-1.0"])];
    assert_eq!(
        run("debian", &mixed, &[], &[], &declared[1..]).covered,
        [],
        "another licence decides as well"
    );
}

#[test]
fn rights_of_no_use_are_told() {
    let declared =
        [right("*", None), right("nothing-of-this", None), right("old", Some(TODAY.yesterday().unwrap()))];
    let report = run("debian", &[deb("thing", &["Commercial"])], &[], &[], &declared);
    let reasons: Vec<_> = report.unused.iter().map(|unused| unused.reason).collect();
    assert_eq!(reasons, [UnusedReason::TooWide, UnusedReason::NothingNeedsIt, UnusedReason::Ended]);
    assert_eq!(report.to_scan_findings().len(), 4);
}

#[test]
fn a_registration_of_the_builder_has_no_right() {
    let path = "/var/lib/ubuntu-advantage/private/machine-token.json";
    let report = run("debian", &[], &[], &[path], &[right("ubuntu-pro", None), right(path, None)]);
    let finding = only(&report);
    assert_eq!((finding.rule, finding.severity), (RightsRule::System, Severity::Critical));
    assert_eq!(report.unused.len(), 2);
}

#[test]
fn silence_is_told_once_for_one_file() {
    let mut packages: Vec<_> = (0..20)
        .map(|number| package(PackageKind::Golang, &format!("example.com/m{number}"), "v1", &[]))
        .collect();
    for package in &mut packages {
        "/usr/bin/tool".clone_into(&mut package.path);
    }
    let report = run("debian", &packages, &[], &[], &[]);
    let finding = only(&report);
    assert_eq!((finding.severity, finding.title.as_str()), (Severity::Medium, "20 packages tell no licence"));
    for package in &mut packages {
        package.owner = Some("tool".to_owned());
    }
    assert_eq!(run("debian", &packages, &[], &[], &[]).findings, [], "judged with their owner");
}

#[test]
fn missing_copyright_files_are_told() {
    let system = system("debian");
    let packages = [deb("a", &[]), deb("b", &[])];
    let image = Image {
        system: Some(&system),
        packages: &packages,
        sections: &|_| None,
        paths: &|_| false,
        usage_operation: None,
    };
    let report = judge(&image, &[], TODAY);
    let finding = only(&report);
    assert_eq!((finding.rule, finding.severity), (RightsRule::Source, Severity::Medium));
    assert_eq!(report.counts.undeclared, 2);
}

#[test]
fn the_manifest_of_sources_is_the_same_whatever_the_order() {
    let mut first = deb("libfoo1", &["LGPL-2.1+"]);
    first.source = Some("foo".to_owned());
    first.source_version = Some("2.0-1".to_owned());
    let mut second = deb("foo-bin", &["GPL-2+ or MIT", "AGPL-3"]);
    second.source.clone_from(&first.source);
    second.source_version.clone_from(&first.source_version);
    let third = package(PackageKind::Rpm, "bar\n", "1", &["GPLv3"]);
    let one = run("debian", &[first.clone(), second.clone(), third.clone()], &[], &[], &[]);
    let two = run("debian", &[third, second, first], &[], &[], &[]);
    assert_eq!(one.copyleft.to_json(), two.copyleft.to_json());
    assert_eq!(one.findings, two.findings);
    let text = one.copyleft.to_text();
    assert!(
        text.ends_with(
            "foo 2.0-1 (deb)\n  licences: AGPL-3, LGPL-2.1+\n  packages: foo-bin, libfoo1\n\
             bar? 1 (rpm)\n  licences: GPLv3\n  packages: bar?\n"
        ),
        "{text}"
    );
    let read: SourceManifest = serde_json::from_str(&one.copyleft.to_json()).unwrap();
    assert_eq!(read, one.copyleft);
}

#[test]
fn an_archive_of_free_software_vouches_for_what_nobody_knows() {
    let severity = |vendor: &str, section: &str, license: &str| {
        let mut package = deb("thing", &["MIT", license]);
        package.vendor = Some(vendor.to_owned());
        only(&run("debian", &[package], &[("thing", section)], &[], &[])).severity
    };
    let debian = "Debian Maintainers <pkg-thing@lists.alioth.debian.org>";
    assert_eq!(severity(debian, "libs", "Wubble"), Severity::Low);
    assert_eq!(severity("Somebody <a@example.com>", "libs", "Wubble"), Severity::Medium);
    assert_eq!(severity(debian, "non-free/libs", "Wubble"), Severity::High);
    assert_eq!(
        severity(debian, "libs", "CC-BY-NC-4.0"),
        Severity::Critical,
        "it vouches for nothing that is known"
    );
}

#[test]
fn updates_for_subscribers_need_a_right() {
    let mut package = deb("libssl1.1", &["OpenSSL"]);
    "1.1.1f-1ubuntu2.24+esm2".clone_into(&mut package.version);
    let report = run("debian", &[package.clone()], &[], &[], &[]);
    assert_eq!((only(&report).rule, only(&report).severity), (RightsRule::System, Severity::High));
    assert_eq!(run("debian", &[package.clone()], &[], &[], &[right("ubuntu-pro", None)]).findings, []);
    let image = Image {
        system: Some(&system("debian")),
        packages: &[package],
        sections: &|_| None,
        paths: &|_| false,
        usage_operation: Some("RunInstances:0g00"),
    };
    assert_eq!(only(&judge(&image, &[], TODAY)).severity, Severity::Info, "AWS bills for it");
}
