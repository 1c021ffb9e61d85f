use std::path::Path;

use amint_types::Severity;

use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// The image does not bear its builder's name.
pub(in crate::rules) struct HostName;

static META: RuleMeta = RuleMeta {
    id: "SEC-014",
    title: "host name and /etc/hosts are neutral",
    requirements: &["A2", "MP-A7", "MP-G5"],
    rationale: "Bootstrap tools copy the builder's host name into the image, and with it the name of somebody's \
                network; an instance gets its own name at boot.",
    remedy: "Write `localhost` into /etc/hostname, and keep only loopback and multicast lines in /etc/hosts.",
    severities: Severities::public(Severity::High, Some(Severity::Low)),
};

const HOSTNAME: &str = "/etc/hostname";
const HOSTS: &str = "/etc/hosts";
const NEUTRAL_HOSTS: &str = "127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback\n\
    ff02::1\t\tip6-allnodes\nff02::2\t\tip6-allrouters\n";

impl Rule for HostName {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        let hostname = cx.text(HOSTNAME)?.unwrap_or_default();
        if !is_neutral_name(hostname.trim()) {
            findings.push(finding_at("a host name", Path::new(HOSTNAME), 1, &hostname));
        }
        for (line, text) in (1_u32..).zip(cx.text(HOSTS)?.unwrap_or_default().lines()) {
            if !is_neutral_line(text) {
                findings.push(finding_at("a host entry", Path::new(HOSTS), line, text));
            }
        }
        if cx.metadata(HOSTS)?.is_none() {
            findings.push(finding("no /etc/hosts: localhost has no address", Path::new(HOSTS)));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let Verdict::Fail(findings) = HostName.check(&cx.look())? else { return Ok(()) };
            let is_about = |path: &str| findings.iter().any(|finding| finding.evidence.path == path);
            if is_about(HOSTNAME) {
                cx.write(HOSTNAME, "localhost\n", 0o644)?;
            }
            if is_about(HOSTS) {
                cx.write(HOSTS, NEUTRAL_HOSTS, 0o644)?;
            }
            Ok(())
        })
    }
}

fn is_neutral_name(name: &str) -> bool {
    let is_comment = name.starts_with('#');
    is_comment || matches!(name, "" | "localhost" | "localhost.localdomain")
}

/// Tells whether a line of /etc/hosts names only the machine itself or multicast groups.
fn is_neutral_line(line: &str) -> bool {
    let line = line.split('#').next().unwrap_or_default();
    let is_of_link = line.trim_start().starts_with("169.254.169.");
    line.split_whitespace().skip(1).all(|name| {
        let plain: String = name.chars().filter(|letter| !letter.is_ascii_digit()).collect();
        // The last is EC2's own service of metadata.
        matches!(plain.as_str(), "localhost" | "localhost.localdomain")
            || name.starts_with("ip6-")
            || is_of_link && matches!(name, "instance-data" | "instance-data.ec2.internal")
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn the_builders_names_are_found_and_replaced() {
        let fixture = Fixture::new().file("/etc/hostname", "ci-runner-7\n").file(
            "/etc/hosts",
            "127.0.0.1 localhost localhost4.localdomain4 # me\n169.254.169.254 instance-data.ec2.internal\n127.0.1.1 ci-runner-7\n10.0.0.5 mirror\n",
        );
        assert_eq!(
            fixture.findings("SEC-014"),
            ["/etc/hostname:1 a host name", "/etc/hosts:3 a host entry", "/etc/hosts:4 a host entry"]
        );
        fixture.harden_twice();
        assert!(fixture.is_pass("SEC-014"));
        assert_eq!(fixture.read("/etc/hostname"), "localhost\n");
    }
}
