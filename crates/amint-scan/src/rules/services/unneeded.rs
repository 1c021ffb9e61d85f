use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use super::started::Started;
use crate::rule::finding;
use crate::{CheckError, Context, Protocol, RecipeChange, Rule, RuleMeta, Severities, Verdict};

/// Nothing is installed that serves or speaks protocols that the product does not need.
pub(in crate::rules) struct Unneeded;

static META: RuleMeta = RuleMeta {
    id: "SVC-002",
    title: "no unneeded services and clients are installed",
    requirements: &["B6", "CIS-2.1", "CIS-2.2"],
    rationale: "Each service that nobody needs is code that listens, is forgotten in updates, and gives whoever breaks \
                in another way on. Old clients send passwords in the clear.",
    remedy: "Remove the package, or declare the port that the product serves with it under `[[ports]]`.",
    severities: Severities {
        marketplace: Some(Severity::Low),
        shared_linux: Some(Severity::Low),
        hardened: Some(Severity::Medium),
        ..Severities::NONE
    },
};

/// A program, what it is, the package to remove, and the ports that make it wanted.
type Known = (&'static str, &'static str, &'static str, &'static [u16]);

const SERVICES: [Known; 33] = [
    ("/usr/sbin/avahi-daemon", "Avahi", "avahi-daemon", &[5353]),
    ("/usr/sbin/cupsd", "the print server CUPS", "cups", &[631]),
    ("/usr/sbin/rpcbind", "rpcbind", "rpcbind", &[111]),
    ("/sbin/rpcbind", "rpcbind", "rpcbind", &[111]),
    ("/usr/bin/rpcbind", "rpcbind", "rpcbind", &[111]),
    ("/usr/sbin/rpc.nfsd", "the NFS server", "nfs-kernel-server", &[2049]),
    ("/usr/sbin/dnsmasq", "dnsmasq", "dnsmasq", &[53, 67]),
    ("/usr/sbin/named", "the name server BIND", "bind9", &[53]),
    ("/usr/sbin/slapd", "the directory server OpenLDAP", "slapd", &[389, 636]),
    ("/usr/sbin/dovecot", "the mail server Dovecot", "dovecot-core", &[110, 143, 993, 995]),
    ("/usr/sbin/smbd", "the file server Samba", "samba", &[139, 445]),
    ("/usr/sbin/squid", "the proxy Squid", "squid", &[3128]),
    ("/usr/sbin/snmpd", "snmpd", "snmpd", &[161]),
    ("/usr/sbin/in.telnetd", "a telnet server", "telnetd", &[23]),
    ("/usr/sbin/telnetd", "a telnet server", "inetutils-telnetd", &[23]),
    ("/usr/sbin/in.tftpd", "a TFTP server", "tftpd-hpa", &[69]),
    ("/usr/sbin/atftpd", "a TFTP server", "atftpd", &[69]),
    ("/usr/sbin/ypserv", "an NIS server", "ypserv", &[]),
    ("/usr/sbin/vsftpd", "the FTP server vsftpd", "vsftpd", &[21]),
    ("/usr/sbin/proftpd", "the FTP server ProFTPD", "proftpd-core", &[21]),
    ("/usr/sbin/pure-ftpd", "the FTP server Pure-FTPd", "pure-ftpd", &[21]),
    ("/usr/sbin/xinetd", "xinetd", "xinetd", &[]),
    ("/usr/sbin/inetd", "inetd", "openbsd-inetd", &[]),
    ("/usr/bin/Xorg", "a graphical desktop's server", "xserver-xorg-core", &[]),
    ("/usr/lib/xorg/Xorg", "a graphical desktop's server", "xserver-xorg-core", &[]),
    ("/usr/libexec/Xorg", "a graphical desktop's server", "xorg-x11-server-Xorg", &[]),
    ("/usr/libexec/bluetooth/bluetoothd", "Bluetooth", "bluez", &[]),
    ("/usr/lib/bluetooth/bluetoothd", "Bluetooth", "bluez", &[]),
    ("/usr/sbin/dhcpd", "a DHCP server", "isc-dhcp-server", &[67]),
    ("/usr/sbin/kea-dhcp4", "a DHCP server", "kea-dhcp4-server", &[67]),
    ("/usr/sbin/automount", "the automounter", "autofs", &[]),
    ("/usr/sbin/rsh-server", "an rsh server", "rsh-server", &[514]),
    ("/usr/sbin/in.rshd", "an rsh server", "rsh-server", &[514]),
];

const CLIENTS: [Known; 11] = [
    ("/usr/bin/telnet", "a telnet client", "telnet", &[]),
    ("/usr/bin/inetutils-telnet", "a telnet client", "inetutils-telnet", &[]),
    ("/usr/bin/ftp", "an FTP client", "ftp", &[]),
    ("/usr/bin/tnftp", "an FTP client", "tnftp", &[]),
    ("/usr/bin/rsh-redone-rsh", "an rsh client", "rsh-redone-client", &[]),
    ("/usr/bin/netkit-rsh", "an rsh client", "rsh-client", &[]),
    ("/usr/bin/rlogin", "an rlogin client", "rsh-client", &[]),
    ("/usr/bin/talk", "a talk client", "talk", &[]),
    ("/usr/bin/ldapsearch", "an LDAP client", "ldap-utils", &[]),
    ("/usr/bin/ypcat", "an NIS client", "yp-tools", &[]),
    ("/usr/bin/tftp", "a TFTP client", "tftp-hpa", &[]),
];

impl Rule for Unneeded {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut findings = Vec::new();
        for (path, what, _, ports) in SERVICES.iter().chain(&CLIENTS) {
            let is_wanted = ports.iter().any(|port| {
                let declared = &cx.request().ports;
                declared.contains(&(*port, Protocol::Tcp)) || declared.contains(&(*port, Protocol::Udp))
            });
            // `ssh` may stand for rlogin by a link of alternatives: only a program of its own counts.
            let is_there = cx.metadata_following(path)?.is_some_and(|metadata| metadata.is_file());
            let is_ssh = cx
                .tree()
                .resolve(path.as_ref())
                .is_ok_and(|real| real.ends_with("ssh") || real.ends_with("slogin"));
            if is_there && !is_ssh && !is_wanted {
                findings.push(finding(format!("{what} is installed"), Path::new(path)));
            }
        }
        // rsync is a useful client; only its daemon is a service.
        if cx.fact(Started::load)?.has(&["rsync.service", "rsyncd.service", "rsyncd.socket"])
            && cx.exists("/etc/rsyncd.conf")?
        {
            findings.push(finding("the rsync daemon starts", Path::new("/etc/rsyncd.conf")));
        }
        Ok(findings.into())
    }

    fn recipe_change(&self, finding: &Finding) -> Option<RecipeChange> {
        let known = SERVICES.iter().chain(&CLIENTS).find(|(path, ..)| *path == finding.evidence.path);
        Some(match known {
            Some((_, _, package, _)) => RecipeChange::RemovePackage((*package).to_owned()),
            None => RecipeChange::DisableService("rsync".to_owned()),
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::Protocol;
    use crate::testing::Fixture;

    #[test]
    fn an_ftp_server_is_unneeded_unless_its_port_is_declared() {
        let mut fixture = Fixture::new().file("/usr/sbin/vsftpd", "x");
        assert_eq!(fixture.paths("SVC-002"), ["/usr/sbin/vsftpd"]);
        fixture.request.ports = vec![(21, Protocol::Tcp)];
        assert!(fixture.is_pass("SVC-002"));
    }

    #[test]
    fn rlogin_that_is_ssh_and_rsync_without_a_daemon_are_fine() {
        let fixture = Fixture::new()
            .file("/usr/bin/ssh", "x")
            .link("ssh", "/usr/bin/rlogin")
            .file("/usr/bin/rsync", "x")
            .file("/etc/rsyncd.conf", "");
        assert!(fixture.is_pass("SVC-002"));
    }
}
