use std::path::Path;

use amint_types::Severity;

use super::programs::{Form, Programs};
use crate::facts::packages::installed;
use crate::rule::finding;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// Programs come from packages, or are told.
pub(in crate::rules) struct Unmanaged;

static META: RuleMeta = RuleMeta {
    id: "VUL-005",
    title: "programs that no package brought are known",
    requirements: &["A2", "A5"],
    rationale: "Nobody updates a program that no package owns, and no list of vulnerabilities knows it by name.",
    remedy: "Install it from a package, or keep its updates in mind: the recipe is the only place that renews it.",
    severities: Severities::public(Severity::Info, Some(Severity::Info)),
};

/// Where programs are looked for.
const FOLDERS: [&str; 6] = ["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local", "/opt"];
/// How many are told one by one.
const TOLD_MAX: usize = 200;

impl Rule for Unmanaged {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        if !installed(cx)?.has_files() {
            return Ok(Verdict::NotApplicable("no database of packages".to_owned()));
        }
        let programs = cx.fact(Programs::load)?;
        let found: Vec<_> = programs
            .files
            .iter()
            .filter(|program| {
                program.is_executable() && program.form != Form::Other && program.is_below(&FOLDERS)
            })
            .collect();
        let mut findings: Vec<_> = found
            .iter()
            .take(TOLD_MAX)
            .map(|program| {
                let what = if program.form == Form::Elf { "a program" } else { "a script" };
                finding(format!("{what} that no package brought"), &program.path)
            })
            .collect();
        if found.len() > TOLD_MAX {
            let message = format!("{} more programs that no package brought", found.len() - TOLD_MAX);
            findings.push(finding(message, Path::new("/")));
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::testing::Fixture;

    #[test]
    fn programs_of_packages_are_told_from_those_of_nobody() {
        let fixture = Fixture::new()
            .file("/usr/bin/ls", "\u{7f}ELF")
            .mode("/usr/bin/ls", 0o755)
            .file("/opt/app/run", "#!/bin/sh\n")
            .mode("/opt/app/run", 0o755)
            .file("/opt/app/data", "#!/bin/sh\n");
        assert!(matches!(fixture.check("VUL-005"), Verdict::NotApplicable(_)));
        let fixture = fixture
            .file(
                "/var/lib/dpkg/status",
                "Package: coreutils\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\n",
            )
            .file("/var/lib/dpkg/info/coreutils.list", "/.\n/bin\n/bin/ls\n");
        assert_eq!(fixture.findings("VUL-005"), ["/opt/app/run a script that no package brought"]);
    }
}
