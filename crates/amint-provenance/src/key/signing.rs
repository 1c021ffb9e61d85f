//! Keys that sign.

use std::fmt;

use amint_types::Redacted;
use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use super::pem::{KEY_BYTES, read_private, write_private};
use super::{KeyError, PemError, PublicKey};

/// An Ed25519 private key with its public half. It is wiped from memory when dropped, and never shown.
pub struct SigningKey {
    secret: Redacted<ed25519_dalek::SigningKey>,
    public: PublicKey,
}

impl SigningKey {
    /// Makes a new key of the system's random bytes, which are the only ones that may come into question.
    pub(super) fn generate() -> Result<Self, KeyError> {
        let mut seed = Zeroizing::new([0; KEY_BYTES]);
        getrandom::fill(&mut seed[..]).map_err(|source| KeyError::Random { source })?;
        Ok(Self::from_seed(&seed))
    }

    fn from_seed(seed: &[u8; KEY_BYTES]) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let public = PublicKey::new(secret.verifying_key());
        Self { secret: Redacted::new(secret), public }
    }

    /// Reads the PEM form: `-----BEGIN PRIVATE KEY-----`.
    pub fn from_pem(text: &str) -> Result<Self, PemError> {
        let parts = read_private(text)?;
        let key = Self::from_seed(&parts.seed);
        let own = key.secret.expose().verifying_key();
        if parts.public.is_some_and(|public| public != own.as_bytes()) {
            return Err(PemError::HalvesDiffer);
        }
        Ok(key)
    }

    pub(super) fn to_pem(&self) -> Zeroizing<String> {
        write_private(self.secret.expose().as_bytes())
    }

    /// Returns the public half.
    pub fn public_key(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.expose().sign(message).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.public.id().to_string();
        formatter.debug_struct("SigningKey").field("secret", &self.secret).field("id", &id).finish()
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::pkcs8::SecretDocument;
    use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;

    use super::*;

    #[test]
    fn never_shows_the_secret() {
        let key = SigningKey::from_seed(&[0x5a; KEY_BYTES]);
        let id = key.public_key().id();
        assert_eq!(format!("{key:?}"), format!("SigningKey {{ secret: ***, id: \"{id}\" }}"));
    }

    /// RFC 5958: version 1's fields with version number 1, then [1] with the public key's bits.
    fn version_2(seed: u8, public: &[u8; KEY_BYTES]) -> Zeroizing<String> {
        let mut der = vec![0x30, 0x51, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70];
        der.extend([0x04, 0x22, 0x04, 0x20]);
        der.extend([seed; KEY_BYTES]);
        der.extend([0x81, 0x21, 0x00]);
        der.extend(public);
        let document = SecretDocument::try_from(der.as_slice()).unwrap();
        document.to_pem("PRIVATE KEY", LineEnding::LF).unwrap()
    }

    #[test]
    fn refuses_a_public_half_of_another_key() {
        let [own, other] = [7, 8].map(|seed| SigningKey::from_seed(&[seed; KEY_BYTES]));
        let public = |key: &SigningKey| key.secret.expose().verifying_key().to_bytes();
        let read = SigningKey::from_pem(&version_2(7, &public(&own))).unwrap();
        assert_eq!(read.public_key(), own.public_key());
        let refused = SigningKey::from_pem(&version_2(7, &public(&other)));
        assert_eq!(refused.err(), Some(PemError::HalvesDiffer));
    }
}
