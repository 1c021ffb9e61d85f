use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::rule::{finding, finding_at};
use crate::rules::services::started::Started;
use crate::system::kernels;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// `SELinux` or `AppArmor` confines programs.
pub(in crate::rules) struct AccessControl;

static META: RuleMeta = RuleMeta {
    id: "MAC-001",
    title: "SELinux or AppArmor confines programs",
    requirements: &["B6", "CIS-1.3"],
    rationale: "Mandatory access control keeps a program that was taken over to what it needs for its work. Switched off, \
                or only complaining, it stops nothing.",
    remedy: "Set `SELINUX=enforcing` in /etc/selinux/config, or install apparmor and let its unit start; remove `selinux=0`, \
             `enforcing=0` and `apparmor=0` from the kernel's command line.",
    severities: Severities::hardened(Severity::Medium),
};

const SELINUX: &str = "/etc/selinux/config";
const APPARMOR: &str = "/usr/sbin/apparmor_parser";
const PROFILES: &str = "/etc/apparmor.d";
const NONE: &str = "neither SELinux nor AppArmor is there";

impl Rule for AccessControl {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let all = cx.fact(kernels)?;
        let line = all
            .kernels
            .iter()
            .find(|kernel| kernel.is_default)
            .and_then(|kernel| kernel.command_line.clone());
        let has = |word: &str| line.as_deref().unwrap_or_default().split_whitespace().any(|one| one == word);
        let low = |finding: Finding| Finding { severity: Some(Severity::Low), ..finding };
        if let Some(text) = cx.text(SELINUX)? {
            let path = Path::new(SELINUX);
            let lines = (1_u32..).zip(text.lines());
            let mut settings = lines
                .filter_map(|(number, text)| Some((number, text, text.strip_prefix("SELINUX=")?.trim())));
            // libselinux reads the first line (selinux_config(5)).
            let (number, text, mode) = settings.next().unwrap_or((1, "", "disabled"));
            let mut findings = Vec::new();
            match mode {
                "enforcing" => {}
                "permissive" => {
                    findings.push(low(finding_at("SELinux tells, and forbids nothing", path, number, text)));
                }
                _ => findings.push(finding_at("SELinux is switched off", path, number, text)),
            }
            for word in ["selinux=0", "enforcing=0"].into_iter().filter(|word| has(word)) {
                findings.push(finding(format!("the kernel is started with `{word}`"), path));
            }
            return Ok(findings.into());
        }
        if !cx.exists(APPARMOR)? && !cx.exists("/sbin/apparmor_parser")? {
            return Ok(vec![low(finding(NONE, Path::new("/etc")))].into());
        }
        let mut findings = Vec::new();
        if has("apparmor=0") {
            findings.push(finding("the kernel is started with `apparmor=0`", Path::new(PROFILES)));
        }
        if !cx.fact(Started::load)?.has(&["apparmor.service"]) {
            let message = "apparmor.service does not start, so no profile is loaded";
            findings.push(low(finding(message, Path::new(PROFILES))));
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        match finding.message.as_str() {
            NONE => Some(RecipeChange::InstallPackage("apparmor".to_owned())),
            message if message.starts_with("apparmor.service") => {
                Some(RecipeChange::EnableService("apparmor.service".to_owned()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn severities(fixture: &Fixture) -> Vec<Option<Severity>> {
        match fixture.check("MAC-001") {
            Verdict::Fail(findings) => findings.iter().map(|found| found.severity).collect(),
            other => panic!("must fail: {other:?}"),
        }
    }

    #[test]
    fn selinux_is_judged_by_its_first_setting() {
        let config = |text: &str| Fixture::new().file("/etc/selinux/config", text);
        assert!(config("# SELINUX=disabled\nSELINUX=enforcing\nSELINUX=disabled\n").is_pass("MAC-001"));
        assert_eq!(severities(&config("SELINUX=permissive\n")), [Some(Severity::Low)]);
        assert_eq!(severities(&config("SELINUX=disabled\n")), [None]);
        assert_eq!(severities(&config("")), [None]);
    }

    #[test]
    fn apparmor_has_to_start() {
        let installed = Fixture::new()
            .file("/usr/sbin/apparmor_parser", "")
            .file("/usr/lib/systemd/system/apparmor.service", "[Service]\nType=oneshot\nExecStart=/x\n");
        assert_eq!(severities(&installed), [Some(Severity::Low)]);
        let started = installed.started("apparmor.service");
        assert!(started.is_pass("MAC-001"));
        assert_eq!(severities(&Fixture::new()), [Some(Severity::Low)]);
    }
}
