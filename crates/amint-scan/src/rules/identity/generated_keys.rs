use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use amint_types::Severity;

use crate::rule::finding;
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict, glob};

/// Keys that packages make when they are installed are made anew on each instance.
pub(in crate::rules) struct GeneratedKeys;

static META: RuleMeta = RuleMeta {
    id: "SEC-009",
    title: "keys made while packages were installed are made anew at boot",
    requirements: &["A2", "A11", "A13", "MP-G5"],
    rationale: "Mail servers, databases and web consoles make keys for themselves when they are installed. In an image \
                that moment was once, for all instances together.",
    remedy: "Remove the key and its certificate before imaging, and let a unit make them at first boot: for the \
             snake-oil key, `make-ssl-cert generate-default-snakeoil --force-overwrite`.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// A pattern of keys, and the program that makes them anew where some unit or script runs it; empty when none is known.
const KEYS: [(&str, &str); 40] = [
    ("/etc/bind/rndc.key", "rndc-confgen"),
    ("/etc/cockpit/ws-certs.d/*.key", "cockpit-certificate-ensure"),
    ("/etc/courier/*.pem", "mkimapdcert"),
    ("/etc/cups/ssl/*.key", ""),
    ("/etc/dovecot/private/dovecot.key", ""),
    ("/etc/dovecot/private/dovecot.pem", ""),
    ("/etc/dovecot/ssl-key.pem", ""),
    ("/etc/ejabberd/ejabberd.pem", ""),
    ("/etc/elasticsearch/certs/*.p12", ""),
    ("/etc/exim4/exim.key", ""),
    ("/etc/gitlab/gitlab-secrets.json", ""),
    ("/etc/kubernetes/pki/*.key", "kubeadm"),
    ("/etc/munge/munge.key", "mungekey"),
    ("/etc/nsd/*.key", "nsd-control-setup"),
    ("/etc/pki/dovecot/private/*.pem", ""),
    ("/etc/pki/tls/private/localhost.key", "httpd-init"),
    ("/etc/pki/tls/private/postfix.key", ""),
    ("/etc/postfix/*.key", ""),
    ("/etc/postfix/ssl/*.key", ""),
    ("/etc/prosody/certs/localhost.key", ""),
    ("/etc/rndc.key", "rndc-confgen"),
    ("/etc/ssl/influxdb-selfsigned.key", ""),
    ("/etc/ssl/private/proftpd.key", ""),
    ("/etc/ssl/private/pure-ftpd.pem", ""),
    ("/etc/ssl/private/ssl-cert-snakeoil.key", "make-ssl-cert"),
    ("/etc/ssl/private/vsftpd.pem", ""),
    ("/etc/unbound/unbound_*.key", "unbound-control-setup"),
    ("/etc/webmin/miniserv.pem", ""),
    ("/usr/share/elasticsearch/config/certs/*.p12", ""),
    ("/var/lib/jenkins/identity.key.enc", ""),
    ("/var/lib/jenkins/secret.key", ""),
    ("/var/lib/jenkins/secrets/master.key", ""),
    ("/var/lib/mysql/*-key.pem", "mysql_ssl_rsa_setup"),
    ("/var/lib/mysql/private_key.pem", "mysql_ssl_rsa_setup"),
    ("/var/lib/pgsql/*/data/server.key", ""),
    ("/var/lib/pgsql/data/server.key", ""),
    ("/var/lib/postgresql/*/*/server.key", ""),
    ("/var/lib/rabbitmq/.erlang.cookie", ""),
    ("/var/lib/rancher/k3s/server/tls/*.key", ""),
    ("/var/lib/rancher/rke2/server/tls/*.key", ""),
];
/// What runs at boot: units of the administrator, and scripts and settings of cloud-init.
const STARTERS: [&str; 6] = [
    "/etc/cloud/cloud.cfg",
    "/etc/cloud/cloud.cfg.d/*.cfg",
    "/etc/systemd/system/*.service",
    "/etc/systemd/system/*.service.d/*.conf",
    "/var/lib/cloud/scripts/per-boot/*",
    "/var/lib/cloud/scripts/per-instance/*",
];

impl Rule for GeneratedKeys {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut found: BTreeSet<(PathBuf, &str)> = BTreeSet::new();
        for (pattern, maker) in KEYS {
            for path in glob::expand(cx, pattern)? {
                // A link leads to a key that somebody put elsewhere: it is judged there.
                if cx.metadata(&path)?.is_some_and(|metadata| metadata.is_file() && metadata.bytes > 0) {
                    found.insert((path, maker));
                }
            }
        }
        if found.is_empty() {
            return Ok(Verdict::Pass);
        }
        let started = started(cx)?;
        let is_remade = |maker: &str| !maker.is_empty() && started.contains(maker);
        let left = found.iter().filter(|(_, maker)| !is_remade(maker));
        Ok(left.map(|(path, _)| finding("a key of the build", path)).collect::<Vec<_>>().into())
    }
}

/// Returns the lines of all that starts at boot, without comments.
fn started(cx: &Context<'_>) -> Result<String, CheckError> {
    let mut text = String::new();
    for pattern in STARTERS {
        for path in glob::expand(cx, pattern)? {
            if cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                add_lines(cx, &path, &mut text)?;
            }
        }
    }
    Ok(text)
}

fn add_lines(cx: &Context<'_>, path: &Path, text: &mut String) -> Result<(), CheckError> {
    for line in cx.text(path)?.unwrap_or_default().lines().map(str::trim) {
        if !line.starts_with(['#', ';']) {
            text.push_str(line);
            text.push('\n');
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn keys_of_installations_are_found_and_those_of_nobody_are_not() {
        let fixture = Fixture::new()
            .file("/var/lib/mysql/server-key.pem", "x")
            .file("/var/lib/mysql/server-cert.pem", "x")
            .file("/etc/ssl/private/ssl-cert-snakeoil.key", "x")
            .file("/etc/ssl/dhparam.pem", "x")
            .link("/etc/ssl/private/ssl-cert-snakeoil.key", "/var/lib/postgresql/17/main/server.key");
        assert_eq!(
            fixture.paths("SEC-009"),
            ["/etc/ssl/private/ssl-cert-snakeoil.key", "/var/lib/mysql/server-key.pem"]
        );
    }

    #[test]
    fn a_unit_that_makes_the_key_anew_clears_it_and_a_comment_does_not() {
        let fixture = Fixture::new()
            .file("/etc/ssl/private/ssl-cert-snakeoil.key", "x")
            .file("/etc/systemd/system/keys.service", "[Service]\n# ExecStart=make-ssl-cert\n");
        assert_eq!(fixture.paths("SEC-009").len(), 1);
        let run =
            "[Service]\nExecStart=/usr/sbin/make-ssl-cert generate-default-snakeoil --force-overwrite\n";
        assert!(fixture.file("/etc/systemd/system/keys.service", run).is_pass("SEC-009"));
    }
}
