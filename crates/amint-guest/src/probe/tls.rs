//! Is TLS what it should be on a port?

use std::net::SocketAddr;

use amint_types::Severity;
use jiff::Timestamp;

use crate::probe::certificate;
use crate::probe::exchange::{client, connect};
use crate::probe::hello::{SSL_3_0, TLS_1_0, TLS_1_1, TLS_1_2, takes, weak_ciphers};

/// What was found on one port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFindings {
    /// What is wrong, and how bad it is.
    pub(crate) wrong: Vec<(Severity, String)>,
    /// A few words about it.
    pub(crate) summary: String,
}

/// Looks at versions, ciphers and certificate.
pub(crate) fn look(address: SocketAddr, now: Timestamp) -> TlsFindings {
    let versions = [(SSL_3_0, "SSL 3.0"), (TLS_1_0, "TLS 1.0"), (TLS_1_1, "TLS 1.1"), (TLS_1_2, "TLS 1.2")];
    let taken: Vec<_> = versions.into_iter().filter(|(version, _)| takes(address, *version)).collect();
    let mut wrong: Vec<(Severity, String)> = taken
        .iter()
        .filter(|(version, _)| *version < TLS_1_2)
        .map(|(_, name)| (Severity::High, format!("{name} is taken")))
        .collect();
    let mut names: Vec<&str> = taken.iter().map(|(_, name)| *name).collect();
    if let Some((version, _)) = taken.last() {
        let weak = weak_ciphers(address, *version);
        if !weak.is_empty() {
            wrong.push((Severity::High, format!("weak ciphers are taken: {}", weak.join(", "))));
        }
    }
    let summary = match handshake(address) {
        Ok((is_newest, der)) => {
            if is_newest {
                names.push("TLS 1.3");
            }
            let (found, words) = certificate::judge(&der, now);
            wrong.extend(found);
            format!("{}; {words}", names.join(", "))
        }
        Err(reason) => {
            // A server that only speaks old versions says enough already.
            if wrong.is_empty() {
                wrong.push((Severity::Medium, format!("no handshake succeeds: {reason}")));
            }
            names.join(", ")
        }
    };
    TlsFindings { wrong, summary }
}

/// Shakes hands by TLS 1.2 or 1.3; tells whether it was 1.3, and the server's certificate.
fn handshake(address: SocketAddr) -> std::io::Result<(bool, Vec<u8>)> {
    let mut connection = client()?;
    let mut stream = connect(address)?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    let is_newest = connection.protocol_version() == Some(rustls::ProtocolVersion::TLSv1_3);
    let certificate = connection.peer_certificates().and_then(<[_]>::first);
    let der = certificate.ok_or_else(|| std::io::Error::other("no certificate was shown"))?.to_vec();
    Ok((is_newest, der))
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;
    use crate::probe::hello::tests::fake;

    const NOW: &str = "2026-11-26T00:00:00Z";

    #[test]
    fn server_with_old_versions_and_weak_ciphers_is_judged() {
        let address = fake(&[TLS_1_0, TLS_1_1], &[0x000a, 0x002f]);
        let found = look(address, NOW.parse().unwrap());
        let texts: Vec<&str> = found.wrong.iter().map(|(_, text)| text.as_str()).collect();
        assert_eq!(
            texts,
            ["TLS 1.0 is taken", "TLS 1.1 is taken", "weak ciphers are taken: RSA_WITH_3DES_EDE_CBC_SHA"]
        );
    }

    struct Server(Child, SocketAddr);

    impl Drop for Server {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    /// Starts `openssl s_server` with a key of `bits` bits and a certificate for `days` days.
    fn openssl(folder: &std::path::Path, bits: &str, days: &str) -> Option<Server> {
        let outcome = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-newkey", bits, "-days", days, "-subj", "/CN=probe.test"])
            .args(["-keyout", "key.pem", "-out", "cert.pem"])
            .current_dir(folder)
            .output();
        let Ok(made) = outcome else {
            eprintln!("SKIPPED: openssl is not installed");
            return None;
        };
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let port = crate::machine::free_ports(1).unwrap()[0];
        let server = Command::new("openssl")
            .args(["s_server", "-quiet", "-www", "-key", "key.pem", "-cert", "cert.pem", "-accept"])
            .arg(format!("127.0.0.1:{port}"))
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let server = Server(server, address);
        let end = std::time::Instant::now() + std::time::Duration::from_secs(20);
        while connect(address).is_err() {
            assert!(std::time::Instant::now() < end, "the server does not start");
            std::thread::yield_now();
        }
        Some(server)
    }

    #[test]
    fn certificate_of_a_real_server_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let Some(server) = openssl(folder.path(), "rsa:2048", "3650") else { return };
        let found = look(server.1, Timestamp::now());
        assert_eq!(found.wrong, [(Severity::Low, "its certificate is signed by itself".to_owned())]);
        assert!(
            found.summary.contains("TLS 1.2, TLS 1.3; certificate of CN=probe.test"),
            "{}",
            found.summary
        );
    }

    #[test]
    fn certificate_that_ends_soon_and_a_short_key_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let Some(server) = openssl(folder.path(), "rsa:2048", "30") else { return };
        let texts = |now: Timestamp| -> Vec<String> {
            look(server.1, now).wrong.into_iter().map(|(_, text)| text).collect()
        };
        assert!(texts(Timestamp::now())[0].starts_with("its certificate ends on 20"));
        let later = Timestamp::now() + jiff::SignedDuration::from_hours(24 * 60);
        assert!(texts(later)[0].starts_with("its certificate ended on 20"));
        let folder = tempfile::tempdir().unwrap();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-nodes", "-newkey", "rsa:1024", "-sha256", "-days", "3650"])
            .args(["-subj", "/CN=short", "-outform", "DER", "-keyout", "key.pem", "-out", "cert.der"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(made.status.success());
        let der = std::fs::read(folder.path().join("cert.der")).unwrap();
        let (wrong, _) = certificate::judge(&der, Timestamp::now());
        assert_eq!(wrong[0].1, "its RSA key has 1024 bits");
    }

    #[test]
    fn certificate_that_cannot_be_read_is_a_finding() {
        assert_eq!(certificate::judge(b"nonsense", NOW.parse().unwrap()).0.len(), 1);
    }
}
