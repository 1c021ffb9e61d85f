//! Signing statements, and checking what others signed.

use amint_types::{Digest, Hint, ImageRef};

use crate::dsse::{Envelope, EnvelopeError, EnvelopeSignature, PAYLOAD_TYPE, pae};
use crate::key::{KeyId, PublicKey, SigningKey};
use crate::shown::shown;
use crate::statement::{SHA256, Statement, StatementError};

/// The payload type that names the predicate as well (in-toto attestation v1, envelope layer). It is no faithful
/// sign of what the payload is, and not taken for one.
const PROVENANCE_PAYLOAD_TYPE: &str = "application/vnd.in-toto.provenance+json";

/// A statement that a trusted key signed.
#[derive(Clone, Debug, PartialEq)]
pub struct Verified {
    /// The statement.
    pub statement: Statement,
    /// The trusted keys whose signatures hold, in the order of the envelope, each one once.
    pub signers: Vec<KeyId>,
}

/// An envelope does not prove what it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// No key is trusted, so that no signature can count.
    #[error("no key is trusted")]
    NoTrustedKeys,
    /// The bytes are no envelope.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// No signature is said to be by a trusted key, and none without a name holds for one.
    #[error("no signature is by a trusted key (signed by {})", signers(.seen))]
    Untrusted {
        /// The ids of keys that the envelope names; nobody vouches for them.
        seen: Vec<String>,
    },
    /// Signatures are said to be by trusted keys, but do not hold: the statement was changed, or they were.
    #[error("the signature by {} does not hold", join(.keys))]
    BadSignature {
        /// The keys that are said to have signed.
        keys: Vec<KeyId>,
    },
    /// The envelope was signed, but holds something else than an in-toto statement.
    #[error("the envelope holds `{}` instead of `{PAYLOAD_TYPE}`", shown(.found))]
    PayloadType {
        /// What it holds.
        found: String,
    },
    /// The payload is no statement that amint can read.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The statement is about another image, or about other bytes of this one.
    #[error("the statement is not about `{image}` with the digest {digest} but about {found}")]
    Subject {
        /// The image.
        image: ImageRef,
        /// Its digest.
        digest: Digest,
        /// What the statement is about, fit to be shown.
        found: String,
    },
}

/// Signs a statement.
///
/// It is read again first: nothing is signed that a verifier would refuse.
pub fn sign_statement(statement: &Statement, key: &SigningKey) -> Result<Envelope, StatementError> {
    let payload = statement.to_json();
    Statement::from_json(&payload)?;
    Ok(Envelope::sign(PAYLOAD_TYPE, payload, key))
}

/// Reads an envelope, and its statement if one of the trusted keys signed it.
pub fn verify_envelope(envelope: &[u8], trusted: &[PublicKey]) -> Result<Verified, VerifyError> {
    let envelope = Envelope::from_json(envelope)?;
    let signers = verify_signatures(&envelope, trusted)?;
    if ![PAYLOAD_TYPE, PROVENANCE_PAYLOAD_TYPE].contains(&envelope.payload_type()) {
        return Err(VerifyError::PayloadType { found: envelope.payload_type().to_owned() });
    }
    let statement = Statement::from_json(envelope.payload())?;
    Ok(Verified { statement, signers })
}

/// Finds the trusted keys that signed an envelope: at least one.
///
/// A key id narrows the keys that are tried, which is all it may do; without one, all are tried. Signatures that
/// do not hold are passed by when another one does, as the protocol rules: anybody could add one.
pub fn verify_signatures(envelope: &Envelope, trusted: &[PublicKey]) -> Result<Vec<KeyId>, VerifyError> {
    if trusted.is_empty() {
        return Err(VerifyError::NoTrustedKeys);
    }
    let message = pae(envelope.payload_type(), envelope.payload());
    let (mut signers, mut bad) = (Vec::new(), Vec::new());
    for signature in envelope.signatures() {
        let mut candidates = trusted.iter().filter(|key| may_have_made(key, signature));
        let verdict = candidates.clone().find(|key| key.verifies(&message, &signature.signature));
        match verdict {
            Some(key) => add(&mut signers, key.id()),
            None if signature.keyid.is_some() => {
                if let Some(key) = candidates.next() {
                    add(&mut bad, key.id());
                }
            }
            None => {}
        }
    }
    if !signers.is_empty() {
        return Ok(signers);
    }
    if !bad.is_empty() {
        return Err(VerifyError::BadSignature { keys: bad });
    }
    let seen = envelope.signatures().iter().filter_map(|signature| signature.keyid.clone());
    Err(VerifyError::Untrusted { seen: seen.collect() })
}

/// Checks that a statement is about an image and these bytes of it: one subject must have both name and digest.
pub fn check_subject(statement: &Statement, image: &ImageRef, digest: Digest) -> Result<(), VerifyError> {
    let (name, sha256) = (image.to_string(), digest.to_string());
    let is_about = statement.subject.iter().any(|subject| {
        subject.name.as_ref() == Some(&name)
            && subject.digest.get(SHA256).is_some_and(|found| found.eq_ignore_ascii_case(&sha256))
    });
    if is_about {
        return Ok(());
    }
    let found = statement.subject.first().map_or_else(
        || "nothing".to_owned(),
        |subject| {
            let name = subject.name.as_deref().unwrap_or("something without a name");
            let digest = subject.digest.get(SHA256).map_or("no SHA-256 digest", String::as_str);
            format!("`{}` with {}", shown(name), shown(digest))
        },
    );
    Err(VerifyError::Subject { image: image.clone(), digest, found })
}

fn may_have_made(key: &PublicKey, signature: &EnvelopeSignature) -> bool {
    signature.keyid.as_ref().is_none_or(|keyid| *keyid == key.id().to_string())
}

fn add(keys: &mut Vec<KeyId>, key: KeyId) {
    if !keys.contains(&key) {
        keys.push(key);
    }
}

fn signers(seen: &[String]) -> String {
    if seen.is_empty() {
        return "keys without a name".to_owned();
    }
    seen.iter().map(|keyid| shown(keyid)).collect::<Vec<_>>().join(", ")
}

fn join(keys: &[KeyId]) -> String {
    keys.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl Hint for VerifyError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Envelope(error) => error.hint(),
            Self::Statement(error) => error.hint(),
            Self::NoTrustedKeys | Self::Untrusted { .. } => Some(
                "if you know the signer, get the public key in a way that you trust, and add it to the trusted keys"
                    .to_owned(),
            ),
            Self::BadSignature { .. } => Some("do not use the image: get both again, or build it again".to_owned()),
            Self::Subject { .. } => {
                Some("the image or the statement was taken for another one, or was replaced".to_owned())
            }
            _ => None,
        }
    }
}
