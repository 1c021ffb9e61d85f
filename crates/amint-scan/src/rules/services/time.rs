use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use super::started::Started;
use crate::rule::finding;
use crate::{CheckError, Context, Fix, RecipeChange, Rule, RuleMeta, Severities, Verdict, glob};

/// One daemon keeps the time, by EC2's own clock.
pub(in crate::rules) struct TimeKeeping;

static META: RuleMeta = RuleMeta {
    id: "SVC-008",
    title: "one daemon keeps the time, by the Amazon Time Sync Service",
    requirements: &["A8", "B6", "CIS-2.3"],
    rationale: "Certificates, logs and requests to AWS depend on the right time. EC2 serves it at an address that every \
                instance reaches, without a way to the internet; two daemons pull the clock in two directions.",
    remedy: "Keep one of chrony and systemd-timesyncd, and name 169.254.169.123 as its source.",
    severities: Severities::public(Severity::Low, Some(Severity::Low)),
};

const SERVICE_ADDRESSES: [&str; 4] = ["169.254.169.123", "fd00:ec2::123", "time.aws.com", "/dev/ptp"];
const DROP_IN: &str = "/etc/systemd/timesyncd.conf.d/50-amint.conf";

/// A daemon: its units, and the files that name its sources.
const DAEMONS: [(&str, &[&str], &[&str]); 4] = [
    (
        "systemd-timesyncd",
        &["systemd-timesyncd.service"],
        &[
            "/etc/systemd/timesyncd.conf",
            "/etc/systemd/timesyncd.conf.d/*.conf",
            "/usr/lib/systemd/timesyncd.conf.d/*.conf",
        ],
    ),
    (
        "chrony",
        &["chrony.service", "chronyd.service"],
        &[
            "/etc/chrony/chrony.conf",
            "/etc/chrony/conf.d/*.conf",
            "/etc/chrony/sources.d/*.sources",
            "/etc/chrony.conf",
            "/etc/chrony.d/*",
            "/run/chrony.d/*",
        ],
    ),
    ("ntpd", &["ntp.service", "ntpd.service", "ntpsec.service"], &["/etc/ntp.conf", "/etc/ntpsec/ntp.conf"]),
    ("openntpd", &["openntpd.service"], &["/etc/openntpd/ntpd.conf"]),
];

impl Rule for TimeKeeping {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let started = cx.fact(Started::load)?;
        let running: Vec<_> = DAEMONS.iter().filter(|(_, units, _)| started.has(units)).collect();
        let mut findings = Vec::new();
        if running.is_empty() {
            findings.push(finding("nothing keeps the time", Path::new("/etc/systemd/system")));
        }
        if running.len() > 1 {
            let names: Vec<&str> = running.iter().map(|(name, ..)| *name).collect();
            let message = format!("several daemons keep the time: {}", names.join(", "));
            findings.push(finding(message, Path::new("/etc/systemd/system")));
        }
        for (name, _, files) in running {
            if !names_the_service(cx, files)? {
                let message = format!("{name} does not ask the Amazon Time Sync Service");
                findings.push(finding(message, Path::new(files[0])));
            }
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            let (_, units, files) = DAEMONS[0];
            if look.fact(Started::load)?.has(units) && !names_the_service(&look, files)? {
                cx.write(DROP_IN, "[Time]\nNTP=169.254.169.123\n", 0o644)?;
            }
            Ok(())
        })
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        if finding.message.starts_with("nothing") {
            return Some(RecipeChange::InstallPackage("chrony".to_owned()));
        }
        finding.message.starts_with("systemd-timesyncd ").then_some(RecipeChange::Harden)
    }
}

fn names_the_service(cx: &Context<'_>, files: &[&str]) -> Result<bool, CheckError> {
    for pattern in files {
        let paths: Vec<PathBuf> = glob::expand(cx, pattern)?;
        for path in paths {
            let text = cx.text(&path)?.unwrap_or_default();
            let is_named = text.lines().map(str::trim).any(|line| {
                !line.starts_with(['#', ';', '!', '%'])
                    && SERVICE_ADDRESSES.iter().any(|address| line.contains(address))
            });
            if is_named {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn system(units: &[&str]) -> Fixture {
        let mut fixture = Fixture::new()
            .file("/usr/lib/systemd/systemd", "")
            .file("/usr/lib/systemd/system/sysinit.target", "[Unit]\n");
        for unit in units {
            let path = format!("/usr/lib/systemd/system/{unit}");
            fixture = fixture
                .file(&path, "[Service]\nExecStart=/x\n")
                .link(&path, &format!("/etc/systemd/system/sysinit.target.wants/{unit}"));
        }
        fixture
    }

    #[test]
    fn one_daemon_that_asks_the_service_passes() {
        let chrony = system(&["chrony.service"]);
        assert_eq!(chrony.findings("SVC-008").len(), 1);
        let chrony =
            chrony.file("/etc/chrony/sources.d/aws.sources", "server 169.254.169.123 prefer iburst\n");
        assert!(chrony.is_pass("SVC-008"));
        assert_eq!(system(&[]).findings("SVC-008").len(), 1);
        assert_eq!(system(&["chrony.service", "ntpsec.service"]).findings("SVC-008").len(), 3);
    }

    #[test]
    fn hardening_names_the_service_for_timesyncd() {
        let fixture = system(&["systemd-timesyncd.service"])
            .file("/etc/systemd/timesyncd.conf", "[Time]\n#NTP=169.254.169.123\n");
        assert_eq!(fixture.findings("SVC-008").len(), 1);
        fixture.harden_twice();
        assert!(fixture.is_pass("SVC-008"));
    }
}
