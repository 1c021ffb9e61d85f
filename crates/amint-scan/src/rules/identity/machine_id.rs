use std::path::Path;

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Each instance gets its own machine id.
pub(in crate::rules) struct MachineId;

static META: RuleMeta = RuleMeta {
    id: "SEC-008",
    title: "the machine id is left to the instance",
    requirements: &["A2", "A9", "MP-G5"],
    rationale: "The machine id names logs, DHCP leases and keys derived from it; instances that share one are taken for \
                the same machine. An empty file is right: systemd fills it at boot. The word `uninitialized` or a \
                missing file would also be filled, but would count as a first boot, at which systemd resets every \
                service to its preset and so may undo what the recipe enabled or disabled.",
    remedy: "Empty /etc/machine-id, and make /var/lib/dbus/machine-id a link to it or remove it.",
    severities: Severities::public(Severity::Critical, Some(Severity::High)),
};

const PATH: &str = "/etc/machine-id";
const DBUS: &str = "/var/lib/dbus/machine-id";

impl Rule for MachineId {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let has_systemd = cx.exists("/usr/lib/systemd/systemd")?;
        match cx.text(PATH)?.as_deref().map(str::trim) {
            Some("" | "uninitialized") => {}
            Some(_) => findings.push(finding("a machine id", Path::new(PATH))),
            None if has_systemd => {
                let message = "no file for the machine id: systemd would reset all services at first boot";
                findings.push(finding(message, Path::new(PATH)));
            }
            None => {}
        }
        if cx.metadata(DBUS)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 0) {
            findings.push(finding("a machine id", Path::new(DBUS)));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let Verdict::Fail(findings) = MachineId.check(&cx.look())? else { return Ok(()) };
            if findings.iter().any(|finding| finding.evidence.path == PATH) {
                cx.write(PATH, "", 0o444)?;
            }
            if cx.look().metadata(DBUS)?.is_some_and(|metadata| metadata.is_file()) {
                cx.remove(DBUS)
            } else {
                Ok(())
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn an_id_is_emptied_and_not_removed() {
        let id = "0123456789abcdef0123456789abcdef\n";
        let fixture = Fixture::new().file("/etc/machine-id", id).file("/var/lib/dbus/machine-id", id);
        assert_eq!(fixture.findings("SEC-008").len(), 2);
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-008"));
        assert_eq!(fixture.read("/etc/machine-id"), "");
        assert!(!fixture.has("/var/lib/dbus/machine-id"));
    }

    #[test]
    fn a_missing_file_is_made_when_systemd_boots_the_image() {
        let fixture = Fixture::new().file("/usr/lib/systemd/systemd", "");
        assert_eq!(fixture.findings("SEC-008").len(), 1);
        fixture.harden_twice();
        assert!(fixture.has("/etc/machine-id"));
        assert!(Fixture::new().link("/etc/machine-id", "/var/lib/dbus/machine-id").is_pass("SEC-008"));
    }
}
