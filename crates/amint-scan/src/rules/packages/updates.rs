use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::apt_settings::AptSettings;
use crate::facts::packages::installed;
use crate::facts::units;
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Fixes of security come by themselves.
pub(in crate::rules) struct UpdatePolicy;

static META: RuleMeta = RuleMeta {
    id: "VUL-009",
    title: "a policy brings security updates by itself",
    requirements: &["A2", "A7"],
    rationale: "An instance lives longer than the day its image was built; what nobody updates is open to every hole \
                that is found later.",
    remedy: "Install and switch on unattended-upgrades, dnf-automatic or what the system has in their place, or tell \
             buyers how they update.",
    severities: Severities {
        marketplace: Some(Severity::Low),
        shared_linux: Some(Severity::Low),
        hardened: Some(Severity::Low),
        ..Severities::NONE
    },
};

/// Timers of rpm's world that install updates.
const TIMERS: [&str; 7] = [
    "dnf-automatic-install.timer",
    "dnf-automatic.timer",
    "dnf5-automatic.timer",
    "yum-cron.service",
    "transactional-update.timer",
    "os-update.timer",
    "yast2-online-update.timer",
];
/// Settings of those that only fetch or tell unless they are told to install.
const AUTOMATIC_FILES: [&str; 3] =
    ["/etc/dnf/automatic.conf", "/etc/dnf/dnf5-plugins/automatic.conf", "/etc/yum/yum-cron.conf"];

impl Rule for UpdatePolicy {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let installed = installed(cx)?;
        let finding = if cx.exists("/var/lib/dpkg/status")? {
            let has_program = installed.find("unattended-upgrades").is_some();
            debian(cx, has_program)?
        } else if cx.exists("/etc/yum.repos.d")? || cx.exists("/etc/zypp")? {
            rpm(cx)?
        } else {
            let reason = "the package manager has no service for updates that is known";
            return Ok(Verdict::NotApplicable(reason.to_owned()));
        };
        Ok(finding.into_iter().collect::<Vec<Finding>>().into())
    }

    fn recipe_change(&self, _finding: &Finding) -> Option<RecipeChange> {
        Some(RecipeChange::InstallPackage("unattended-upgrades".to_owned()))
    }
}

fn debian(cx: &Context<'_>, has_program: bool) -> Result<Option<Finding>, CheckError> {
    if !has_program {
        let message = "unattended-upgrades is not installed, so nothing brings security updates";
        return Ok(Some(finding(message, Path::new("/var/lib/dpkg/status"))));
    }
    let settings = cx.fact(AptSettings::load)?;
    let value = settings.get("APT::Periodic::Unattended-Upgrade");
    let is_on = |text: &str| !matches!(text, "" | "0" | "no" | "false" | "off" | "never");
    if !value.is_some_and(|setting| is_on(&setting.value)) {
        let path = value.map_or_else(|| PathBuf::from("/etc/apt/apt.conf.d"), |setting| setting.path.clone());
        let message = "unattended-upgrades is installed and switched off (APT::Periodic::Unattended-Upgrade)";
        return Ok(Some(finding(message, &path)));
    }
    let timer = "apt-daily-upgrade.timer";
    if units::is_masked(cx, timer)? {
        let path = Path::new("/etc/systemd/system").join(timer);
        return Ok(Some(finding("the timer of unattended-upgrades is masked", &path)));
    }
    Ok(None)
}

fn rpm(cx: &Context<'_>) -> Result<Option<Finding>, CheckError> {
    for timer in TIMERS {
        if !units::is_enabled(cx, timer)? {
            continue;
        }
        if !matches!(timer, "dnf-automatic.timer" | "dnf5-automatic.timer" | "yum-cron.service") {
            return Ok(None);
        }
        for path in AUTOMATIC_FILES {
            let text = cx.text(path)?.unwrap_or_default();
            let applies = text.lines().filter_map(|line| line.split_once('=')).any(|(key, value)| {
                let is_yes =
                    matches!(value.trim().to_ascii_lowercase().as_str(), "yes" | "true" | "1" | "on");
                key.trim() == "apply_updates" && is_yes
            });
            if applies {
                return Ok(None);
            }
        }
        let message = format!("`{timer}` is on and installs nothing (apply_updates)");
        return Ok(Some(finding(message, Path::new(AUTOMATIC_FILES[0]))));
    }
    let message = "no timer brings security updates";
    Ok(Some(finding(message, Path::new("/etc/systemd/system"))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    const STATUS: &str = "Package: unattended-upgrades\nStatus: install ok installed\nVersion: 2.9\n";

    #[test]
    fn debian_is_asked_for_the_program_its_switch_and_its_timer() {
        let debian = |status: &str| Fixture::new().file("/var/lib/dpkg/status", status);
        assert_eq!(
            debian("Package: apt\nStatus: install ok installed\nVersion: 1\n").findings("VUL-009").len(),
            1
        );
        assert!(debian(STATUS).findings("VUL-009")[0].contains("switched off"));
        let on =
            debian(STATUS).file("/etc/apt/apt.conf.d/20auto", "APT::Periodic::Unattended-Upgrade \"1\";\n");
        assert!(on.is_pass("VUL-009"));
        let off = on.file("/etc/apt/apt.conf.d/99off", "APT { Periodic { Unattended-Upgrade \"0\"; }; };\n");
        assert_eq!(off.paths("VUL-009"), ["/etc/apt/apt.conf.d/99off"]);
        let masked = debian(STATUS)
            .file("/etc/apt/apt.conf.d/20auto", "APT::Periodic::Unattended-Upgrade \"1\";\n")
            .link("/dev/null", "/etc/systemd/system/apt-daily-upgrade.timer");
        assert!(masked.findings("VUL-009")[0].contains("masked"));
    }

    #[test]
    fn a_timer_that_only_fetches_is_no_policy() {
        let wants = "/etc/systemd/system/timers.target.wants/dnf-automatic.timer";
        let fixture = Fixture::new()
            .dir("/etc/yum.repos.d")
            .file(
                "/usr/lib/systemd/system/dnf-automatic.timer",
                "[Timer]\n[Install]\nWantedBy=timers.target\n",
            )
            .link("/usr/lib/systemd/system/dnf-automatic.timer", wants)
            .file("/etc/dnf/automatic.conf", "[commands]\napply_updates = no\n");
        assert!(fixture.findings("VUL-009")[0].contains("installs nothing"));
        let fixture = fixture.file("/etc/dnf/automatic.conf", "[commands]\napply_updates = yes\n");
        assert!(fixture.is_pass("VUL-009"));
        assert!(matches!(Fixture::new().check("VUL-009"), Verdict::NotApplicable(_)));
    }
}
