//! Certificates that lie in an image outside the distribution's own trust store (RFC 5280, RFC 7468).

use amint_types::Digest;
use amint_types::scan::Certificate;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_cert::der::Decode;

use crate::pass::{AnalyzeError, Analyzer, Content, File, Output, Want};

/// The largest file that is looked into.
const FILE_BYTES_MAX: u64 = 1 << 20;
/// How many certificates of one file are told.
const CERTIFICATES_MAX: usize = 200;
/// Names that certificates usually have.
const ENDINGS: [&[u8]; 4] = [b".pem", b".crt", b".cer", b".der"];
/// Where people and packages put certificates of their own.
const FOLDERS: [&[u8]; 8] =
    [b"/etc/", b"/opt/", b"/srv/", b"/root/", b"/home/", b"/usr/local/", b"/var/lib/", b"/var/www/"];
/// The distribution's trust stores: all public authorities, made from packages.
const TRUST_STORES: [&[u8]; 6] = [
    b"/etc/ssl/certs/",
    b"/etc/pki/ca-trust/extracted/",
    b"/etc/pki/tls/certs/ca-bundle",
    b"/etc/ca-certificates/",
    b"/var/lib/ca-certificates/",
    b"/etc/ssl/cert.pem",
];
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// Finds certificates.
pub struct Certificates;

impl Analyzer for Certificates {
    fn id(&self) -> &'static str {
        "certificates"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &File<'_>) -> Option<Want> {
        let starts = |folders: &[&[u8]]| folders.iter().any(|folder| file.path.starts_with(folder));
        let has_ending = ENDINGS.iter().any(|ending| file.path.ends_with(ending));
        let is_wanted = has_ending
            && starts(&FOLDERS)
            && !starts(&TRUST_STORES)
            && (1..=FILE_BYTES_MAX).contains(&file.entry.bytes);
        is_wanted.then_some(Want::Places)
    }

    fn analyze(
        &self,
        file: &File<'_>,
        content: &Content<'_>,
        output: &mut Output,
    ) -> Result<(), AnalyzeError> {
        let failed = |error: std::io::Error| AnalyzeError(error.to_string());
        let Some(bytes) = content.all(FILE_BYTES_MAX).map_err(failed)? else { return Ok(()) };
        let path = file.path_text();
        if let Some(certificate) = read(&bytes, &path) {
            output.certificates.push(certificate);
            return Ok(());
        }
        // Keys and other things share the names of certificates: what is none is no error.
        let text = String::from_utf8_lossy(&bytes);
        let mut rest: &str = &text;
        for _ in 0..CERTIFICATES_MAX {
            let Some((_, after)) = rest.split_once(BEGIN) else { break };
            let Some((body, left)) = after.split_once(END) else {
                return Err(AnalyzeError("a certificate has no end".to_owned()));
            };
            let compact: String = body.split_whitespace().collect();
            let found = STANDARD.decode(compact).ok().and_then(|der| read(&der, &path));
            output
                .certificates
                .push(found.ok_or_else(|| AnalyzeError("a certificate cannot be understood".to_owned()))?);
            rest = left;
        }
        Ok(())
    }
}

fn read(der: &[u8], path: &str) -> Option<Certificate> {
    let parsed = x509_cert::Certificate::from_der(der).ok()?;
    let body = &parsed.tbs_certificate;
    let seconds = i64::try_from(body.validity.not_after.to_unix_duration().as_secs()).ok()?;
    let is_authority = body
        .get::<x509_cert::ext::pkix::BasicConstraints>()
        .ok()
        .flatten()
        .is_some_and(|(_, constraints)| constraints.ca);
    Some(Certificate {
        path: path.to_owned(),
        subject: body.subject.to_string(),
        issuer: body.issuer.to_string(),
        not_after: Timestamp::from_second(seconds).ok()?,
        fingerprint: Digest::of(der),
        is_authority,
    })
}
