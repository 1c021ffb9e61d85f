use std::path::Path;

use amint_debian::version::Version;
use amint_types::Severity;
use amint_types::report::Finding;
use amint_types::scan::Kernel;

use super::clean::is_package_name;
use crate::rule::finding;
use crate::system::kernels;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// The newest installed kernel is the one that boots, and it is the only one.
pub(in crate::rules) struct NewestKernel;

static META: RuleMeta = RuleMeta {
    id: "VUL-003",
    title: "the newest installed kernel boots, and no old one is left",
    requirements: &["A2", "A7"],
    rationale: "An update of the kernel protects only once it boots; an old kernel that is still there can be chosen, \
                and its holes with it.",
    remedy: "Remove the old kernels, and let the boot loader start the newest.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// What is said of old kernels.
const OLDER: &str = " is older than the one that boots";

impl Rule for NewestKernel {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = cx.fact(kernels)?;
        let told: Vec<&Kernel> = found.kernels.iter().filter(|kernel| number(kernel).is_some()).collect();
        if told.is_empty() {
            return Ok(Verdict::NotApplicable("there is no kernel whose name tells its version".to_owned()));
        }
        let mut findings = Vec::new();
        if let Some(missing) = &found.missing {
            let message = format!("the boot loader starts `{missing}`, which is not there");
            findings.push(finding(message, Path::new("/boot")));
        }
        let newest = told.iter().copied().max_by_key(|kernel| number(kernel));
        let default = told.iter().copied().find(|kernel| kernel.is_default);
        let kept = default.or(newest);
        if let (Some(default), Some(newest)) = (default, newest)
            && number(default) < number(newest)
        {
            let message = format!("kernel {} boots, though {} is installed", default.release, newest.release);
            findings.push(finding(message, Path::new(&default.path)));
        }
        let older = told.iter().filter(|kernel| kept.is_some_and(|kept| number(kernel) < number(kept)));
        for kernel in older {
            let message = format!("kernel {}{OLDER}", kernel.release);
            let mut finding = finding(message, Path::new(&kernel.path));
            finding.severity = Some(Severity::Low);
            findings.push(finding);
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let release = finding.message.strip_prefix("kernel ")?.strip_suffix(OLDER)?;
        let release = Some(release).filter(|release| is_package_name(release))?;
        // Debian's packages are named after the release.
        Some(RecipeChange::RemovePackage(format!("linux-image-{release}")))
    }
}

/// Returns the version of a kernel without its flavour: `6.1.0-31` of `6.1.0-31-cloud-amd64`; none of one for rescue.
fn number(kernel: &Kernel) -> Option<Version> {
    let release = &kernel.release;
    if release.contains("rescue") || !release.starts_with(|letter: char| letter.is_ascii_digit()) {
        return None;
    }
    let parts: Vec<&str> = release.split('-').collect();
    let is_number = |part: &&&str| part.starts_with(|letter: char| letter.is_ascii_digit());
    let numbers: Vec<&str> = parts.iter().take_while(is_number).copied().collect();
    // Debian's own marks are part of the version, kinds of a build are not: `+deb13`, `+debug`.
    let text = numbers.join("-");
    text.trim_end_matches("+debug").trim_end_matches("+rt").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn grub(entries: &[&str]) -> String {
        entries.iter().fold(String::new(), |menu, release| {
            menu + &format!("menuentry '{release}' {{\n linux /boot/vmlinuz-{release} root=x\n}}\n")
        })
    }

    fn with(installed: &[&str], entries: &[&str]) -> Fixture {
        let fixture = Fixture::new().file("/boot/grub/grub.cfg", &grub(entries));
        installed
            .iter()
            .fold(fixture, |fixture, release| fixture.file(&format!("/boot/vmlinuz-{release}"), "k"))
    }

    #[test]
    fn an_old_kernel_that_boots_is_found_by_number_and_not_by_letter() {
        let fixture = with(&["6.1.0-9-amd64", "6.1.0-31-amd64"], &["6.1.0-9-amd64", "6.1.0-31-amd64"]);
        assert_eq!(
            fixture.findings("VUL-003"),
            ["/boot/vmlinuz-6.1.0-9-amd64 kernel 6.1.0-9-amd64 boots, though 6.1.0-31-amd64 is installed"]
        );
    }

    #[test]
    fn an_old_kernel_that_is_left_weighs_little() {
        let fixture = with(&["6.1.0-9-amd64", "6.1.0-31-amd64"], &["6.1.0-31-amd64", "6.1.0-9-amd64"]);
        let Verdict::Fail(findings) = fixture.check("VUL-003") else { panic!("must fail") };
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].severity, Some(Severity::Low));
    }

    #[test]
    fn flavours_of_one_version_and_kernels_for_rescue_are_no_old_kernels() {
        let fixture = with(&["6.1.0-31-amd64", "6.1.0-31-cloud-amd64"], &["6.1.0-31-cloud-amd64"]);
        assert!(fixture.is_pass("VUL-003"));
        let installed = ["5.14.0-503.el9.x86_64", "0-rescue-0123456789abcdef"];
        assert!(with(&installed, &["5.14.0-503.el9.x86_64"]).is_pass("VUL-003"));
    }

    #[test]
    fn a_boot_loader_that_starts_what_is_not_there_is_told() {
        let fixture = with(&["6.1.0-31-amd64"], &["6.1.0-28-amd64"]);
        assert_eq!(
            fixture.findings("VUL-003"),
            ["/boot the boot loader starts `/boot/vmlinuz-6.1.0-28-amd64`, which is not there"]
        );
        assert!(matches!(Fixture::new().check("VUL-003"), Verdict::NotApplicable(_)));
    }
}
