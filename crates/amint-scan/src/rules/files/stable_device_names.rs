use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use crate::rule::finding_at;
use crate::rules::change::plain;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// File systems are found whatever their disk is called.
pub(in crate::rules) struct StableDeviceNames;

static META: RuleMeta = RuleMeta {
    id: "FS-004",
    title: "fstab names what every instance has",
    requirements: &["A9", "MP-A7"],
    rationale: "A disk is called sda, xvda, nvme0n1 or vda depending on the instance type. A name that is not there \
                stops the boot, and so does a server that only the builder has. Credentials in a line are in every copy of \
                the image.",
    remedy: "Use `UUID=`, `PARTUUID=`, `LABEL=` or `PARTLABEL=`, and `nofail` for disks that may be missing; leave shares and \
             their credentials to the instance.",
    severities: Severities::public(Severity::High, Some(Severity::High)),
};

const PATH: &str = "/etc/fstab";

impl Rule for StableDeviceNames {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (number, line) in (1_u32..).zip(cx.text(PATH)?.unwrap_or_default().lines()) {
            let mut fields = line.split_whitespace();
            let Some(device) = fields.next().filter(|device| !device.starts_with('#')) else { continue };
            let [place, kind, options] =
                [fields.next(), fields.next(), fields.next()].map(Option::unwrap_or_default);
            let entry = Entry { device, place, kind, options: options.split(',').collect() };
            for (message, severity) in entry.objections() {
                let mut found = finding_at(message, Path::new(PATH), number, line);
                found.severity = Some(severity);
                findings.push(found);
            }
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let place = plain(finding.message.split_once("the boot waits for `")?.1.strip_suffix('`')?)?;
        let line = format!(r"^[^#][^[:space:]]*[[:space:]]+{place}[[:space:]]");
        Some(RecipeChange::Run(format!("sed -i -E '\\|{line}|s/^/# /' {PATH}")))
    }
}

/// A line of fstab(5).
struct Entry<'a> {
    device: &'a str,
    place: &'a str,
    kind: &'a str,
    options: Vec<&'a str>,
}

/// Folders in which everybody writes, and the options that keep devices and programs out of them.
const OPEN_FOLDERS: [&str; 3] = ["/dev/shm", "/tmp", "/var/tmp"];
const CONFINING: [&str; 3] = ["nodev", "noexec", "nosuid"];

impl Entry<'_> {
    fn has(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    /// Returns what speaks against the line.
    fn objections(&self) -> Vec<(String, Severity)> {
        let mut found = Vec::new();
        let may_be_missing = self.has("nofail") || self.has("noauto");
        let is_named = self.device.starts_with("/dev/")
            && !self.device.starts_with("/dev/disk/by-")
            && !self.device.starts_with("/dev/mapper/");
        if is_named {
            // The root is mounted by what the kernel was told; another one stops the boot.
            let stops = !may_be_missing && !matches!(self.place, "/" | "none" | "swap");
            let waits =
                if stops { format!(", and the boot waits for `{}`", self.place) } else { String::new() };
            let message = format!("a device name that differs between instance types{waits}");
            found.push((message, if stops { Severity::High } else { Severity::Medium }));
        }
        let is_remote =
            matches!(self.kind, "cifs" | "nfs" | "nfs4" | "smb3" | "smbfs" | "sshfs" | "fuse.sshfs");
        if is_remote {
            let message = format!("{} is a share of a server that buyers may not have", self.place);
            let is_waited_for = !may_be_missing && !self.has("_netdev");
            found.push((message, if is_waited_for { Severity::Medium } else { Severity::Low }));
        }
        let secret = ["credentials=", "cred=", "pass=", "password="]
            .into_iter()
            .find(|key| self.options.iter().any(|option| option.starts_with(key)));
        if let Some(key) = secret {
            let message = format!("credentials of {} by `{}`", self.place, key.trim_end_matches('='));
            found.push((message, Severity::High));
        }
        if OPEN_FOLDERS.contains(&self.place) && self.kind != "none" {
            let missing: Vec<&str> = CONFINING.into_iter().filter(|option| !self.has(option)).collect();
            if !missing.is_empty() {
                let message = format!("{} is mounted without {}", self.place, missing.join(", "));
                found.push((message, Severity::Low));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn names_that_may_change_are_found() {
        let fixture = Fixture::new().file(
            "/etc/fstab",
            "# /dev/sda1 / ext4\nUUID=1 / ext4 defaults 0 1\n/dev/disk/by-label/x /x ext4\n/dev/xvdb /data ext4 nofail\ntmpfs /tmp tmpfs\n",
        );
        assert_eq!(
            fixture.findings("FS-004"),
            [
                "/etc/fstab:4 a device name that differs between instance types",
                "/etc/fstab:5 /tmp is mounted without nodev, noexec, nosuid"
            ]
        );
    }

    #[test]
    fn what_stops_the_boot_and_credentials_weigh_more() {
        let fixture = Fixture::new().file(
            "/etc/fstab",
            "/dev/xvdf /data xfs defaults 0 2\n10.1.2.3:/export /mnt nfs4 defaults,nofail 0 0\n\
             //nas/share /srv cifs username=app,credentials=/etc/cred 0 0\ntmpfs /tmp tmpfs nodev,nosuid,noexec 0 0\n",
        );
        let Verdict::Fail(findings) = fixture.check("FS-004") else { panic!("must fail") };
        let told: Vec<_> = findings.iter().map(|found| (found.evidence.line, found.severity)).collect();
        assert_eq!(
            told,
            [
                (Some(1), Some(Severity::High)),
                (Some(2), Some(Severity::Low)),
                (Some(3), Some(Severity::Medium)),
                (Some(3), Some(Severity::High))
            ]
        );
    }
}
