use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;
use jiff::civil::Date;

use super::clean::is_package_name;
use crate::facts::packages::{installed, is_debian, system};
use crate::glob;
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// No package is installed whose security support Debian has ended or limited.
pub(in crate::rules) struct SupportedPackages;

static META: RuleMeta = RuleMeta {
    id: "EOL-003",
    title: "Debian supports the security of every installed package",
    requirements: &["A2", "A7", "MP-G2"],
    rationale: "Debian gives up single packages before a release ends; nobody mends their holes any more, and no list \
                of advisories says so.",
    remedy: "Remove the package, or take what its authors still support.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// Release (`*` is all), source package, last day of support (`-` where support is limited), reason.
const TABLE: &str = include_str!("../../../data/debian_support.tsv");

struct Row {
    release: &'static str,
    source: &'static str,
    ends: Option<Date>,
    reason: &'static str,
}

fn rows() -> impl Iterator<Item = Row> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
    lines.filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
        [release, source, ends, reason] => Some(Row { release, source, ends: ends.parse().ok(), reason }),
        _ => None,
    })
}

impl Rule for SupportedPackages {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let system = system(cx)?;
        let release = match Option::as_ref(&*system) {
            Some(system) if system.id == "debian" => system.version_id.clone().unwrap_or_default(),
            _ => {
                return Ok(Verdict::NotApplicable(
                    "only Debian ends the support of single packages".to_owned(),
                ));
            }
        };
        let mut findings: Vec<Finding> = Vec::new();
        for package in installed(cx)?.packages().iter().filter(|package| is_debian(package)) {
            let source = package.source.as_deref().unwrap_or(&package.name);
            let mut rows = rows().filter(|row| row.release == "*" || row.release == release);
            let Some(row) = rows.find(|row| glob::is_match(row.source, source)) else { continue };
            let (what, severity) = match row.ends {
                Some(ends) if ends <= cx.request().today => (format!("ended on {ends}"), Severity::High),
                Some(_) => continue,
                // What is limited may be used as Debian says: a person must look.
                None => ("is limited".to_owned(), Severity::Low),
            };
            let message =
                format!("Debian's security support of `{}` ({source}) {what}: {}", package.name, row.reason);
            let mut found = finding(message, Path::new(&package.path));
            found.severity = Some(severity);
            findings.push(found);
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        // What is limited may be needed, and used as Debian says.
        if finding.severity == Some(Severity::Low) {
            return None;
        }
        let name = finding.message.split('`').nth(1).filter(|name| is_package_name(name))?;
        Some(RecipeChange::RemovePackage(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn debian(status: &str) -> Fixture {
        Fixture::new()
            .file("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
            .file("/var/lib/dpkg/status", status)
    }

    #[test]
    fn every_line_of_the_table_can_be_read() {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).count();
        assert_eq!(rows().count(), lines);
        assert!(rows().all(|row| row.ends.is_some() || row.release == "*"));
    }

    #[test]
    fn ended_support_is_found_by_source_and_limited_support_weighs_little() {
        let fixture = debian(
            "Package: pdns-server\nSource: pdns\nStatus: install ok installed\nVersion: 4.7.3-2\n\n\
             Package: binutils\nStatus: install ok installed\nVersion: 2.40-2\n\n\
             Package: openssl\nStatus: install ok installed\nVersion: 3.0.17-1\n",
        );
        let Verdict::Fail(findings) = fixture.check("EOL-003") else { panic!("must fail") };
        let told: Vec<_> =
            findings.iter().map(|found| (found.message.split('`').nth(1), found.severity)).collect();
        assert_eq!(
            told,
            [(Some("pdns-server"), Some(Severity::High)), (Some("binutils"), Some(Severity::Low))]
        );
    }

    #[test]
    fn support_that_has_not_ended_yet_and_other_systems_pass() {
        let status = "Package: pdns-server\nSource: pdns\nStatus: install ok installed\nVersion: 4.7.3-2\n";
        let mut fixture = debian(status);
        fixture.request.today = jiff::civil::date(2025, 9, 30);
        assert!(fixture.is_pass("EOL-003"));
        let ubuntu =
            Fixture::new().file("/etc/os-release", "ID=ubuntu\n").file("/var/lib/dpkg/status", status);
        assert!(matches!(ubuntu.check("EOL-003"), Verdict::NotApplicable(_)));
    }
}
