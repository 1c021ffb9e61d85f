//! The signature: a DSSE envelope over the header, which vouches for all the rest.

use amint_provenance::{Envelope, PublicKey, SigningKey, verify_signatures};

use super::DatabaseError;
use super::format::Header;

/// The payload type of the envelope.
pub const SEAL_TYPE: &str = "application/vnd.amint.advisory-database";

/// Whose signature a database must have.
#[derive(Clone, Copy, Debug)]
pub enum Trust<'a> {
    /// That of one of these keys.
    Keys(&'a [PublicKey]),
    /// Anybody's or nobody's: for a file that its user has just made.
    Anyone,
}

pub(super) fn seal(header: Header, key: &SigningKey) -> Result<Vec<u8>, DatabaseError> {
    let envelope = Envelope::sign(SEAL_TYPE, header.signed_bytes().to_vec(), key);
    envelope.to_json().map_err(|_| DatabaseError::TooLarge("the signature is too long"))
}

/// Returns the ids of the trusted keys that signed.
pub(super) fn check(header: Header, seal: &[u8], trust: Trust<'_>) -> Result<Vec<String>, DatabaseError> {
    let Trust::Keys(keys) = trust else { return Ok(Vec::new()) };
    if seal.is_empty() {
        return Err(DatabaseError::Unsigned);
    }
    let untrusted = |error: Box<dyn std::error::Error + Send + Sync>| DatabaseError::Untrusted(error);
    let envelope = Envelope::from_json(seal).map_err(|error| untrusted(error.into()))?;
    let signers = verify_signatures(&envelope, keys).map_err(|error| untrusted(error.into()))?;
    if envelope.payload_type() != SEAL_TYPE || envelope.payload() != header.signed_bytes() {
        return Err(DatabaseError::Damaged("the signature is over another database"));
    }
    Ok(signers.iter().map(ToString::to_string).collect())
}
