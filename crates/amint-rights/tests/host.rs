//! The licences of every package of the machine that runs the tests: real copyright files.

use std::collections::BTreeMap;
use std::path::Path;

use amint_packages::dpkg::{Copyright, read_status};
use amint_packages::purl::Distribution;
use amint_rights::{Image, LicenseClass, Right, classify_all, judge, recognise};
use amint_types::Severity;
use amint_types::scan::{OperatingSystem, SupportState};
use jiff::civil::Date;

const PACKAGES_MAX: usize = 3000;
const FILE_BYTES_MAX: u64 = 4 << 20;

#[test]
fn knows_nine_of_ten_packages_of_a_debian_machine() {
    let folder = Path::new("/usr/share/doc");
    let mut classes: BTreeMap<LicenseClass, Vec<String>> = BTreeMap::new();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let mut count = 0_usize;
    let Ok(entries) = std::fs::read_dir(folder) else {
        eprintln!("SKIPPED: needs /usr/share/doc");
        return;
    };
    for entry in entries.flatten().take(PACKAGES_MAX) {
        let path = entry.path().join("copyright");
        let Ok(content) = std::fs::read(&path) else { continue };
        if u64::try_from(content.len()).is_ok_and(|bytes| bytes > FILE_BYTES_MAX) {
            continue;
        }
        count += 1;
        let read = Copyright::read(&content);
        let found = if read.licenses.is_empty() { recognise(&content) } else { read.licenses };
        let judged = classify_all(found.iter().map(String::as_str));
        for name in judged.iter().flat_map(|judged| judged.unknown.iter()) {
            *names.entry(name.clone()).or_default() += 1;
        }
        let class = judged.map_or(LicenseClass::Unknown, |judged| judged.class);
        classes.entry(class).or_default().push(entry.file_name().to_string_lossy().into_owned());
    }
    if count < 100 {
        eprintln!("SKIPPED: needs a Debian machine with copyright files ({count} found)");
        return;
    }
    for (class, packages) in &classes {
        eprintln!("{class:?}: {} of {count}", packages.len());
        if *class >= LicenseClass::Unknown {
            eprintln!("  {packages:?}");
        }
    }
    eprintln!("unknown names: {names:?}");
    let unknown = classes.get(&LicenseClass::Unknown).map_or(0, Vec::len);
    assert!(unknown * 10 < count, "{unknown} of {count} packages are unknown");
}

#[test]
fn judges_a_whole_debian_machine() {
    let Ok(status) = std::fs::read("/var/lib/dpkg/status") else {
        eprintln!("SKIPPED: needs /var/lib/dpkg/status");
        return;
    };
    let database = read_status(status.as_slice()).unwrap();
    let mut sections = BTreeMap::new();
    let mut packages = Vec::new();
    for package in database.installed().take(PACKAGES_MAX) {
        sections.insert(package.name.clone(), package.section.clone());
        let mut scanned = package.scanned(&Distribution::new("debian", "12"), "/var/lib/dpkg/status");
        let path = format!("/usr/share/doc/{}/copyright", package.name);
        if let Ok(content) = std::fs::read(path) {
            let read = Copyright::read(&content);
            scanned.licenses = if read.licenses.is_empty() { recognise(&content) } else { read.licenses };
        }
        packages.push(scanned);
    }
    let system = OperatingSystem {
        id: "debian".to_owned(),
        version_id: None,
        codename: None,
        name: "Debian".to_owned(),
        like: Vec::new(),
        architecture: None,
        support: SupportState::Unknown,
        support_ends: None,
        long_term_support_ends: None,
    };
    let run = |packages: &[_], declared: &[Right]| {
        let image = Image {
            system: Some(&system),
            packages,
            sections: &|name| sections.get(name).cloned().flatten(),
            paths: &|path| Path::new(path).exists(),
            usage_operation: None,
        };
        judge(&image, declared, Date::constant(2026, 11, 26))
    };
    let report = run(&packages, &[]);
    for finding in &report.findings {
        eprintln!("{} {} {}: {}", finding.rule.id(), finding.severity, finding.title, finding.reason);
    }
    packages.reverse();
    assert_eq!(run(&packages, &[]), report, "the order of packages does not count");
    assert_eq!(report.counts.packages, packages.len());
    let is_about = |name: &str| packages.iter().any(|package| package.name == name);
    if is_about("bash") && is_about("libc6") {
        let sources: Vec<_> = report.copyleft.sources.iter().map(|offer| offer.source.as_str()).collect();
        assert!(sources.contains(&"bash") && sources.contains(&"glibc"), "{sources:?}");
    }
    // A right for all that is severe leaves nothing severe but what no right can cover.
    let rights: Vec<Right> = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::High)
        .filter_map(|finding| finding.names.first())
        .map(|name| Right {
            name: name.clone(),
            holder: "H".to_owned(),
            document: "D".to_owned(),
            until: None,
        })
        .collect();
    let covered = run(&packages, &rights);
    assert!(
        covered.findings.iter().all(|finding| finding.severity < Severity::High || finding.names.is_empty())
    );
    assert_eq!(covered.unused, []);
}
