use std::path::Path;

use amint_types::Severity;

use crate::rule::finding_at;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict};

/// File systems are found whatever their disk is called.
pub(in crate::rules) struct StableDeviceNames;

static META: RuleMeta = RuleMeta {
    id: "FS-004",
    title: "fstab names file systems by UUID or label",
    requirements: &["A9", "MP-A7"],
    rationale: "A disk is called sda, xvda, nvme0n1 or vda depending on the instance type. A name that is not there \
                stops the boot.",
    remedy: "Use `UUID=`, `PARTUUID=`, `LABEL=` or `PARTLABEL=`, and `nofail` for disks that may be missing.",
    severities: Severities::public(Severity::Medium, Some(Severity::Medium)),
};

const PATH: &str = "/etc/fstab";

impl Rule for StableDeviceNames {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (line, text) in (1_u32..).zip(cx.text(PATH)?.unwrap_or_default().lines()) {
            let device = text.split_whitespace().next().unwrap_or_default();
            let is_named = device.starts_with("/dev/")
                && !device.starts_with("/dev/disk/by-")
                && !device.starts_with("/dev/mapper/");
            if is_named {
                findings.push(finding_at(
                    "a device name that differs between instance types",
                    Path::new(PATH),
                    line,
                    text,
                ));
            }
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn names_that_may_change_are_found() {
        let fixture = Fixture::new().file(
            "/etc/fstab",
            "# /dev/sda1 / ext4\nUUID=1 / ext4 defaults 0 1\n/dev/disk/by-label/x /x ext4\n/dev/xvdb /data ext4 nofail\ntmpfs /tmp tmpfs\n",
        );
        assert_eq!(
            fixture.findings("FS-004"),
            ["/etc/fstab:4 a device name that differs between instance types"]
        );
    }
}
