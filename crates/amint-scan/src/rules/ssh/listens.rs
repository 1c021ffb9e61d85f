use std::path::Path;

use amint_types::Severity;

use super::wanted::NO_SERVER;
use crate::facts::units;
use crate::rule::finding;
use crate::{CheckError, Context, Protocol, Rule, RuleMeta, Severities, Verdict};

/// The ssh server can be reached, on the port that the recipe says.
pub(in crate::rules) struct Listens;

static META: RuleMeta = RuleMeta {
    id: "SSH-010",
    title: "sshd starts at boot and listens where instances are reached",
    requirements: &["A10", "MP-L5"],
    rationale: "Marketplace's scanner and the owner of an instance must reach ssh on the address that EC2 assigns, on \
                port 22 or the port that the listing names.",
    remedy: "Enable ssh.service or ssh.socket, remove `ListenAddress` lines, and open another port than 22 in the \
             recipe.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

impl Rule for Listens {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(config) = cx.sshd()? else { return Ok(Verdict::NotApplicable(NO_SERVER.to_owned())) };
        let mut findings = Vec::new();
        let mut is_enabled = false;
        for unit in ["ssh.service", "sshd.service", "ssh.socket", "sshd.socket"] {
            is_enabled |= units::is_enabled(cx, unit)?;
        }
        if !is_enabled {
            findings.push(finding("no unit starts sshd at boot", Path::new("/etc/systemd/system")));
        }
        for setting in config.all("Port") {
            let port: Option<u16> = setting.text().parse().ok();
            let is_open = |port: u16| port == 22 || cx.request().ports.contains(&(port, Protocol::Tcp));
            if !port.is_some_and(is_open) {
                let path = setting.place.as_ref().map_or(config.main(), |place| &place.path);
                findings.push(finding(
                    format!("sshd uses port {}, which the recipe does not open", setting.text()),
                    path,
                ));
            }
        }
        let addresses = config.all("ListenAddress");
        let is_local = |address: &str| {
            address.starts_with("127.")
                || address.starts_with("localhost")
                || address.starts_with("::1")
                || address.starts_with("[::1]")
        };
        if !addresses.is_empty() && addresses.iter().all(|setting| is_local(&setting.text())) {
            let path = addresses[0].place.as_ref().map_or(config.main(), |place| &place.path);
            findings.push(finding("sshd listens on the loopback address only", path));
        }
        Ok(findings.into())
    }
}

#[cfg(test)]
mod tests {
    use crate::Protocol;
    use crate::testing::Fixture;

    fn image(config: &str) -> Fixture {
        Fixture::with_sshd(config)
            .file("/usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n")
            .link(
                "/usr/lib/systemd/system/ssh.service",
                "/etc/systemd/system/multi-user.target.wants/ssh.service",
            )
    }

    #[test]
    fn an_enabled_server_on_port_22_passes() {
        assert!(image("").is_pass("SSH-010"));
        assert!(image("ListenAddress 127.0.0.1\nListenAddress 0.0.0.0\n").is_pass("SSH-010"));
        assert_eq!(Fixture::with_sshd("").findings("SSH-010").len(), 1);
    }

    #[test]
    fn another_port_must_be_open_in_the_recipe() {
        let mut fixture = image("Port 22\nPort 2222\n");
        assert_eq!(
            fixture.findings("SSH-010"),
            ["/etc/ssh/sshd_config sshd uses port 2222, which the recipe does not open"]
        );
        fixture.request.ports = vec![(2222, Protocol::Tcp)];
        assert!(fixture.is_pass("SSH-010"));
    }

    #[test]
    fn a_server_on_loopback_only_fails() {
        assert_eq!(image("ListenAddress 127.0.0.1:22\n").findings("SSH-010").len(), 1);
    }

    #[test]
    fn a_masked_unit_does_not_start() {
        let fixture = Fixture::with_sshd("")
            .file("/usr/lib/systemd/system/ssh.service", "[Service]\nExecStart=/usr/sbin/sshd -D\n")
            .link(
                "/usr/lib/systemd/system/ssh.service",
                "/etc/systemd/system/multi-user.target.wants/ssh.service",
            )
            .link("/dev/null", "/etc/systemd/system/ssh.service");
        assert_eq!(fixture.findings("SSH-010").len(), 1);
    }
}
