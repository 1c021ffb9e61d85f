use std::path::PathBuf;

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict, glob};

/// The image is registered nowhere.
pub(in crate::rules) struct Registrations;

static META: RuleMeta = RuleMeta {
    id: "SEC-018",
    title: "no registrations, leases or hardware names are in the image",
    requirements: &["A1", "A2", "MP-A7", "MP-G5"],
    rationale: "Agents, subscriptions and networks know a machine by what they stored on it. In an image it makes all \
                instances one machine, lends out somebody's subscription, or ties the network to a card that is gone.",
    remedy: "Unregister the agent before imaging, and remove the file.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// Made anew by whoever needs them, so removing them is safe.
const REMADE: [&str; 11] = [
    "/etc/hostid",
    "/etc/nvme/hostid",
    "/etc/nvme/hostnqn",
    "/etc/udev/rules.d/70-persistent-net.rules",
    "/var/lib/NetworkManager/*.lease",
    "/var/lib/NetworkManager/secret_key",
    "/var/lib/dhcp/*.leases",
    "/var/lib/dhclient/*.lease*",
    "/var/lib/dhcpcd/*.lease*",
    "/var/lib/dhcpcd/duid",
    "/var/lib/dhcpcd/secret",
];
/// Somebody's registration, which must be ended and not only deleted.
const REGISTERED: [&str; 16] = [
    "/etc/chef/client.pem",
    "/etc/NetworkManager/system-connections/*",
    "/etc/pki/consumer/*.pem",
    "/etc/pki/entitlement/*.pem",
    "/etc/puppetlabs/puppet/ssl/private_keys/*",
    "/etc/salt/pki/minion/minion.pem",
    "/etc/zypp/credentials.d/SCCcredentials",
    "/var/lib/amazon/ssm/Vault/Store/*",
    "/var/lib/amazon/ssm/registration",
    "/var/lib/amazon/ssm/ipc/*",
    "/var/lib/docker/swarm/*",
    "/var/lib/kubelet/pki/*",
    "/var/lib/puppet/ssl/private_keys/*",
    "/var/lib/tailscale/tailscaled.state",
    "/var/lib/ubuntu-advantage/private/machine-token.json",
    "/var/lib/waagent/*",
];

impl Rule for Registrations {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for path in present(cx, &REMADE)? {
            findings.push(finding("an identity of one machine", &path));
        }
        for path in present(cx, &REGISTERED)? {
            findings.push(finding("a registration of one machine", &path));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let found = present(&cx.look(), &REMADE)?;
            found.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

fn present(cx: &Context<'_>, patterns: &[&str]) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = Vec::new();
    for pattern in patterns {
        for path in glob::expand(cx, pattern)? {
            if cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 0) {
                found.push(path);
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn leases_are_removed_and_registrations_are_told() {
        let fixture = Fixture::new()
            .file("/var/lib/dhcp/dhclient.eth0.leases", "lease {}")
            .file("/var/lib/amazon/ssm/registration", "{}")
            .file("/etc/hostid", "");
        assert_eq!(
            fixture.paths("SEC-018"),
            ["/var/lib/amazon/ssm/registration", "/var/lib/dhcp/dhclient.eth0.leases"]
        );
        fixture.harden_twice();
        assert_eq!(fixture.paths("SEC-018"), ["/var/lib/amazon/ssm/registration"]);
    }
}
