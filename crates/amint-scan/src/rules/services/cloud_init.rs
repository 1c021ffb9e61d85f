use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::cloud::{self, FOLDER, MAIN};
use crate::facts::yaml::Yaml;
use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Instances take their owner's key.
pub(in crate::rules) struct CloudInit;

static META: RuleMeta = RuleMeta {
    id: "SVC-004",
    title: "cloud-init runs and may ask EC2",
    requirements: &["A2", "A8", "A9", "MP-L4", "SHARED-5"],
    rationale: "No key is in the image, so something must fetch the owner's key at boot. cloud-init does, when it is \
                enabled and EC2 is among the places that it asks.",
    remedy: "Install cloud-init, remove /etc/cloud/cloud-init.disabled, and let `datasource_list` contain `Ec2`.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const IDENTIFY: &str = "/etc/cloud/ds-identify.cfg";

impl Rule for CloudInit {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.cloud()? else {
            return Ok(Verdict::Fail(vec![finding(
                "cloud-init is not installed",
                Path::new("/usr/bin/cloud-init"),
            )]));
        };
        let mut findings = Vec::new();
        if !cloud::is_enabled(cx)? {
            findings.push(finding("cloud-init is disabled", Path::new("/etc/cloud")));
        }
        let sources = config.merged.at(&["datasource_list"]);
        let is_ec2_left_out =
            sources.is_some_and(|sources| !sources.items().iter().any(|item| item.text() == Some("Ec2")));
        if is_ec2_left_out {
            let message = "datasource_list does not contain Ec2";
            findings.push(finding(message, config.source(&["datasource_list"])));
        }
        for line in cx.text(IDENTIFY)?.unwrap_or_default().lines() {
            let words: Vec<&str> = line.split([':', ' ', ',']).filter(|word| !word.is_empty()).collect();
            match words[..] {
                ["policy", "disabled", ..] => {
                    findings.push(finding("cloud-init is disabled", Path::new(IDENTIFY)));
                }
                ["datasource", source, ..] if source != "Ec2" => {
                    findings.push(finding("only another data source than Ec2 is asked", Path::new(IDENTIFY)));
                }
                _ => {}
            }
        }
        let is_imds_off = config.merged.at(&["disable_ec2_metadata"]).and_then(Yaml::switch) == Some(true);
        if is_imds_off {
            findings.push(finding(
                "disable_ec2_metadata shuts the metadata service out",
                config.source(&["disable_ec2_metadata"]),
            ));
        }
        if config.files.iter().all(|(path, _)| path != Path::new(MAIN) && !path.starts_with(FOLDER)) {
            findings.push(finding("cloud-init has no configuration", Path::new(MAIN)));
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        if finding.evidence.path == "/usr/bin/cloud-init" {
            return Some(RecipeChange::InstallPackage("cloud-init".to_owned()));
        }
        self.fix().map(|_| RecipeChange::Harden)
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image(config: &str) -> Fixture {
        Fixture::new()
            .file("/usr/bin/cloud-init", "")
            .file("/usr/lib/systemd/system/cloud-init-main.service", "[Unit]\n")
            .link("/x", "/etc/systemd/system/cloud-init.target.wants/cloud-init-main.service")
            .file("/etc/cloud/cloud.cfg", config)
    }

    #[test]
    fn an_enabled_cloud_init_that_may_ask_ec2_passes() {
        assert!(image("users: [default]\n").is_pass("SVC-004"));
        assert!(image("datasource_list: [NoCloud, Ec2]\n").is_pass("SVC-004"));
    }

    #[test]
    fn every_way_to_lose_the_key_is_found() {
        assert_eq!(Fixture::new().findings("SVC-004").len(), 1);
        assert_eq!(image("datasource_list: [ NoCloud ]\n").findings("SVC-004").len(), 1);
        assert_eq!(image("").file("/etc/cloud/cloud-init.disabled", "").findings("SVC-004").len(), 1);
        assert_eq!(
            image("")
                .link("/dev/null", "/etc/systemd/system/cloud-init-main.service")
                .findings("SVC-004")
                .len(),
            1
        );
        assert_eq!(
            image("").file("/etc/cloud/ds-identify.cfg", "policy: disabled\n").findings("SVC-004").len(),
            1
        );
    }
}
