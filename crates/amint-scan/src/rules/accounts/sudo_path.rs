use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use super::default_user::write_default_user;
use super::passwordless_sudo;
use crate::facts::cloud::{self, CloudConfig};
use crate::facts::sudoers::{self, Sudoers};
use crate::facts::yaml::Yaml;
use crate::rule::finding;
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, Fix, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// The user can become root.
pub(in crate::rules) struct SudoPath;

static META: RuleMeta = RuleMeta {
    id: "ACC-008",
    title: "the user, and nobody else, becomes root without a password",
    requirements: &["A2", "A8", "B6", "MP-L4", "MP-G7", "CIS-5.2"],
    rationale: "The owner of an instance must be able to administer it. Root is locked and no account has a password, \
                so sudo must let the one user in without asking for one. Whoever else it lets in, and whoever may write \
                to a program that it runs, is root as soon as their account falls.",
    remedy: "Keep cloud-init's default user with `sudo: ALL=(ALL) NOPASSWD:ALL`, or grant the same in /etc/sudoers.d; remove `NOPASSWD` \
             and `!authenticate` for everyone else, and let only root write what sudo runs.",
    severities: Severities::public(Severity::Critical, Some(Severity::Medium)),
};

/// Where sudo lies.
const PROGRAM: &str = "/usr/bin/sudo";

impl Rule for SudoPath {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let user = &cx.request().user;
        if !Sudoers::is_installed(cx)? {
            return Ok(Verdict::Fail(vec![finding("sudo is not installed", Path::new(PROGRAM))]));
        }
        let mut findings = passwordless_sudo::findings(cx)?;
        if !has_path(cx)? {
            let message = format!("nothing lets {user} become root without a password");
            findings.push(finding(message, Path::new(sudoers::MAIN)));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            let is_missing = Sudoers::is_installed(&look)? && !has_path(&look)?;
            if is_missing { write_default_user(cx) } else { Ok(()) }
        })
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        match finding.evidence.path.as_str() {
            PROGRAM => Some(RecipeChange::InstallPackage("sudo".to_owned())),
            sudoers::MAIN => finding.message.starts_with("nothing lets").then_some(RecipeChange::Harden),
            _ if finding.message.ends_with("without a password") => without_drop_in(finding),
            _ => None,
        }
    }
}

/// Tells whether cloud-init or the image itself lets the user become root.
fn has_path(cx: &Context<'_>) -> Result<bool, CheckError> {
    let user = &cx.request().user;
    let by_cloud_init = match cx.cloud()? {
        Some(config) => cloud::is_enabled(cx)? && is_made_with_sudo(config, user),
        None => false,
    };
    Ok(by_cloud_init || is_granted(cx, user)?)
}

/// Tells whether cloud-init makes the user at boot and grants everything.
fn is_made_with_sudo(config: &CloudConfig, user: &str) -> bool {
    let grants_all = |value: &Yaml| {
        let rule = |item: &Yaml| {
            item.text().is_some_and(|text| text.contains("NOPASSWD") && text.trim_end().ends_with("ALL"))
        };
        value.at(&["sudo"]).is_some_and(|sudo| sudo.items().iter().any(rule))
    };
    let is_called = |value: &Yaml| value.at(&["name"]).and_then(Yaml::text) == Some(user);
    let users = config.merged.at(&["users"]).map_or(&[][..], Yaml::items);
    let is_default_made = users.is_empty() || users.iter().any(|item| item.text() == Some("default"));
    let default = config.merged.at(&["system_info", "default_user"]);
    let has_module = config.has_module("users-groups");
    let by_default =
        is_default_made && default.is_some_and(|default| is_called(default) && grants_all(default));
    has_module && (by_default || users.iter().any(|item| is_called(item) && grants_all(item)))
}

fn is_granted(cx: &Context<'_>, name: &str) -> Result<bool, CheckError> {
    let Some(identity) = cx.accounts()?.identity(cx, name)? else { return Ok(false) };
    let sudoers = cx.fact(Sudoers::load)?;
    Ok(sudoers.full_access(&identity) == Some(false))
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    const CLOUD: &str = "users: [default]\ncloud_init_modules: [users_groups]\nsystem_info:\n  default_user:\n    name: ec2-user\n    sudo: [\"ALL=(ALL) NOPASSWD:ALL\"]\n";

    fn image(cloud: &str) -> Fixture {
        Fixture::new()
            .file("/usr/bin/sudo", "")
            .file("/usr/bin/cloud-init", "")
            .file("/usr/lib/systemd/system/cloud-init.service", "[Unit]\n")
            .link("/x", "/etc/systemd/system/cloud-init.target.wants/cloud-init.service")
            .file("/etc/cloud/cloud.cfg", cloud)
    }

    #[test]
    fn cloud_inits_default_user_counts_when_it_is_made() {
        assert!(image(CLOUD).is_pass("ACC-008"));
        assert!(!image(&CLOUD.replace("[default]", "[joe]")).is_pass("ACC-008"));
        assert!(!image(&CLOUD.replace("ec2-user", "debian")).is_pass("ACC-008"));
        assert!(!image(&CLOUD.replace("NOPASSWD:", "")).is_pass("ACC-008"));
    }

    #[test]
    fn a_grant_to_the_users_group_counts() {
        let fixture = Fixture::new()
            .file("/usr/bin/sudo", "")
            .file("/etc/passwd", "ec2-user:x:1000:1000::/home/e:/bin/sh\n")
            .file("/etc/group", "wheel:x:10:ec2-user\n")
            .file("/etc/sudoers", "%wheel ALL=(ALL) ALL\n");
        assert!(!fixture.is_pass("ACC-008"));
        assert!(
            fixture
                .file("/etc/sudoers.d/w", "")
                .file("/etc/sudoers", "%wheel ALL=(ALL) NOPASSWD: ALL\n")
                .is_pass("ACC-008")
        );
    }

    #[test]
    fn the_fix_names_the_expected_user() {
        let fixture = image(&CLOUD.replace("ec2-user", "debian"));
        fixture.harden_twice();
        assert!(fixture.is_pass("ACC-008") && fixture.is_pass("ACC-014"));
    }
}
