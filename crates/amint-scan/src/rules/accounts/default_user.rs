use amint_types::Severity;

use crate::facts::cloud::{self, FOLDER};
use crate::facts::yaml::Yaml;
use crate::rule::finding;
use crate::{CheckError, Context, Fix, FixContext, Rule, RuleMeta, Severities, Verdict};

/// The user has the same name in every image.
pub(in crate::rules) struct DefaultUser;

static META: RuleMeta = RuleMeta {
    id: "ACC-014",
    title: "cloud-init's default user is the expected one",
    requirements: &["A2", "A8"],
    rationale: "The listing, the scanner and people's scripts log in under one name in all versions and products; a \
                distribution's own name for it differs from image to image.",
    remedy: "Set `system_info.default_user.name` in a file of /etc/cloud/cloud.cfg.d.",
    severities: Severities {
        marketplace: Some(Severity::High),
        shared_linux: Some(Severity::Medium),
        hardened: Some(Severity::Medium),
        hardened_level_2: None,
        private: Some(Severity::Low),
    },
};

const KEYS: [&str; 3] = ["system_info", "default_user", "name"];

impl Rule for DefaultUser {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.cloud()? else {
            return Ok(Verdict::NotApplicable("cloud-init is not installed".to_owned()));
        };
        let expected = &cx.request().user;
        let name = config.merged.at(&KEYS).and_then(Yaml::text);
        if name == Some(expected) {
            return Ok(Verdict::Pass);
        }
        let message = match name {
            Some(name) => format!("the default user is {name}, expected {expected}"),
            None => format!("no default user is named, expected {expected}"),
        };
        Ok(Verdict::Fail(vec![finding(message, config.source(&KEYS))]))
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| match DefaultUser.check(&cx.look())? {
            Verdict::Fail(_) => write_default_user(cx),
            Verdict::Pass | Verdict::NotApplicable(_) => Ok(()),
        })
    }
}

/// Tells cloud-init who the default user is, after all other files.
pub(super) fn write_default_user(cx: &FixContext<'_>) -> Result<(), CheckError> {
    let user = &cx.request().user;
    if cx.look().metadata(cloud::MAIN)?.is_none() {
        return Ok(());
    }
    let content = format!(
        "# Written by amint: one user name for every image.\n\
         system_info:\n  default_user:\n    name: {user:?}\n    gecos: {user:?}\n    lock_passwd: true\n    \
         sudo: [\"ALL=(ALL) NOPASSWD:ALL\"]\n    shell: /bin/bash\n"
    );
    cx.write(format!("{FOLDER}/99_amint_user.cfg"), &content, 0o644)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn the_last_file_decides() {
        let fixture = Fixture::new()
            .file("/usr/bin/cloud-init", "")
            .file(
                "/etc/cloud/cloud.cfg",
                "system_info: {distro: debian, default_user: {name: debian, shell: /bin/sh}}\n",
            )
            .file("/etc/cloud/cloud.cfg.d/10_x.cfg", "system_info: {default_user: {name: admin}}\n");
        assert_eq!(
            fixture.findings("ACC-014"),
            ["/etc/cloud/cloud.cfg.d/10_x.cfg the default user is admin, expected ec2-user"]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("ACC-014"));
    }

    #[test]
    fn a_configuration_that_cannot_be_read_is_not_evaluated() {
        let fixture =
            Fixture::new().file("/usr/bin/cloud-init", "").file("/etc/cloud/cloud.cfg", "users: [\n");
        let report = fixture.scan();
        let result = report.rules.iter().find(|result| result.rule == "ACC-014").unwrap();
        assert_eq!(result.outcome.as_str(), "not_evaluated");
    }
}
