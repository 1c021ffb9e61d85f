//! Certificates in files: what they say, and how strong they are (RFC 5280, RFC 7468).

use amint_types::Digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use x509_cert::der::asn1::UintRef;
use x509_cert::der::{Decode, Reader, SliceReader};

/// How many certificates of one file are read.
const CERTIFICATES_MAX: usize = 2000;
const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";
/// OpenSSL's own form, which carries what the certificate is trusted for behind it.
const BEGIN_TRUSTED: &str = "-----BEGIN TRUSTED CERTIFICATE-----";
const END_TRUSTED: &str = "-----END TRUSTED CERTIFICATE-----";

/// What a certificate says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFacts {
    /// Whom it names.
    pub subject: String,
    /// Who issued it.
    pub issuer: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// The digest of its bytes.
    pub fingerprint: Digest,
    /// Whether it may issue others.
    pub is_authority: bool,
    /// The bits of its RSA key; none for other keys.
    pub rsa_bits: Option<u64>,
    /// The digest of its signature, when that is a broken one: `SHA-1`.
    pub weak_digest: Option<&'static str>,
}

impl CertificateFacts {
    /// Tells whether it was issued by whom it names.
    pub fn is_self_signed(&self) -> bool {
        self.subject == self.issuer
    }
}

/// Bytes that carry the mark of a certificate and are none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// The mark of the end is missing.
    #[error("a certificate has no end")]
    NoEnd,
    /// What stands between the marks is no certificate.
    #[error("a certificate cannot be understood")]
    Malformed,
    /// There are more than are read.
    #[error("more certificates than {CERTIFICATES_MAX}")]
    TooMany,
}

/// Reads the certificates of a file, in either form; a file without the mark of one has none.
pub fn certificates(bytes: &[u8]) -> Result<Vec<CertificateFacts>, CertificateError> {
    if let Some(certificate) = read(bytes) {
        return Ok(vec![certificate]);
    }
    let text = String::from_utf8_lossy(bytes);
    let mut rest: &str = &text;
    let mut found = Vec::new();
    loop {
        let plain = rest.find(BEGIN).map(|at| (at, BEGIN, END));
        let trusted = rest.find(BEGIN_TRUSTED).map(|at| (at, BEGIN_TRUSTED, END_TRUSTED));
        let Some((at, begin, end)) = plain.into_iter().chain(trusted).min() else { return Ok(found) };
        if found.len() >= CERTIFICATES_MAX {
            return Err(CertificateError::TooMany);
        }
        let Some((body, left)) = rest[at + begin.len()..].split_once(end) else {
            return Err(CertificateError::NoEnd);
        };
        let compact: String = body.split_whitespace().collect();
        let der = STANDARD.decode(compact).map_err(|_| CertificateError::Malformed)?;
        let facts = if end == END_TRUSTED { first_of(&der).and_then(read) } else { read(&der) };
        found.push(facts.ok_or(CertificateError::Malformed)?);
        rest = left;
    }
}

/// The first object of several.
fn first_of(der: &[u8]) -> Option<&[u8]> {
    SliceReader::new(der).ok()?.tlv_bytes().ok()
}

fn read(der: &[u8]) -> Option<CertificateFacts> {
    let parsed = x509_cert::Certificate::from_der(der).ok()?;
    let body = &parsed.tbs_certificate;
    let time = |time: &x509_cert::time::Time| {
        let seconds = i64::try_from(time.to_unix_duration().as_secs()).ok()?;
        Timestamp::from_second(seconds).ok()
    };
    let is_authority = body
        .get::<x509_cert::ext::pkix::BasicConstraints>()
        .ok()
        .flatten()
        .is_some_and(|(_, constraints)| constraints.ca);
    let key = &body.subject_public_key_info;
    let is_rsa = key.algorithm.oid.to_string() == "1.2.840.113549.1.1.1";
    Some(CertificateFacts {
        subject: body.subject.to_string(),
        issuer: body.issuer.to_string(),
        not_before: time(&body.validity.not_before)?,
        not_after: time(&body.validity.not_after)?,
        fingerprint: Digest::of(der),
        is_authority,
        rsa_bits: if is_rsa { key.subject_public_key.as_bytes().and_then(rsa_bits) } else { None },
        weak_digest: weak_digest(&parsed.signature_algorithm.oid.to_string()),
    })
}

/// The size of the modulus of `RSAPublicKey` (RFC 8017, A.1.1).
fn rsa_bits(key: &[u8]) -> Option<u64> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus: UintRef<'_> = reader
        .sequence(|inner| {
            let modulus = UintRef::decode(inner)?;
            let _exponent = UintRef::decode(inner)?;
            Ok(modulus)
        })
        .ok()?;
    let bytes = modulus.as_bytes();
    let first = bytes.first()?;
    Some(bytes.len() as u64 * 8 - u64::from(first.leading_zeros()))
}

/// Names the digest of signatures that are no longer safe (RFC 3279, RFC 5758).
fn weak_digest(algorithm: &str) -> Option<&'static str> {
    Some(match algorithm {
        "1.2.840.113549.1.1.2" => "MD2",
        "1.2.840.113549.1.1.4" => "MD5",
        "1.2.840.113549.1.1.5" | "1.3.14.3.2.29" | "1.2.840.10045.4.1" | "1.2.840.10040.4.3" => "SHA-1",
        _ => return None,
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) const OLD: &str = include_str!("testdata/old.pem");
    pub(crate) const AUTHORITY: &str = include_str!("testdata/ca.pem");
    pub(crate) const GOOD: &str = include_str!("testdata/good.pem");

    #[test]
    fn strength_and_dates_are_told() {
        let old = &certificates(OLD.as_bytes()).unwrap()[0];
        assert_eq!((old.rsa_bits, old.weak_digest, old.is_self_signed()), (Some(1024), Some("SHA-1"), true));
        assert_eq!(old.not_after.to_string(), "2021-01-01T00:00:00Z");
        assert_eq!(old.subject, "CN=old.example");
        let authority = &certificates(AUTHORITY.as_bytes()).unwrap()[0];
        assert!(authority.is_authority && authority.is_self_signed() && authority.weak_digest.is_none());
        let good = &certificates(GOOD.as_bytes()).unwrap()[0];
        assert_eq!((good.rsa_bits, good.weak_digest), (None, None));
        assert!(!good.is_self_signed() && !good.is_authority);
    }

    #[test]
    fn chains_are_read_and_what_is_cut_is_an_error() {
        let chain = format!("# text\n{GOOD}\n{AUTHORITY}");
        assert_eq!(certificates(chain.as_bytes()).unwrap().len(), 2);
        assert_eq!(certificates(b"-----BEGIN SOMETHING-----").unwrap(), []);
        assert_eq!(certificates(&GOOD.as_bytes()[..200]), Err(CertificateError::NoEnd));
        let broken = format!("{BEGIN}\nAAAA\n{END}\n");
        assert_eq!(certificates(broken.as_bytes()), Err(CertificateError::Malformed));
    }
}
