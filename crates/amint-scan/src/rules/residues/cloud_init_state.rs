use std::path::{Path, PathBuf};

use amint_disk::tree::{WalkLimits, WalkStep};
use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// cloud-init has never run.
pub(in crate::rules) struct CloudInitState;

static META: RuleMeta = RuleMeta {
    id: "SEC-007",
    title: "cloud-init's state is clean",
    requirements: &["A2", "A11", "MP-G5", "SHARED-5"],
    rationale: "After a run cloud-init keeps the instance's user data, with whatever secrets it held, and marks of what \
                it has done: steps that the next instance then leaves out.",
    remedy: "Run `cloud-init clean --logs --seed`, or remove what is below /var/lib/cloud except your own scripts.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const FOLDER: &str = "/var/lib/cloud";
const RUN: &str = "/run/cloud-init";

impl Rule for CloudInitState {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let found = state(cx)?;
        Ok(found
            .iter()
            .map(|path| finding("state of a former run of cloud-init", path))
            .collect::<Vec<_>>()
            .into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let found = state(&cx.look())?;
            found.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

/// Lists files and links, except the scripts that a recipe may have put there to be run.
fn state(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for folder in [FOLDER, RUN] {
        if !cx.metadata(folder)?.is_some_and(|metadata| metadata.is_dir()) {
            continue;
        }
        cx.tree().walk(Path::new(folder), WalkLimits::default(), &mut |entry| {
            let is_script = ["per-boot", "per-instance", "per-once"]
                .iter()
                .any(|name| entry.path.starts_with(Path::new(FOLDER).join("scripts").join(name)));
            if !entry.metadata.is_dir() && !is_script {
                found.push(entry.path.clone());
            }
            WalkStep::Continue
        })?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn user_data_and_marks_go_and_scripts_stay() {
        let fixture = Fixture::new()
            .file("/var/lib/cloud/instances/i-1/user-data.txt", "secret")
            .file("/var/lib/cloud/instances/i-1/obj.pkl", "x")
            .link("/var/lib/cloud/instances/i-1", "/var/lib/cloud/instance")
            .file("/var/lib/cloud/scripts/per-boot/mine.sh", "#!/bin/sh\n")
            .file("/run/cloud-init/instance-data.json", "{}");
        assert_eq!(
            fixture.paths("SEC-007"),
            [
                "/run/cloud-init/instance-data.json",
                "/var/lib/cloud/instance",
                "/var/lib/cloud/instances/i-1/obj.pkl",
                "/var/lib/cloud/instances/i-1/user-data.txt"
            ]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-007") && fixture.has("/var/lib/cloud/scripts/per-boot/mine.sh"));
    }
}
