//! Certificates that lie in an image outside the distribution's own trust store (RFC 5280, RFC 7468).

use amint_scan::certificates::{CertificateFacts, certificates};
use amint_types::scan::Certificate;

use crate::pass::{AnalyzeError, Analyzer, Content, File, Output, Want};

/// The largest file that is looked into.
const FILE_BYTES_MAX: u64 = 1 << 20;
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
        // Keys and other things share the names of certificates: what is none is no error.
        let found = certificates(&bytes).map_err(|error| AnalyzeError(error.to_string()))?;
        output.certificates.extend(found.into_iter().map(|facts| told(facts, &path)));
        Ok(())
    }
}

fn told(facts: CertificateFacts, path: &str) -> Certificate {
    Certificate {
        path: path.to_owned(),
        subject: facts.subject,
        issuer: facts.issuer,
        not_after: facts.not_after,
        fingerprint: facts.fingerprint,
        is_authority: facts.is_authority,
    }
}
