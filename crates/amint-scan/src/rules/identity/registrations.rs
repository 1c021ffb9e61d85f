use std::path::PathBuf;

use amint_types::Severity;
use amint_types::report::Finding;

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
const REMADE: [&str; 14] = [
    "/etc/hostid",
    "/var/lib/libuuid/clock.txt",
    "/var/lib/wicked/*.xml",
    "/etc/udev/rules.d/70-persistent-cd.rules",
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
const REGISTERED: [&str; 63] = [
    "/etc/NetworkManager/system-connections/*",
    "/etc/chef/client.pem",
    "/etc/chef/validation.pem",
    "/etc/cinc/client.pem",
    "/etc/codedeploy-agent/conf/codedeploy.onpremises.yml",
    "/etc/docker/key.json",
    "/etc/elastic-agent/fleet.enc",
    "/etc/insights-client/.registered",
    "/etc/insights-client/machine-id",
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/pki/consumer/*.pem",
    "/etc/pki/entitlement/*.pem",
    "/etc/puppet/ssl/private_keys/*",
    "/etc/puppetlabs/puppet/ssl/private_keys/*",
    "/etc/rancher/node/password",
    "/etc/salt/minion_id",
    "/etc/salt/pki/minion/minion.pem",
    "/etc/zypp/credentials.d/SCCcredentials",
    "/opt/CrowdStrike/falconstore",
    "/opt/Elastic/Agent/fleet.enc",
    "/opt/consul/data/node-id",
    "/opt/consul/node-id",
    "/opt/nomad/data/client/client-id",
    "/opt/nomad/data/client/secret-id",
    "/opt/splunk/etc/auth/splunk.secret",
    "/opt/splunk/etc/instance.cfg",
    "/opt/splunkforwarder/etc/auth/splunk.secret",
    "/opt/splunkforwarder/etc/instance.cfg",
    "/var/lib/amazon/ssm/Vault/Store/*",
    "/var/lib/amazon/ssm/i-*/*",
    "/var/lib/amazon/ssm/ipc/*",
    "/var/lib/amazon/ssm/mi-*/*",
    "/var/lib/amazon/ssm/registration",
    "/var/lib/amazon/ssm/runtimeconfig/identity_config.json",
    "/var/lib/consul/node-id",
    "/var/lib/docker/containers/*/config.v2.json",
    "/var/lib/docker/engine-id",
    "/var/lib/docker/swarm/*",
    "/var/lib/docker/swarm/certificates/*",
    "/var/lib/ecs/data/*",
    "/var/lib/filebeat/meta.json",
    "/var/lib/filebeat/registry/filebeat/meta.json",
    "/var/lib/kubelet/pki/*",
    "/var/lib/landscape/client/broker.bpickle",
    "/var/lib/metricbeat/meta.json",
    "/var/lib/nomad/client/client-id",
    "/var/lib/nomad/client/secret-id",
    "/var/lib/puppet/ssl/private_keys/*",
    "/var/lib/rancher/k3s/server/node-token",
    "/var/lib/rancher/k3s/server/token",
    "/var/lib/rancher/rke2/server/node-token",
    "/var/lib/rancher/rke2/server/token",
    "/var/lib/samba/private/secrets.tdb",
    "/var/lib/snapd/device/private-keys-v1/*",
    "/var/lib/tailscale/tailscaled.state",
    "/var/lib/teleport/host_uuid",
    "/var/lib/ubuntu-advantage/private/machine-token.json",
    "/var/lib/ubuntu-pro/private/machine-token.json",
    "/var/lib/waagent/*",
    "/var/lib/zerotier-one/identity.secret",
    "/var/ossec/etc/client.keys",
    "/var/snap/microk8s/current/credentials/*",
];
/// Settings that hold a registration, and the beginning of the line that does; a value must follow.
const SETTINGS: [(&str, &str); 12] = [
    ("/etc/datadog-agent/datadog.yaml", "api_key:"),
    ("/etc/iscsi/initiatorname.iscsi", "InitiatorName="),
    ("/etc/landscape/client.conf", "registration_key"),
    ("/etc/netplan/*.yaml", "macaddress:"),
    ("/etc/network/interfaces", "hwaddress"),
    ("/etc/network/interfaces.d/*", "hwaddress"),
    ("/etc/newrelic-infra.yml", "license_key:"),
    ("/etc/newrelic/newrelic.cfg", "newrelic.license"),
    ("/etc/sysconfig/network-scripts/ifcfg-*", "HWADDR="),
    ("/etc/sysconfig/rhn/systemid", "<"),
    ("/etc/systemd/network/*.link", "MACAddress="),
    ("/etc/systemd/network/*.network", "MACAddress="),
];
/// Values that mean none.
const NO_VALUES: [&str; 7] = ["", "\"\"", "''", "none", "null", "changeme", "your_license_key"];

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
        findings.extend(settings(cx)?);
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let found = present(&cx.look(), &REMADE)?;
            found.iter().try_for_each(|path| cx.remove(path))
        })
    }
}

/// Finds the lines of settings that hold a registration or the address of a card.
fn settings(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    for (pattern, key) in SETTINGS {
        for path in glob::expand(cx, pattern)? {
            if !cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                continue;
            }
            let text = cx.text(&path)?.unwrap_or_default();
            for (line, content) in (1_u32..).zip(text.lines().map(str::trim)) {
                let Some(value) = content.strip_prefix(key) else { continue };
                let value = value.trim_start_matches([' ', '=', ':', '\t']).trim().to_ascii_lowercase();
                if !NO_VALUES.contains(&value.as_str()) && !value.starts_with(['$', '#']) {
                    let mut found = finding("an identity of one machine", &path);
                    found.evidence.line = Some(line);
                    found.evidence.excerpt = Some(format!("{key} ***"));
                    findings.push(found);
                }
            }
        }
    }
    Ok(findings)
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

    #[test]
    fn settings_that_name_one_machine_are_told_and_empty_ones_are_not() {
        let key = "0123456789abcdef0123456789abcdef";
        let fixture = Fixture::new()
            .file("/etc/datadog-agent/datadog.yaml", &format!("# api_key: x\napi_key: {key}\n"))
            .file("/etc/newrelic-infra.yml", "license_key: \"\"\n")
            .file("/etc/iscsi/initiatorname.iscsi", "GenerateName=yes\n")
            .file(
                "/etc/netplan/50-cloud-init.yaml",
                "network:\n  match:\n    macaddress: 02:00:00:00:00:01\n",
            )
            .file("/etc/sysconfig/network-scripts/ifcfg-eth0", "DEVICE=eth0\n#HWADDR=02:00:00:00:00:01\n")
            .file("/opt/splunkforwarder/etc/instance.cfg", "guid = x\n");
        assert_eq!(
            fixture.paths("SEC-018"),
            [
                "/etc/datadog-agent/datadog.yaml",
                "/etc/netplan/50-cloud-init.yaml",
                "/opt/splunkforwarder/etc/instance.cfg"
            ]
        );
        assert!(!format!("{:?}", fixture.check("SEC-018")).contains(key));
    }
}
