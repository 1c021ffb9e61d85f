//! Public keys and their ids.

use std::fmt;

use amint_types::Digest;
use ed25519_dalek::{Signature, VerifyingKey};
use serde::Serialize;

use super::PemError;
use super::pem::{public_der, read_public, write_public};

/// The id of a key: the SHA-256 of its `SubjectPublicKeyInfo` in DER, in hexadecimal.
///
/// `openssl pkey -pubin -in KEY -outform DER | sha256sum` tells the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct KeyId(Digest);

/// An Ed25519 public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    key: VerifyingKey,
    id: KeyId,
}

impl KeyId {
    /// Returns the first twelve digits, for people.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl PublicKey {
    pub(super) fn new(key: VerifyingKey) -> Self {
        let id = KeyId(Digest::of(&public_der(key.as_bytes())));
        Self { key, id }
    }

    /// Reads the PEM form: `-----BEGIN PUBLIC KEY-----`.
    pub fn from_pem(text: &str) -> Result<Self, PemError> {
        let key = VerifyingKey::from_bytes(&read_public(text)?).map_err(|_| PemError::Damaged)?;
        if key.is_weak() { Err(PemError::Weak) } else { Ok(Self::new(key)) }
    }

    /// Writes the PEM form.
    pub fn to_pem(&self) -> String {
        write_public(self.key.as_bytes())
    }

    /// Returns the key's id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// Tells whether a signature over `message` holds.
    ///
    /// Strictly: more than RFC 8032 asks for, so that no signature holds for two messages or two keys.
    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature)
            .is_ok_and(|signature| self.key.verify_strict(message, &signature).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_a_weak_key() {
        // The point of order 1: y = 1.
        let mut point = [0; 32];
        point[0] = 1;
        assert_eq!(PublicKey::from_pem(&write_public(&point)), Err(PemError::Weak));
    }
}
