//! Verifying a document.

use std::sync::Arc;

use crate::armour::decode_signature;
use crate::certificate::hex;
use crate::certificates::{CertificateInfo, Certificates, Entry};
use crate::cms::{KeyKind, MESSAGE_BYTES_MAX, Message};
use crate::document::Document;
use crate::expect::Expect;
use crate::form::Form;
use crate::key::{DigestKind, PublicKey};
use crate::refusal::Refusal;

/// The lengths of bare signatures: RSA of 1024 and of 2048 bits. Messages are always longer.
const BARE_SIGNATURE_BYTES: [usize; 2] = [128, 256];
const RSA_2048_BITS_MIN: usize = 2048;

/// A document that is proven and is what the caller expects.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Verified {
    /// What the document says.
    pub document: Document,
    /// The form of the signature.
    pub form: Form,
    /// The certificate whose key made the signature.
    pub certificate: CertificateInfo,
    /// Whether the certificate had expired at the time of the check.
    pub is_certificate_expired: bool,
}

/// Verifies that EC2 signed `document`, and that it says what is expected.
///
/// `document` is the very bytes that the metadata service gives at `instance-identity/document`. `signature` is what
/// it gives at `rsa2048`, `pkcs7` or `signature`: base64; lines of PEM around it are fine, and for messages so are the
/// plain bytes. Which of these forms are accepted is told by [`Expect::forms`].
///
/// The signature is verified before anything of the document is compared.
///
/// # Errors
///
/// The first reason to refuse the document.
pub fn verify(document: &[u8], signature: &[u8], expect: &Expect) -> Result<Verified, Refusal> {
    let fields = Document::parse_unverified(document).map_err(|what| Refusal::DocumentUnreadable { what })?;
    let certificates = expect.certificates.as_ref().unwrap_or_else(|| Certificates::embedded_shared());
    let signature = decode(signature)?;
    let is_bare = BARE_SIGNATURE_BYTES.contains(&signature.len());
    let signer = if is_bare {
        verify_bare(document, &signature, &fields.region, certificates, &expect.forms)?
    } else {
        verify_message(document, &signature, &fields.region, certificates, &expect.forms)?
    };
    let is_certificate_expired = expect.now() > signer.certificate.not_after;
    if is_certificate_expired && expect.is_expiry_fatal {
        return Err(Refusal::CertificateExpired { serial: signer.certificate.serial_text() });
    }
    expect.check(&fields)?;
    Ok(Verified { document: fields, form: signer.form, certificate: signer.info(), is_certificate_expired })
}

fn decode(signature: &[u8]) -> Result<Vec<u8>, Refusal> {
    if signature.len() > MESSAGE_BYTES_MAX {
        return Err(Refusal::SignatureUnreadable { what: "it is too long" });
    }
    // A message in plain bytes: the second byte, a length, is no character of base64.
    if matches!(signature, [0x30, 0x80..=0xff, ..]) {
        return Ok(signature.to_vec());
    }
    let bytes =
        decode_signature(signature).map_err(|error| Refusal::SignatureUnreadable { what: error.0 })?;
    if bytes.is_empty() { Err(Refusal::SignatureUnreadable { what: "it is empty" }) } else { Ok(bytes) }
}

/// Verifies a bare signature: it names no signer, so every certificate of the region is tried.
fn verify_bare(
    document: &[u8],
    signature: &[u8],
    region: &str,
    certificates: &Certificates,
    forms: &[Form],
) -> Result<Arc<Entry>, Refusal> {
    if !forms.contains(&Form::Signature) {
        return Err(Refusal::WrongForm { found: Form::Signature });
    }
    let entries = certificates.entries().iter();
    let mut candidates: Vec<_> =
        entries.filter(|entry| entry.form == Form::Signature && entry.is_of(region)).collect();
    if candidates.is_empty() {
        return Err(Refusal::NoCertificate { region: region.to_owned() });
    }
    // Several certificates may hold one key: the one that is valid longest is told.
    candidates.sort_by_key(|entry| std::cmp::Reverse(entry.certificate.not_after));
    let is_signer = |entry: &&&Arc<Entry>| match entry.certificate.key() {
        Ok(key @ PublicKey::Rsa(_)) => key.verifies(DigestKind::Sha256, document, signature),
        _ => false,
    };
    candidates.iter().find(is_signer).map(|entry| Arc::clone(entry)).ok_or(Refusal::SignatureWrong)
}

/// Verifies a message: it must hold the document and name a certificate of the region.
fn verify_message(
    document: &[u8],
    signature: &[u8],
    region: &str,
    certificates: &Certificates,
    forms: &[Form],
) -> Result<Arc<Entry>, Refusal> {
    let message = Message::parse(signature)?;
    if message.content != document {
        return Err(Refusal::ContentDiffers);
    }
    if message.digest.of(document) != message.content_digest {
        return Err(Refusal::DigestDiffers);
    }
    let mut is_algorithm_wrong = false;
    for entry in find_signers(&message, region, certificates, forms)? {
        let Ok(key) = entry.certificate.key() else { continue };
        if !is_fitting(entry.form, key, &message) {
            is_algorithm_wrong = true;
        } else if key.verifies(message.digest, &message.signed_bytes, &message.signature) {
            return Ok(Arc::clone(entry));
        }
    }
    Err(if is_algorithm_wrong { Refusal::AlgorithmRefused } else { Refusal::SignatureWrong })
}

/// Finds the certificates that the message names, of the accepted forms and of the region; or tells what they lack.
fn find_signers<'a>(
    message: &Message,
    region: &str,
    certificates: &'a Certificates,
    forms: &[Form],
) -> Result<Vec<&'a Arc<Entry>>, Refusal> {
    let entries = certificates.entries();
    let is_named = |entry: &&Arc<Entry>| {
        entry.form != Form::Signature
            && entry.certificate.serial == message.serial
            && entry.certificate.issuer == message.issuer
    };
    let named: Vec<_> = entries.iter().filter(is_named).collect();
    let accepted: Vec<_> = named.iter().copied().filter(|entry| forms.contains(&entry.form)).collect();
    if let (Some(other), true) = (named.first(), accepted.is_empty()) {
        return Err(Refusal::WrongForm { found: other.form });
    }
    let region = region.to_owned();
    if !entries.iter().any(|entry| forms.contains(&entry.form) && entry.is_of(&region)) {
        return Err(Refusal::NoCertificate { region });
    }
    let serial = hex(&message.serial);
    if accepted.is_empty() {
        return Err(Refusal::SignerUnknown { serial });
    }
    let signers: Vec<_> = accepted.into_iter().filter(|entry| entry.is_of(&region)).collect();
    if signers.is_empty() { Err(Refusal::SignerOfOtherRegion { serial, region }) } else { Ok(signers) }
}

/// Tells whether key and algorithms are those of the form.
fn is_fitting(form: Form, key: &PublicKey, message: &Message) -> bool {
    let is_key_kind = matches!(
        (key, message.key_kind),
        (PublicKey::Rsa(_), KeyKind::Rsa) | (PublicKey::Dsa(_), KeyKind::Dsa)
    );
    let is_form = form == Form::Pkcs7
        || (message.digest == DigestKind::Sha256
            && message.key_kind == KeyKind::Rsa
            && key.bits() >= RSA_2048_BITS_MIN);
    is_key_kind && is_form
}
