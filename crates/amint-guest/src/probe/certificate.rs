//! What a TLS server's certificate says (RFC 5280).

use jiff::{SignedDuration, Timestamp};
use x509_cert::Certificate;
use x509_cert::der::{Decode, SliceReader};

use amint_types::Severity;

/// A certificate that ends sooner is as good as expired in an image that is kept.
const DAYS_LEFT_MIN: i64 = 90;
/// RSA keys shorter than this are too weak (NIST SP 800-131A).
const RSA_BITS_MIN: usize = 2048;
const RSA: &str = "1.2.840.113549.1.1.1";
/// Signatures over MD5 and SHA-1: with RSA, ECDSA and DSA.
const WEAK_SIGNATURES: [&str; 4] =
    ["1.2.840.113549.1.1.4", "1.2.840.113549.1.1.5", "1.2.840.10045.4.1", "1.2.840.10040.4.3"];

/// Returns what is wrong with a certificate, and a few words about it.
pub(crate) fn judge(der: &[u8], now: Timestamp) -> (Vec<(Severity, String)>, String) {
    let Ok(certificate) = Certificate::from_der(der) else {
        return (vec![(Severity::High, "its certificate cannot be read".to_owned())], String::new());
    };
    let body = &certificate.tbs_certificate;
    let mut wrong = Vec::new();
    let end = i64::try_from(body.validity.not_after.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
    let end = Timestamp::from_second(end).unwrap_or(Timestamp::MAX);
    let day = end.strftime("%Y-%m-%d").to_string();
    if end < now {
        wrong.push((Severity::High, format!("its certificate ended on {day}")));
    } else if end < now + SignedDuration::from_hours(24 * DAYS_LEFT_MIN) {
        wrong.push((Severity::Medium, format!("its certificate ends on {day}")));
    }
    let key = &body.subject_public_key_info;
    let bits = key.subject_public_key.as_bytes().and_then(rsa_bits);
    if key.algorithm.oid.to_string() == RSA
        && let Some(bits) = bits.filter(|bits| *bits < RSA_BITS_MIN)
    {
        wrong.push((Severity::High, format!("its RSA key has {bits} bits")));
    }
    let is_self_signed = body.issuer == body.subject;
    if WEAK_SIGNATURES.contains(&certificate.signature_algorithm.oid.to_string().as_str()) && !is_self_signed
    {
        wrong.push((Severity::High, "its certificate is signed over MD5 or SHA-1".to_owned()));
    }
    if is_self_signed {
        // Rightly so where each instance makes its own; browsers warn all the same.
        wrong.push((Severity::Low, "its certificate is signed by itself".to_owned()));
    }
    let name: String =
        body.subject.to_string().chars().filter(|letter| !letter.is_control()).take(120).collect();
    (wrong, format!("certificate of {name} until {day}"))
}

/// Returns the size of the modulus of an RSA key (RFC 8017, appendix A.1.1).
fn rsa_bits(key: &[u8]) -> Option<usize> {
    let mut reader = SliceReader::new(key).ok()?;
    let modulus = x509_cert::der::Reader::sequence(&mut reader, |inside| {
        let modulus = x509_cert::der::asn1::UintRef::decode(inside)?;
        x509_cert::der::asn1::UintRef::decode(inside)?;
        Ok(modulus)
    });
    let bytes = modulus.ok()?.as_bytes();
    let first = bytes.first()?;
    Some(bytes.len() * 8 - usize::try_from(first.leading_zeros()).ok()?)
}
