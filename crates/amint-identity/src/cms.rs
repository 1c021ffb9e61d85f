//! Reading signed messages (RFC 5652), in the one shape that EC2 gives them.
//!
//! One signer, named by issuer and serial number; content inside; signed attributes. Certificates within a message
//! are skipped: they prove nothing.

use crate::ber::{self, BerError, Element, Reader};
use crate::key::{DigestKind, oid};
use crate::refusal::Refusal;

/// How long a message may be; EC2's are below 2 KiB.
pub(crate) const MESSAGE_BYTES_MAX: usize = 256 * 1024;

pub(crate) const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
pub(crate) const DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01];
pub(crate) const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x03];
pub(crate) const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x04];
pub(crate) const SIGNING_TIME: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05];
/// RFC 6211.
pub(crate) const ALGORITHM_PROTECTION: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x34];

/// `[0]` and `[1]`, constructed.
pub(crate) const CONTEXT_0: u8 = 0xa0;
pub(crate) const CONTEXT_1: u8 = 0xa1;
const NULL: &[u8] = &[0x05, 0x00];

/// The kind of key that a signature algorithm needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeyKind {
    Rsa,
    Dsa,
}

/// A signed message, taken apart. Nothing is verified yet.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) content: Vec<u8>,
    /// The issuer of the signer's certificate, in DER.
    pub(crate) issuer: Vec<u8>,
    /// The serial number of the signer's certificate, as its bytes in DER.
    pub(crate) serial: Vec<u8>,
    pub(crate) digest: DigestKind,
    pub(crate) key_kind: KeyKind,
    /// The very bytes that the signature covers: the attributes as a SET (RFC 5652, 5.4).
    pub(crate) signed_bytes: Vec<u8>,
    /// What the signed attributes say the digest of the content is.
    pub(crate) content_digest: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

fn unreadable(error: BerError) -> Refusal {
    Refusal::SignatureUnreadable { what: error.0 }
}

impl Message {
    /// Takes a message apart.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, Refusal> {
        let mut outer = Reader::new(bytes);
        let mut info = outer.enter(ber::SEQUENCE).map_err(unreadable)?;
        outer.end().map_err(unreadable)?;
        let mut data = signed_data(&mut info).map_err(unreadable)?;
        let digests = data.take(ber::SET).map_err(unreadable)?;
        let content = content(&mut data).map_err(unreadable)?;
        data.optional(CONTEXT_0).map_err(unreadable)?;
        data.optional(CONTEXT_1).map_err(unreadable)?;
        let mut signer_infos = data.enter(ber::SET).map_err(unreadable)?;
        data.end().map_err(unreadable)?;
        let mut signer = match signer_infos.peek() {
            None => return Err(Refusal::SignerCount),
            Some(_) => signer_infos.enter(ber::SEQUENCE).map_err(unreadable)?,
        };
        if signer_infos.peek().is_some() {
            return Err(Refusal::SignerCount);
        }
        let message = parse_signer(&mut signer, content)?;
        // The list of digests repeats what the signer says; another list is a sign of work on the message.
        let mut listed = Reader::new(digests.content);
        let listed_digest = algorithm(&mut listed).map_err(unreadable)?;
        listed.end().map_err(unreadable)?;
        if digest_kind(listed_digest)? != message.digest {
            return Err(Refusal::AlgorithmRefused);
        }
        Ok(message)
    }
}

/// Enters the signed data of a content info (RFC 5652, 3).
fn signed_data<'a>(info: &mut Reader<'a>) -> Result<Reader<'a>, BerError> {
    if info.take(ber::OBJECT_IDENTIFIER)?.content != SIGNED_DATA {
        return Err(BerError("a message that is not signed data"));
    }
    let mut explicit = info.enter(CONTEXT_0)?;
    info.end()?;
    let mut signed = explicit.enter(ber::SEQUENCE)?;
    explicit.end()?;
    version_1(&mut signed)?;
    Ok(signed)
}

fn version_1(reader: &mut Reader<'_>) -> Result<(), BerError> {
    if reader.take(ber::INTEGER)?.content == [1] { Ok(()) } else { Err(BerError("an unknown version")) }
}

/// Reads the content that is within the message.
fn content(signed: &mut Reader<'_>) -> Result<Vec<u8>, BerError> {
    let mut encapsulated = signed.enter(ber::SEQUENCE)?;
    if encapsulated.take(ber::OBJECT_IDENTIFIER)?.content != DATA {
        return Err(BerError("content of another type than data"));
    }
    if encapsulated.peek().is_none() {
        return Err(BerError("a message without its content"));
    }
    let mut explicit = encapsulated.enter(CONTEXT_0)?;
    encapsulated.end()?;
    let octets = explicit.any()?;
    explicit.end()?;
    ber::octets(&octets)
}

/// Reads an algorithm that has no parameters (absent, or NULL).
fn algorithm<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], BerError> {
    let mut parts = reader.enter(ber::SEQUENCE)?;
    let name = parts.take(ber::OBJECT_IDENTIFIER)?.content;
    if parts.peek().is_some() && parts.any()?.raw != NULL {
        return Err(BerError("an algorithm with parameters"));
    }
    parts.end()?;
    Ok(name)
}

fn digest_kind(name: &[u8]) -> Result<DigestKind, Refusal> {
    match name {
        oid::SHA1 => Ok(DigestKind::Sha1),
        oid::SHA256 => Ok(DigestKind::Sha256),
        _ => Err(Refusal::AlgorithmRefused),
    }
}

/// Tells what key a signature algorithm needs, where it goes with the digest.
///
/// The plain names of the keys are not taken for DSA: EC2 and openssl never write them there.
fn key_kind(name: &[u8], digest: DigestKind) -> Result<KeyKind, Refusal> {
    match (name, digest) {
        (oid::RSA, _)
        | (oid::RSA_WITH_SHA1, DigestKind::Sha1)
        | (oid::RSA_WITH_SHA256, DigestKind::Sha256) => Ok(KeyKind::Rsa),
        (oid::DSA_WITH_SHA1, DigestKind::Sha1) => Ok(KeyKind::Dsa),
        _ => Err(Refusal::AlgorithmRefused),
    }
}

/// Reads the signer's part (RFC 5652, 5.3).
fn parse_signer(signer: &mut Reader<'_>, content: Vec<u8>) -> Result<Message, Refusal> {
    version_1(signer).map_err(unreadable)?;
    let mut name = signer.enter(ber::SEQUENCE).map_err(unreadable)?;
    let issuer = name.take(ber::SEQUENCE).map_err(unreadable)?.raw.to_vec();
    let serial = name.take(ber::INTEGER).map_err(unreadable)?.content.to_vec();
    name.end().map_err(unreadable)?;
    let digest_name = algorithm(signer).map_err(unreadable)?;
    let digest = digest_kind(digest_name)?;
    let Some(attributes) = signer.optional(CONTEXT_0).map_err(unreadable)? else {
        return Err(Refusal::AttributeMissing { attribute: "any signed attribute" });
    };
    let signature_name = algorithm(signer).map_err(unreadable)?;
    let key_kind = key_kind(signature_name, digest)?;
    let signature = signer.take(ber::OCTET_STRING).map_err(unreadable)?.content.to_vec();
    signer.end().map_err(unreadable)?;
    if attributes.is_indefinite {
        // The signature covers DER, which has no indefinite lengths.
        return Err(Refusal::SignatureUnreadable { what: "signed attributes that are not in DER" });
    }
    let content_digest = parse_attributes(&attributes, digest_name, signature_name)?;
    let mut signed_bytes = attributes.raw.to_vec();
    if let Some(tag) = signed_bytes.first_mut() {
        *tag = ber::SET;
    }
    Ok(Message { content, issuer, serial, digest, key_kind, signed_bytes, content_digest, signature })
}

/// Checks the signed attributes (RFC 5652, 11), and returns the digest of the content that they state.
fn parse_attributes(attributes: &Element<'_>, digest: &[u8], signature: &[u8]) -> Result<Vec<u8>, Refusal> {
    let mut reader = Reader::new(attributes.content);
    let mut seen: Vec<&[u8]> = Vec::new();
    let mut content_digest = None;
    while reader.peek().is_some() {
        let mut attribute = reader.enter(ber::SEQUENCE).map_err(unreadable)?;
        let name = attribute.take(ber::OBJECT_IDENTIFIER).map_err(unreadable)?.content;
        let mut values = attribute.enter(ber::SET).map_err(unreadable)?;
        attribute.end().map_err(unreadable)?;
        if seen.contains(&name) {
            return Err(Refusal::AttributeRepeated);
        }
        seen.push(name);
        match name {
            CONTENT_TYPE => {
                if values.take(ber::OBJECT_IDENTIFIER).map_err(unreadable)?.content != DATA {
                    return Err(Refusal::AttributeWrong { attribute: "contentType" });
                }
            }
            MESSAGE_DIGEST => {
                content_digest = Some(values.take(ber::OCTET_STRING).map_err(unreadable)?.content.to_vec());
            }
            ALGORITHM_PROTECTION => {
                if protected_algorithms(&mut values).map_err(unreadable)? != (digest, signature) {
                    return Err(Refusal::AttributeWrong { attribute: "CMSAlgorithmProtection" });
                }
            }
            // What the signing time says is not used; other attributes are signed and of no concern.
            SIGNING_TIME => drop(values.any().map_err(unreadable)?),
            _ => continue,
        }
        if values.peek().is_some() {
            return Err(Refusal::AttributeRepeated);
        }
    }
    if !seen.contains(&CONTENT_TYPE) {
        return Err(Refusal::AttributeMissing { attribute: "contentType" });
    }
    content_digest.ok_or(Refusal::AttributeMissing { attribute: "messageDigest" })
}

/// Reads the algorithms that RFC 6211 protects: the digest and, as `[1]`, the signature.
fn protected_algorithms<'a>(values: &mut Reader<'a>) -> Result<(&'a [u8], &'a [u8]), BerError> {
    let mut parts = values.enter(ber::SEQUENCE)?;
    let digest = algorithm(&mut parts)?;
    let mut signature = parts.enter(CONTEXT_1)?;
    parts.end()?;
    Ok((digest, signature.take(ber::OBJECT_IDENTIFIER)?.content))
}
