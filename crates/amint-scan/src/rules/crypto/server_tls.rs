use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;
use jiff::ToSpan;
use jiff::tz::TimeZone;

use super::weakness::{weak_cipher, weak_protocol};
use crate::facts::certificates::{CertificateFacts, certificates};
use crate::facts::{apache, nginx};
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Rule, RuleMeta, Severities, Verdict, glob};

/// What servers speak is safe, and so are their certificates.
pub(in crate::rules) struct ServerTls;

static META: RuleMeta = RuleMeta {
    id: "CRY-002",
    title: "servers speak current TLS, with certificates of their own",
    requirements: &["A2", "B6", "MP-G5", "CIS-2.1"],
    rationale: "Old protocols and ciphers can be read by others. A certificate in the image is the same on every \
                instance, and so is its key; one that lapses stops the service some day.",
    remedy: "Allow TLS 1.2 and 1.3 only, take weak ciphers out, and let instances make or fetch their certificates.",
    severities: Severities::public(Severity::High, Some(Severity::Medium)),
};

/// A certificate must last this much longer.
const DAYS_LEFT_MIN: i64 = 90;
const RSA_BITS_MIN: u64 = 2048;

/// What a server is set to.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    certificates: Vec<PathBuf>,
    is_any: bool,
}

impl Found {
    fn protocols(&mut self, server: &str, words: &str, path: &Path, line: u32, text: &str) {
        if let Some(weak) =
            weak_protocol(words.split([',', ' ', '\t']).filter(|word| !word.starts_with(['!', '-'])))
        {
            let weak = weak.trim_start_matches(['+', '>', '=']);
            self.findings.push(finding_at(format!("{server} speaks {weak}"), path, line, text));
        }
    }

    fn ciphers(&mut self, server: &str, list: &str, path: &Path, line: u32, text: &str) {
        if let Some(weak) = weak_cipher(list) {
            self.findings.push(finding_at(format!("{server} takes weak ciphers: {weak}"), path, line, text));
        }
    }
}

impl Rule for ServerTls {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let mut found = Found::default();
        of_nginx(cx, &mut found)?;
        of_apache(cx, &mut found)?;
        of_haproxy(cx, &mut found)?;
        for server in &KEYED {
            of_keyed(cx, server, &mut found)?;
        }
        if !found.is_any {
            return Ok(Verdict::NotApplicable("no server that speaks TLS".to_owned()));
        }
        let mut paths = std::mem::take(&mut found.certificates);
        paths.sort();
        paths.dedup();
        for path in paths {
            judge_file(cx, &path, &mut found.findings)?;
        }
        Ok(found.findings.into())
    }
}

fn of_nginx(cx: &Context<'_>, found: &mut Found) -> Result<(), CheckError> {
    let Some(config) = nginx::load(cx)? else { return Ok(()) };
    for server in nginx::servers(&config).iter().filter(|server| server.has_tls()) {
        found.is_any = true;
        for directive in server.effective("ssl_protocols") {
            let words = directive.arguments.join(" ");
            found.protocols("nginx", &words, &directive.path, directive.line, &directive.text());
        }
        if let Some(directive) = server.effective("ssl_ciphers").last()
            && let Some(list) = directive.arguments.first()
        {
            found.ciphers("nginx", list, &directive.path, directive.line, &directive.text());
        }
        for directive in server.effective("ssl_certificate") {
            // A name may be made of variables, or hold the certificate itself.
            if let Some(path) = directive.arguments.first().filter(|path| !path.contains(['$', ':'])) {
                let path = if path.starts_with('/') {
                    PathBuf::from(path)
                } else {
                    Path::new("/etc/nginx").join(path)
                };
                found.certificates.push(path);
            }
        }
    }
    Ok(())
}

fn of_apache(cx: &Context<'_>, found: &mut Found) -> Result<(), CheckError> {
    let config = apache::load(cx)?;
    for host in apache::hosts(&config) {
        let is_on = apache::effective(&config, host, "sslengine").is_some_and(|directive| {
            directive.arguments.first().is_some_and(|word| word.eq_ignore_ascii_case("on"))
        });
        if !is_on {
            continue;
        }
        found.is_any = true;
        if let Some(directive) = apache::effective(&config, host, "sslprotocol") {
            let words = directive.arguments.join(" ");
            found.protocols("apache", &words, &directive.path, directive.line, &directive.text());
        }
        if let Some(directive) = apache::effective(&config, host, "sslciphersuite")
            && let Some(list) = directive.arguments.last()
        {
            found.ciphers("apache", list, &directive.path, directive.line, &directive.text());
        }
        let certificate = apache::effective(&config, host, "sslcertificatefile");
        found.certificates.extend(certificate.and_then(|one| one.arguments.first()).map(PathBuf::from));
    }
    Ok(())
}

fn of_haproxy(cx: &Context<'_>, found: &mut Found) -> Result<(), CheckError> {
    let path = Path::new("/etc/haproxy/haproxy.cfg");
    let text = cx.text(path)?.unwrap_or_default();
    // Without a socket that speaks TLS, the defaults are nobody's.
    let is_tls = text.lines().any(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        words.first() == Some(&"bind") && words.contains(&"ssl")
    });
    if !is_tls {
        return Ok(());
    }
    found.is_any = true;
    for (line, text) in (1_u32..).zip(text.lines()) {
        let words: Vec<&str> = text.split('#').next().unwrap_or_default().split_whitespace().collect();
        let Some(first) = words.first() else { continue };
        if *first != "bind" && !first.starts_with("ssl-default-bind") {
            continue;
        }
        for pair in words.windows(2) {
            match pair[0] {
                "ssl-min-ver" => found.protocols("haproxy", pair[1], path, line, text),
                "crt" => found.certificates.push(PathBuf::from(pair[1])),
                "ciphers" | "ssl-default-bind-ciphers" => found.ciphers("haproxy", pair[1], path, line, text),
                _ => {}
            }
        }
        if let Some(forced) = words.iter().find_map(|word| word.strip_prefix("force-")) {
            found.protocols(
                "haproxy",
                &forced.replace("tlsv10", "tlsv1.0").replace("tlsv11", "tlsv1.1"),
                path,
                line,
                text,
            );
        }
    }
    Ok(())
}

/// A server with `key = value` lines.
struct Keyed {
    name: &'static str,
    files: &'static [&'static str],
    protocols: &'static [&'static str],
    ciphers: &'static [&'static str],
    certificates: &'static [&'static str],
}

const KEYED: [Keyed; 5] = [
    Keyed {
        name: "postfix",
        files: &["/etc/postfix/main.cf"],
        protocols: &["smtpd_tls_protocols", "smtpd_tls_mandatory_protocols"],
        ciphers: &["tls_high_cipherlist", "tls_medium_cipherlist"],
        certificates: &["smtpd_tls_cert_file", "smtpd_tls_chain_files"],
    },
    Keyed {
        name: "dovecot",
        files: &["/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/*.conf", "/etc/dovecot/local.conf"],
        protocols: &["ssl_min_protocol", "ssl_protocols"],
        ciphers: &["ssl_cipher_list"],
        certificates: &["ssl_cert", "ssl_server_cert_file"],
    },
    Keyed {
        name: "mysql",
        files: &[
            "/etc/my.cnf",
            "/etc/my.cnf.d/*.cnf",
            "/etc/mysql/my.cnf",
            "/etc/mysql/conf.d/*.cnf",
            "/etc/mysql/mysql.conf.d/*.cnf",
            "/etc/mysql/mariadb.conf.d/*.cnf",
        ],
        protocols: &["tls_version", "tls-version"],
        ciphers: &["ssl_cipher", "ssl-cipher"],
        certificates: &["ssl-cert", "ssl_cert"],
    },
    Keyed {
        name: "postgresql",
        files: &["/etc/postgresql/*/*/postgresql.conf", "/var/lib/pgsql/data/postgresql.conf"],
        protocols: &["ssl_min_protocol_version"],
        ciphers: &["ssl_ciphers"],
        certificates: &["ssl_cert_file"],
    },
    Keyed {
        name: "vsftpd",
        files: &["/etc/vsftpd.conf", "/etc/vsftpd/vsftpd.conf"],
        protocols: &[],
        ciphers: &["ssl_ciphers"],
        certificates: &["rsa_cert_file"],
    },
];

fn of_keyed(cx: &Context<'_>, server: &Keyed, found: &mut Found) -> Result<(), CheckError> {
    for pattern in server.files {
        for path in glob::expand(cx, pattern)? {
            let text = cx.text(&path)?.unwrap_or_default();
            for (line, text) in (1_u32..).zip(text.lines()) {
                let bare = text.split(" #").next().unwrap_or_default();
                let Some((key, value)) =
                    bare.split_once('=').filter(|_| !bare.trim_start().starts_with(['#', ';']))
                else {
                    continue;
                };
                let (key, value) = (key.trim(), value.trim().trim_matches(['"', '\'']));
                if server.protocols.contains(&key) {
                    found.is_any = true;
                    found.protocols(server.name, value, &path, line, text);
                } else if server.ciphers.contains(&key) {
                    found.ciphers(server.name, value, &path, line, text);
                } else if server.certificates.contains(&key) && !value.is_empty() {
                    found.is_any = true;
                    let names = value.trim_start_matches('<').split([',', ' ']);
                    found.certificates.extend(names.filter(|name| name.starts_with('/')).map(PathBuf::from));
                }
            }
        }
    }
    Ok(())
}

/// Judges the certificates that a server sends: a file, or all files of a folder.
fn judge_file(cx: &Context<'_>, path: &Path, findings: &mut Vec<Finding>) -> Result<(), CheckError> {
    let Some(metadata) = cx.metadata_following(path)? else { return Ok(()) };
    let mut files = vec![path.to_owned()];
    if metadata.is_dir() {
        files = cx.list(path)?.into_iter().map(|entry| path.join(entry.name)).collect();
    }
    for path in files {
        let Some(bytes) = cx.read(&path)? else { continue };
        let all = certificates(&bytes).map_err(|error| CheckError::Malformed {
            path: path.clone(),
            line: 1,
            what: error.to_string(),
        })?;
        // The first is the server's; the rest lead to an authority.
        for (place, certificate) in all.iter().enumerate() {
            let objections = objections(cx, certificate, place == 0);
            findings.extend(objections.into_iter().map(|what| finding(what, &path)));
        }
    }
    Ok(())
}

fn objections(cx: &Context<'_>, certificate: &CertificateFacts, is_own: bool) -> Vec<String> {
    let mut found = Vec::new();
    let today = cx.request().today;
    let last = certificate.not_after.to_zoned_datetime(TimeZone::UTC).date();
    if last < today {
        found.push(format!("a server's certificate expired on {last}"));
    } else if today.checked_add(DAYS_LEFT_MIN.days()).is_ok_and(|limit| last < limit) {
        found.push(format!("a server's certificate expires on {last}"));
    }
    if let Some(bits) = certificate.rsa_bits.filter(|bits| *bits < RSA_BITS_MIN) {
        found.push(format!("a server's certificate has a key of {bits} bits"));
    }
    // The signature of a root says nothing: it is trusted by itself.
    if let Some(digest) = certificate.weak_digest.filter(|_| is_own || !certificate.is_self_signed()) {
        found.push(format!("a server's certificate is signed by means of {digest}"));
    }
    if is_own && certificate.is_self_signed() {
        found.push("a server's certificate is signed by itself, and the same on every instance".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::Verdict;
    use crate::facts::certificates::tests::{AUTHORITY, GOOD, OLD};
    use crate::testing::Fixture;

    #[test]
    fn certificates_that_servers_send_are_judged() {
        let server = |certificate: &str| {
            Fixture::new()
                .file(
                    "/etc/nginx/nginx.conf",
                    "http { server { listen 443 ssl; ssl_certificate /etc/ssl/site.pem; } }\n",
                )
                .file("/etc/ssl/site.pem", certificate)
        };
        assert!(server(&format!("{GOOD}{AUTHORITY}")).is_pass("CRY-002"));
        let findings = server(OLD).findings("CRY-002").join("\n");
        for part in ["expired on 2021-01-01", "1024 bits", "SHA-1", "signed by itself"] {
            assert!(findings.contains(part), "{part}: {findings}");
        }
        assert_eq!(server(AUTHORITY).findings("CRY-002").len(), 1);
    }

    #[test]
    fn old_protocols_and_ciphers_are_found_in_every_server() {
        for (path, content) in [
            ("/etc/nginx/nginx.conf", "http { ssl_protocols TLSv1 TLSv1.2; server { listen 443 ssl; } }\n"),
            ("/etc/nginx/nginx.conf", "http { server { listen 443 ssl; ssl_ciphers HIGH:RC4; } }\n"),
            (
                "/etc/apache2/apache2.conf",
                "<VirtualHost *:443>\nSSLEngine on\nSSLProtocol +SSLv3\n</VirtualHost>\n",
            ),
            ("/etc/haproxy/haproxy.cfg", "frontend x\n  bind :443 ssl crt /x ssl-min-ver TLSv1.0\n"),
            ("/etc/postfix/main.cf", "smtpd_tls_mandatory_protocols = SSLv3, TLSv1\n"),
            ("/etc/dovecot/conf.d/10-ssl.conf", "ssl_min_protocol = TLSv1\n"),
            ("/etc/my.cnf", "[mysqld]\ntls_version=TLSv1,TLSv1.2\n"),
        ] {
            assert_eq!(Fixture::new().file(path, content).paths("CRY-002"), [path], "{content}");
        }
    }

    #[test]
    fn servers_without_tls_and_current_settings_pass() {
        let plain = Fixture::new()
            .file("/etc/nginx/nginx.conf", "http { ssl_protocols TLSv1 TLSv1.2; server { listen 80; } }\n");
        assert!(matches!(plain.check("CRY-002"), Verdict::NotApplicable(_)));
        let fixture = Fixture::new()
            .file(
                "/etc/nginx/nginx.conf",
                "http { ssl_protocols TLSv1; server { listen 443 ssl; ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers \
                 HIGH:!aNULL:!MD5; } }\n",
            )
            .file("/etc/apache2/apache2.conf", "SSLEngine on\nSSLProtocol all -SSLv3 -TLSv1 -TLSv1.1\n")
            .file("/etc/postfix/main.cf", "smtpd_tls_protocols = !SSLv2, !SSLv3, !TLSv1\n");
        assert!(fixture.is_pass("CRY-002"));
    }
}
