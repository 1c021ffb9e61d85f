use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;

use crate::facts::units;
use crate::rule::{RecipeChange, finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict, glob};

/// One way in, and it is ssh.
pub(in crate::rules) struct RemoteAccess;

static META: RuleMeta = RuleMeta {
    id: "SSH-016",
    title: "no other way in than sshd is open",
    requirements: &["A2", "A11", "MP-G7", "MP-L5"],
    rationale: "A second shell server has its own passwords and its own keys, and a tunnel out of the instance passes \
                every firewall: to its owner, that is a back door.",
    remedy: "Remove the package, disable its units, and delete the state that ties it to somebody's network.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// Something that lets people in from elsewhere.
struct Tool {
    name: &'static str,
    /// Programs that only wait to be called, by a super server: being there is enough.
    waiting: &'static [&'static str],
    units: &'static [&'static str],
    /// What ties it to somebody: a network, an account.
    states: &'static [&'static str],
}

const TOOLS: [Tool; 17] = [
    Tool {
        name: "anydesk",
        waiting: &[],
        units: &["anydesk.service"],
        states: &["/etc/anydesk/system.conf", "/root/.anydesk/system.conf"],
    },
    Tool {
        name: "cloudflared",
        waiting: &[],
        units: &["cloudflared.service"],
        states: &["/etc/cloudflared/*.json", "/root/.cloudflared/*.json"],
    },
    Tool { name: "cockpit", waiting: &[], units: &["cockpit.socket", "cockpit.service"], states: &[] },
    Tool {
        name: "dropbear",
        waiting: &[],
        units: &["dropbear.service", "dropbear.socket", "dropbear"],
        states: &[],
    },
    Tool { name: "frp", waiting: &[], units: &["frpc.service", "frps.service"], states: &[] },
    Tool {
        name: "ngrok",
        waiting: &[],
        units: &["ngrok.service"],
        states: &[
            "/root/.config/ngrok/ngrok.yml",
            "/root/.ngrok2/ngrok.yml",
            "/home/*/.config/ngrok/ngrok.yml",
        ],
    },
    Tool {
        name: "rsh",
        waiting: &["/usr/sbin/in.rshd", "/usr/sbin/in.rlogind", "/usr/sbin/in.rexecd", "/usr/sbin/rshd"],
        units: &["rsh.socket", "rlogin.socket", "rexec.socket"],
        states: &[],
    },
    Tool {
        name: "rustdesk",
        waiting: &[],
        units: &["rustdesk.service"],
        states: &["/root/.config/rustdesk/RustDesk.toml"],
    },
    Tool { name: "shellinabox", waiting: &[], units: &["shellinabox.service"], states: &[] },
    Tool { name: "tailscale", waiting: &[], units: &[], states: &["/var/lib/tailscale/tailscaled.state"] },
    Tool {
        name: "teamviewer",
        waiting: &[],
        units: &["teamviewerd.service"],
        states: &["/etc/teamviewer/global.conf"],
    },
    Tool {
        name: "telnet server",
        waiting: &["/usr/sbin/in.telnetd", "/usr/sbin/telnetd", "/usr/libexec/telnetd"],
        units: &["telnet.socket", "inetutils-telnetd.service"],
        states: &[],
    },
    Tool { name: "tmate", waiting: &[], units: &["tmate.service", "tmate-ssh-server.service"], states: &[] },
    Tool {
        name: "ttyd",
        waiting: &[],
        units: &["ttyd.service", "gotty.service", "wetty.service"],
        states: &[],
    },
    Tool { name: "webmin", waiting: &[], units: &["webmin.service", "usermin.service"], states: &[] },
    Tool {
        name: "xrdp or vnc",
        waiting: &[],
        units: &["xrdp.service", "tigervncserver@:1.service", "x11vnc.service", "vncserver.service"],
        states: &[],
    },
    Tool {
        name: "zerotier",
        waiting: &[],
        units: &[],
        states: &["/var/lib/zerotier-one/networks.d/*.conf", "/var/lib/zerotier-one/identity.secret"],
    },
];

/// Services of super servers that are shells.
const SHELLS: [&str; 8] = ["exec", "login", "rexec", "rlogin", "rsh", "shell", "telnet", "telnets"];

impl Rule for RemoteAccess {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for tool in &TOOLS {
            judge(cx, tool, &mut findings)?;
        }
        super_servers(cx, &mut findings)?;
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let path = &finding.evidence.path;
        let unit =
            path.rsplit('/').next().filter(|name| name.ends_with(".service") || name.ends_with(".socket"));
        match unit {
            Some(unit) => Some(RecipeChange::DisableService(unit.to_owned())),
            None if path.starts_with("/var/lib/") || path.starts_with("/usr/") => {
                Some(RecipeChange::RemovePath(path.clone()))
            }
            None => None,
        }
    }
}

fn judge(cx: &Context<'_>, tool: &Tool, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let name = tool.name;
    for program in tool.waiting {
        if cx.exists(program)? {
            findings.push(finding(format!("{name} is installed"), Path::new(program)));
        }
    }
    for unit in tool.units {
        if units::is_enabled(cx, unit)? {
            let path = units::path_of(cx, unit)?.unwrap_or_default();
            findings.push(finding(format!("{name} starts at boot"), &path));
        }
        let script = unit.trim_end_matches(".service");
        for level in ["default", "boot"] {
            let path = PathBuf::from(format!("/etc/runlevels/{level}/{script}"));
            if cx.metadata(&path)?.is_some() {
                findings.push(finding(format!("{name} starts at boot"), &path));
            }
        }
    }
    for state in tool.states {
        for path in glob::expand(cx, state)? {
            if cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 2) {
                findings.push(finding(
                    format!("the state of {name} ties every instance to somebody's network"),
                    &path,
                ));
            }
        }
    }
    Ok(())
}

/// Looks for shells among the services of inetd and xinetd.
fn super_servers(cx: &Context<'_>, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let inetd = Path::new("/etc/inetd.conf");
    for (number, line) in (1_u32..).zip(cx.text(inetd)?.unwrap_or_default().lines()) {
        let name = line.split_whitespace().next().unwrap_or_default();
        if SHELLS.contains(&name) {
            findings.push(finding_at("inetd starts a shell for whoever comes", inetd, number, line));
        }
    }
    for path in glob::expand(cx, "/etc/xinetd.d/*")? {
        let text = cx.text(&path)?.unwrap_or_default();
        let value = |key: &str| {
            let mut pairs = text.lines().filter_map(|line| line.split_once('='));
            pairs.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
        };
        let service = text.lines().find_map(|line| line.trim().strip_prefix("service "));
        let is_shell = service.is_some_and(|name| SHELLS.contains(&name.trim()));
        if is_shell && value("disable") != Some("yes") {
            findings.push(finding("xinetd starts a shell for whoever comes", &path));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn what_is_enabled_or_tied_is_found() {
        let fixture = Fixture::new()
            .file("/usr/lib/systemd/system/cockpit.socket", "[Socket]\n")
            .file("/var/lib/tailscale/tailscaled.state", "{\"_machinekey\":\"x\"}")
            .file("/etc/xinetd.d/telnet", "service telnet\n{\n disable = no\n}\n")
            .file("/etc/xinetd.d/rsh", "service shell\n{\n disable = yes\n}\n")
            .file("/etc/inetd.conf", "#telnet stream tcp\nlogin stream tcp nowait root in.rlogind\n")
            .file("/usr/sbin/in.telnetd", "");
        assert_eq!(
            fixture.paths("SSH-016"),
            [
                "/etc/inetd.conf",
                "/etc/xinetd.d/telnet",
                "/usr/sbin/in.telnetd",
                "/var/lib/tailscale/tailscaled.state"
            ]
        );
        let fixture = Fixture::new()
            .file("/usr/lib/systemd/system/cockpit.socket", "[Socket]\n")
            .link("/x", "/etc/systemd/system/sockets.target.wants/cockpit.socket");
        assert_eq!(fixture.findings("SSH-016").len(), 1);
    }

    #[test]
    fn what_is_installed_and_off_passes() {
        let fixture = Fixture::new()
            .file("/usr/lib/systemd/system/cockpit.socket", "[Socket]\n")
            .file("/usr/sbin/tailscaled", "")
            .file("/var/lib/tailscale/tailscaled.state", "{}");
        assert!(fixture.is_pass("SSH-016"));
    }
}
