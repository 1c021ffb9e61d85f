use std::path::Path;

use amint_types::Severity;

use super::wanted::NO_SERVER;
use crate::facts::yaml::Yaml;
use crate::facts::{cloud, units};
use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Each instance makes its own host keys.
pub(in crate::rules) struct HostKeysRegenerated;

static META: RuleMeta = RuleMeta {
    id: "SSH-007",
    title: "each instance makes its own ssh host keys",
    requirements: &["A2", "A9", "MP-L5", "SHARED-4"],
    rationale: "An image without host keys and without anything that makes them starts instances that nobody can log \
                in to. A unit that only runs at a first boot does not count when systemd sees none.",
    remedy: "Keep cloud-init's `ssh` module, or enable a unit that runs `ssh-keygen -A` before sshd.",
    severities: Severities::public(Severity::Critical, Some(Severity::Critical)),
};

const UNIT: &str = "amint-ssh-host-keys.service";
const UNIT_TEXT: &str = "[Unit]\n\
    Description=Make ssh host keys for this instance\n\
    Before=ssh.service sshd.service ssh.socket\n\
    After=local-fs.target\n\
    \n\
    [Service]\n\
    Type=oneshot\n\
    RemainAfterExit=yes\n\
    ExecStart=/usr/bin/ssh-keygen -A\n\
    \n\
    [Install]\n\
    WantedBy=multi-user.target\n";

impl Rule for HostKeysRegenerated {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        if cx.sshd()?.is_none() {
            return Ok(Verdict::NotApplicable(NO_SERVER.to_owned()));
        }
        if is_made_by_cloud_init(cx)? || is_made_by_a_unit(cx)? || is_made_by_a_script(cx)? {
            return Ok(Verdict::Pass);
        }
        let message = "nothing makes host keys at boot: neither cloud-init's ssh module nor an enabled unit that runs ssh-keygen";
        Ok(Verdict::Fail(vec![finding(message, Path::new("/etc/ssh"))]))
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            if HostKeysRegenerated.check(&cx.look())? != Verdict::Pass && cx.look().sshd()?.is_some() {
                cx.write(format!("/etc/systemd/system/{UNIT}"), UNIT_TEXT, 0o644)?;
                let wants = "/etc/systemd/system/multi-user.target.wants";
                cx.make_dir(wants)?;
                cx.link(format!("../{UNIT}"), format!("{wants}/{UNIT}"))?;
            }
            Ok(())
        })
    }
}

fn is_made_by_cloud_init(cx: &Context<'_>) -> Result<bool, CheckError> {
    let Some(config) = cx.cloud()? else { return Ok(false) };
    let is_kept = config.merged.at(&["ssh_deletekeys"]).and_then(Yaml::switch) == Some(false);
    let is_nothing = config.merged.at(&["ssh_genkeytypes"]).is_some_and(Yaml::is_empty);
    Ok(config.has_module("ssh") && !is_kept && !is_nothing && cloud::is_enabled(cx)?)
}

fn is_made_by_a_unit(cx: &Context<'_>) -> Result<bool, CheckError> {
    for name in units::names(cx)?.into_iter().filter(|name| name.ends_with(".service")) {
        let Some(unit) = units::load(cx, &name)? else { continue };
        let starts = ["ExecStart", "ExecStartPre"].map(|key| units::values(&unit, "Service", key));
        let is_generator = starts
            .concat()
            .iter()
            .any(|entry| entry.value.contains("ssh-keygen -A") || entry.value.contains("sshd-keygen"));
        if !is_generator
            || !(units::is_enabled(cx, &name)? || name == "ssh.service" || name == "sshd.service")
        {
            continue;
        }
        let conditions = units::values(&unit, "Unit", "ConditionFirstBoot");
        let needs_first_boot = conditions.iter().any(|entry| entry.value == "yes");
        if !needs_first_boot || is_first_boot(cx)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Tells whether a script of OpenRC that starts with the system makes keys, as the one of sshd itself does.
fn is_made_by_a_script(cx: &Context<'_>) -> Result<bool, CheckError> {
    for level in ["boot", "default"] {
        for entry in cx.list(Path::new("/etc/runlevels").join(level))? {
            let script = cx.text(Path::new("/etc/init.d").join(&entry.name))?.unwrap_or_default();
            let lines = script.lines().filter(|line| !line.trim_start().starts_with('#'));
            if lines.into_iter().any(|line| line.contains("ssh-keygen") && line.contains("-A")) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Tells whether systemd will take the next boot for the first one (machine-id(5)): an empty file is none.
fn is_first_boot(cx: &Context<'_>) -> Result<bool, CheckError> {
    Ok(cx.text("/etc/machine-id")?.is_none_or(|id| id.trim() == "uninitialized"))
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    const KEYGEN: &str = "[Service]\nExecStart=ssh-keygen -A\n";

    fn cloud(config: &str) -> Fixture {
        Fixture::with_sshd("")
            .file("/usr/bin/cloud-init", "")
            .file("/usr/lib/systemd/system/cloud-init.service", "[Unit]\n")
            .link("/x", "/etc/systemd/system/cloud-init.target.wants/cloud-init.service")
            .file("/etc/cloud/cloud.cfg", config)
    }

    #[test]
    fn cloud_init_counts_when_it_runs_and_makes_keys() {
        assert!(cloud("cloud_init_modules: [seed_random, ssh]\n").is_pass("SSH-007"));
        assert!(cloud("cloud_init_modules: [[ssh, always]]\n").is_pass("SSH-007"));
        assert!(!cloud("cloud_init_modules: [seed_random]\n").is_pass("SSH-007"));
        assert!(!cloud("cloud_init_modules: [ssh]\nssh_deletekeys: false\n").is_pass("SSH-007"));
        assert!(
            !cloud("cloud_init_modules: [ssh]\n")
                .file("/etc/cloud/cloud-init.disabled", "")
                .is_pass("SSH-007")
        );
    }

    #[test]
    fn a_unit_for_the_first_boot_counts_only_when_there_is_one() {
        let unit = |id: &str| {
            Fixture::with_sshd("")
                .file(
                    "/usr/lib/systemd/system/sshd-keygen.service",
                    &format!("[Unit]\nConditionFirstBoot=yes\n{KEYGEN}"),
                )
                .link("/x", "/etc/systemd/system/ssh.service.wants/sshd-keygen.service")
                .file("/etc/machine-id", id)
        };
        assert!(unit("uninitialized\n").is_pass("SSH-007"));
        assert!(!unit("").is_pass("SSH-007"));
    }

    #[test]
    fn the_fix_adds_an_enabled_unit_only_where_nothing_else_makes_keys() {
        let fixture = Fixture::with_sshd("");
        assert_eq!(fixture.findings("SSH-007").len(), 1);
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-007"));
        let fixture = cloud("cloud_init_modules: [ssh]\n");
        fixture.harden();
        assert!(!fixture.has("/etc/systemd/system/amint-ssh-host-keys.service"));
    }

    #[test]
    fn a_script_of_openrc_makes_keys_when_it_starts() {
        let fixture = Fixture::with_sshd("").file("/etc/init.d/sshd", "generate() {\n\tssh-keygen -A\n}\n");
        assert_eq!(fixture.findings("SSH-007").len(), 1);
        assert!(fixture.link("/etc/init.d/sshd", "/etc/runlevels/default/sshd").is_pass("SSH-007"));
    }
}
