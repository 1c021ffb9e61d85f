use std::path::Path;

use amint_types::Severity;

use super::wanted::NO_SERVER;
use crate::facts::units;
use crate::rule::finding;
use crate::sshd::{Place, Setting, SshdConfig, When};
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
        // OpenRC and System V start scripts, not units.
        for level in ["runlevels/default", "runlevels/boot", "rc3.d", "rc5.d", "rc.d/rc3.d", "rc2.d"] {
            let entries = cx.list(Path::new("/etc").join(level))?;
            is_enabled |= entries.iter().any(|entry| {
                let name = entry.name.to_string_lossy();
                let script =
                    name.trim_start_matches('S').trim_start_matches(|letter: char| letter.is_ascii_digit());
                matches!(script, "ssh" | "sshd") && (level.starts_with("runlevels") || name.starts_with('S'))
            }) && !is_masked(cx)?;
        }
        if !is_enabled {
            findings.push(finding("no unit starts sshd at boot", Path::new("/etc/systemd/system")));
        }
        for setting in ports(cx, config)? {
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
        let addresses = addresses(cx, config)?;
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

/// Tells whether the units of sshd are masked: then the scripts of the same name do not start either.
fn is_masked(cx: &Context<'_>) -> Result<bool, CheckError> {
    Ok(units::is_masked(cx, "ssh.service")? || units::is_masked(cx, "sshd.service")?)
}

/// Returns what the socket says where it starts sshd: then sshd's own ports and addresses do not count.
fn socket(cx: &Context<'_>) -> Result<Option<Vec<Setting>>, CheckError> {
    for name in ["ssh.socket", "sshd.socket"] {
        if !units::is_enabled(cx, name)? {
            continue;
        }
        // Ubuntu's generator takes ports and addresses from sshd's own configuration.
        if cx.exists("/usr/lib/systemd/system-generators/sshd-socket-generator")? {
            return Ok(None);
        }
        let unit = units::load(cx, name)?.unwrap_or_default();
        let entries = units::values(&unit, "Socket", "ListenStream");
        let settings = entries.into_iter().map(|entry| Setting {
            arguments: vec![entry.value.clone()],
            place: Some(Place { path: entry.path.clone(), line: entry.line }),
            when: When::Always,
        });
        return Ok(Some(settings.collect()));
    }
    Ok(None)
}

fn ports(cx: &Context<'_>, config: &SshdConfig) -> Result<Vec<Setting>, CheckError> {
    let port_of = |mut setting: Setting| {
        let text = setting.text();
        setting.arguments = vec![text.rsplit_once(':').map_or(text.as_str(), |(_, port)| port).to_owned()];
        setting
    };
    if let Some(settings) = socket(cx)? {
        return Ok(settings.into_iter().map(port_of).collect());
    }
    // An address with a port of its own is bound to that one; the others have every `Port`.
    let has_port = |setting: &Setting| {
        let text = setting.text();
        text.matches(':').count() == 1 || text.contains("]:")
    };
    let (with_port, without): (Vec<_>, Vec<_>) = config.all("ListenAddress").into_iter().partition(has_port);
    let mut found: Vec<Setting> = with_port.into_iter().map(port_of).collect();
    if found.is_empty() || !without.is_empty() {
        found.extend(config.all("Port"));
    }
    Ok(found)
}

fn addresses(cx: &Context<'_>, config: &SshdConfig) -> Result<Vec<Setting>, CheckError> {
    let Some(settings) = socket(cx)? else { return Ok(config.all("ListenAddress")) };
    // A bare number is every address.
    Ok(settings.into_iter().filter(|setting| setting.text().contains(':')).collect())
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

    #[test]
    fn the_socket_decides_where_it_starts_sshd() {
        let socket = |listen: &str| {
            Fixture::with_sshd("Port 2222\n")
                .file("/usr/lib/systemd/system/ssh.socket", &format!("[Socket]\nListenStream={listen}\n"))
                .link("/x", "/etc/systemd/system/sockets.target.wants/ssh.socket")
        };
        assert!(socket("22").is_pass("SSH-010"));
        assert!(socket("[::]:22").is_pass("SSH-010"));
        assert_eq!(socket("2022").findings("SSH-010").len(), 1);
        assert_eq!(socket("127.0.0.1:22").findings("SSH-010").len(), 1);
        let generator = "/usr/lib/systemd/system-generators/sshd-socket-generator";
        assert_eq!(socket("22").file(generator, "").findings("SSH-010").len(), 1);
    }

    #[test]
    fn a_script_of_openrc_starts_sshd() {
        let fixture = Fixture::with_sshd("").link("/etc/init.d/sshd", "/etc/runlevels/default/sshd");
        assert!(fixture.is_pass("SSH-010"));
    }
}
