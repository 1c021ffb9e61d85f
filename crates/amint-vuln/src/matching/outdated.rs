//! Packages that are older than the newest of their suites, and packages whose support is limited.

use amint_types::Severity;
use amint_types::scan::{FindingKind, OperatingSystem, PackageKind, ScanFinding, ScannedPackage};

use crate::database::DatabaseError;
use crate::versions::compare;

use super::context::MatchContext;
use super::finding::fingerprint;
use super::group::{Group, groups};
use super::matcher::{Matcher, sort};

impl Matcher<'_> {
    /// Finds packages of Debian and its children that a suite of the image has a newer version of (VUL-002), whose
    /// security support has ended, or is limited (EOL-003).
    pub fn outdated_packages(
        &self,
        system: &OperatingSystem,
        packages: &[ScannedPackage],
        context: &MatchContext<'_>,
    ) -> Result<Vec<ScanFinding>, DatabaseError> {
        let known = self.system(Some(system), context)?;
        let Some(ecosystem) = known.ecosystems.first() else { return Ok(Vec::new()) };
        let notes = self.database.support_notes(ecosystem)?;
        let mut findings = Vec::new();
        for group in groups(packages.iter().filter(|package| package.kind == PackageKind::Deb)) {
            if self.reason_not_to_judge(&group, Some(system), &known)?.is_some() {
                continue;
            }
            let mut newest = None;
            for suite in &known.suites {
                let found = self.database.newest(ecosystem, suite, &group.source)?;
                let is_newer = found.as_ref().is_some_and(|found| {
                    let than = newest
                        .as_ref()
                        .map_or(group.version.as_str(), |(version, _): &(String, usize)| version);
                    compare(ecosystem.scheme(), &found.value, than).is_gt()
                });
                if let (true, Some(found)) = (is_newer, found) {
                    newest = Some((found.value, found.source));
                }
            }
            if let Some((version, source)) = newest {
                let mut finding = base(&group, "VUL-002", Severity::Medium);
                finding.title = format!("{} is older than the newest of its suites", group.source);
                finding.source = self.database.sources().get(source).map(|source| source.name.clone());
                finding.fix = Some(format!("update to {version}"));
                (finding.fixed_version, finding.is_fix_available) = (Some(version), Some(true));
                findings.push(finding);
            }
            for note in notes.iter().filter(|note| note.value.is_about(&group.source)) {
                let (severity, what) = if note.value.has_ended {
                    (Severity::High, "has ended")
                } else {
                    (Severity::Medium, "is limited")
                };
                let mut finding = base(&group, "EOL-003", severity);
                finding.title = format!("security support for {} {what}", group.source);
                finding.evidence = Some(note.value.text.clone()).filter(|text| !text.is_empty());
                finding.source = self.database.sources().get(note.source).map(|source| source.name.clone());
                findings.push(finding);
            }
        }
        sort(&mut findings);
        Ok(findings)
    }
}

fn base(group: &Group<'_>, rule: &str, severity: Severity) -> ScanFinding {
    let package = group.packages.first();
    let path = package.map_or_else(|| "/".to_owned(), |package| package.path.clone());
    ScanFinding {
        id: fingerprint(&[rule, &path, &group.source, &group.version]),
        package: package.map(|package| package.name.clone()),
        version: package.map(|package| package.version.clone()),
        purl: package.map(|package| package.purl.clone()),
        requirements: vec![rule.to_owned()],
        ..ScanFinding::new(FindingKind::Rule, rule, "", severity, path)
    }
}
