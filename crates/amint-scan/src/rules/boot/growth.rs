use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::rule::finding;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict, glob};

/// The root file system grows to the size of its volume.
pub(in crate::rules) struct Growth;

static META: RuleMeta = RuleMeta {
    id: "FS-006",
    title: "the root file system grows with its volume",
    requirements: &["A9", "MP-A7"],
    rationale: "Whoever launches an image chooses the size of the volume. A root file system that stays as small as the \
                image is full after a few days, on a volume that is paid for and empty.",
    remedy: "Install cloud-guest-utils and leave cloud-init's growpart and resizefs on, or use systemd-repart with \
             `x-systemd.growfs` in fstab.",
    severities: Severities::public(Severity::Medium, Some(Severity::Medium)),
};

const GROWPART: [&str; 2] = ["/usr/bin/growpart", "/bin/growpart"];
const REPART_FOLDERS: [&str; 2] = ["/etc/repart.d", "/usr/lib/repart.d"];
const MISSING: &str = "nothing makes the root partition larger";

impl Rule for Growth {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let fstab = cx.text("/etc/fstab")?.unwrap_or_default();
        let mut is_repart = fstab.contains("x-systemd.growfs");
        if is_repart {
            let mut has_rules = false;
            for folder in REPART_FOLDERS {
                let entries = cx.list(folder)?;
                has_rules |=
                    entries.iter().any(|entry| glob::is_match("*.conf", &entry.name.to_string_lossy()));
            }
            is_repart = has_rules;
        }
        if is_repart {
            return Ok(Verdict::Pass);
        }
        let mut has_growpart = false;
        for path in GROWPART {
            has_growpart |= cx.exists(path)?;
        }
        let mut findings = Vec::new();
        if !has_growpart {
            findings.push(finding(MISSING, Path::new(GROWPART[0])));
        }
        match cx.cloud()? {
            None => findings.push(finding(
                "cloud-init, which would grow the root, is not there",
                Path::new("/etc/cloud"),
            )),
            Some(config) => {
                let off = |keys: &[&str]| {
                    let value = config.merged.at(keys)?;
                    let is_off = value.switch() == Some(false) || value.text() == Some("off");
                    is_off.then(|| finding(format!("`{}` is off", keys.join(".")), config.source(keys)))
                };
                findings.extend(off(&["growpart", "mode"]));
                findings.extend(off(&["resize_rootfs"]));
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        (finding.message == MISSING).then(|| RecipeChange::InstallPackage("cloud-guest-utils".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image(cloud: &str) -> Fixture {
        Fixture::new().file("/usr/bin/cloud-init", "").file("/etc/cloud/cloud.cfg", cloud)
    }

    #[test]
    fn growpart_and_cloud_init_grow_the_root() {
        assert!(image("growpart: {mode: auto}\n").file("/usr/bin/growpart", "").is_pass("FS-006"));
        assert_eq!(
            image("").findings("FS-006"),
            ["/usr/bin/growpart nothing makes the root partition larger"]
        );
        let off = image("growpart: {mode: \"off\"}\nresize_rootfs: false\n").file("/usr/bin/growpart", "");
        assert_eq!(
            off.findings("FS-006"),
            ["/etc/cloud/cloud.cfg `growpart.mode` is off", "/etc/cloud/cloud.cfg `resize_rootfs` is off"]
        );
    }

    #[test]
    fn systemd_grows_it_too() {
        let fixture = Fixture::new()
            .file("/etc/fstab", "UUID=1 / ext4 defaults,x-systemd.growfs 0 1\n")
            .file("/usr/lib/repart.d/50-root.conf", "[Partition]\nType=root\n");
        assert!(fixture.is_pass("FS-006"));
    }
}
