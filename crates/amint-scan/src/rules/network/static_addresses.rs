use std::net::IpAddr;
use std::path::{Path, PathBuf};

use amint_types::report::Finding;

use crate::facts::yaml;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context};

const INTERFACES: &str = "/etc/network/interfaces";
const INTERFACES_FOLDER: &str = "/etc/network/interfaces.d";
const NETPLAN: [&str; 2] = ["/etc/netplan", "/usr/lib/netplan"];
const NETWORKD: [&str; 2] = ["/etc/systemd/network", "/usr/lib/systemd/network"];
const SCRIPTS: &str = "/etc/sysconfig/network-scripts";
const CONNECTIONS: &str = "/etc/NetworkManager/system-connections";

/// Finds interfaces with addresses of the builder: an instance has others, and then no network.
///
/// The loopback's own address, and those that only one link knows (169.254.0.0/16, `fe80::/10`), harm nobody.
pub(super) fn find(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    for path in std::iter::once(PathBuf::from(INTERFACES)).chain(files(cx, INTERFACES_FOLDER, "")?) {
        ifupdown(cx, &path, &mut findings)?;
    }
    for folder in NETPLAN {
        for path in files(cx, folder, ".yaml")? {
            netplan(cx, &path, &mut findings)?;
        }
    }
    for folder in NETWORKD {
        for path in files(cx, folder, ".network")? {
            by_key(cx, &path, &["Address"], &mut findings)?;
        }
    }
    for path in files(cx, SCRIPTS, "")? {
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("ifcfg-")) {
            by_key(cx, &path, &["IPADDR", "IPADDR0", "IPADDR1", "IPV6ADDR"], &mut findings)?;
        }
    }
    for path in files(cx, CONNECTIONS, "")? {
        by_key(cx, &path, &["address1", "address", "addresses"], &mut findings)?;
    }
    Ok(findings)
}

fn files(cx: &Context<'_>, folder: &str, ending: &str) -> Result<Vec<PathBuf>, CheckError> {
    let entries = cx.list(folder)?.into_iter();
    let named = entries.filter(|entry| entry.name.to_string_lossy().ends_with(ending));
    Ok(named.map(|entry| Path::new(folder).join(entry.name)).collect())
}

fn message(address: &str) -> String {
    format!("an interface has the fixed address {address}")
}

/// Returns an address without its prefix, when it is one that binds an image to a network.
fn fixed(text: &str) -> Option<&str> {
    let text = text.trim().trim_matches(['"', '\'']);
    let address = text.split(['/', ',', ' ']).next()?;
    let harms = match address.parse::<IpAddr>().ok()? {
        IpAddr::V4(address) => {
            !address.is_loopback() && !address.is_link_local() && !address.is_unspecified()
        }
        IpAddr::V6(address) => {
            !address.is_loopback() && !address.is_unicast_link_local() && !address.is_unspecified()
        }
    };
    harms.then_some(address)
}

/// Debian's own form (interfaces(5)): what a stanza `static` has as `address`.
fn ifupdown(cx: &Context<'_>, path: &Path, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let mut is_static = false;
    for (number, line) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["iface", _, _, method, ..] => is_static = method == "static",
            ["auto" | "mapping" | "source" | "source-directory", ..] => is_static = false,
            ["address", address, ..] if is_static => {
                if let Some(address) = fixed(address) {
                    findings.push(finding_at(message(address), path, number, line));
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Settings of the form `KEY=VALUE` in whatever section.
fn by_key(
    cx: &Context<'_>,
    path: &Path,
    keys: &[&str],
    findings: &mut Vec<Finding>,
) -> Result<(), CheckError> {
    for (number, line) in (1_u32..).zip(cx.text(path)?.unwrap_or_default().lines()) {
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        if let Some(address) = fixed(value).filter(|_| keys.contains(&key.trim())) {
            findings.push(finding_at(message(address), path, number, line));
        }
    }
    Ok(())
}

/// The addresses of a device of netplan (netplan(5)).
fn netplan(cx: &Context<'_>, path: &Path, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let Some(text) = cx.text(path)? else { return Ok(()) };
    let settings = yaml::parse(path, &text)?;
    for kind in ["ethernets", "bonds", "bridges", "vlans"] {
        let Some(devices) = settings.at(&["network", kind]) else { continue };
        for device in devices.values() {
            let addresses = device.at(&["addresses"]).map_or(&[][..], |list| list.items());
            findings.extend(
                addresses
                    .iter()
                    .filter_map(|address| fixed(address.text()?))
                    .map(|address| finding(message(address), path)),
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    fn addresses(path: &str, text: &str) -> Vec<String> {
        Fixture::new().file(path, text).findings("NET-002")
    }

    #[test]
    fn fixed_addresses_are_found_in_every_form() {
        for (path, text, line) in [
            ("/etc/network/interfaces", "auto eth0\niface eth0 inet static\n  address 10.1.2.50/24\n", ":3"),
            ("/etc/sysconfig/network-scripts/ifcfg-eth0", "DEVICE=eth0\nIPADDR=\"10.1.2.50\"\n", ":2"),
            ("/etc/systemd/network/10-eth0.network", "[Network]\nAddress=10.1.2.50/24\n", ":2"),
            (
                "/etc/NetworkManager/system-connections/eth0.nmconnection",
                "[ipv4]\naddress1=10.1.2.50/24,10.1.2.1\nmethod=manual\n",
                ":2",
            ),
            (
                "/etc/netplan/01.yaml",
                "network:\n  ethernets:\n    eth0:\n      addresses: [10.1.2.50/24]\n",
                "",
            ),
        ] {
            assert_eq!(
                addresses(path, text),
                [format!("{path}{line} an interface has the fixed address 10.1.2.50")],
            );
        }
    }

    #[test]
    fn loopback_link_local_and_dhcp_are_no_fixed_addresses() {
        for (path, text) in [
            ("/etc/network/interfaces", "iface lo inet static\n  address 127.0.0.1\niface eth0 inet dhcp\n"),
            ("/etc/systemd/network/10.network", "[Network]\nDHCP=yes\nAddress=169.254.1.1/16\n"),
            ("/etc/netplan/01.yaml", "network:\n  ethernets:\n    eth0:\n      dhcp4: true\n"),
            ("/etc/sysconfig/network-scripts/ifcfg-lo", "IPADDR=127.0.0.1\n"),
        ] {
            assert!(addresses(path, text).is_empty(), "{path}");
        }
    }
}
