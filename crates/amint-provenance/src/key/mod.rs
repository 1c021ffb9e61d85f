//! Ed25519 keys: the own one that signs, and those of others that are trusted.
//!
//! Private keys are PKCS#8 version 1 (RFC 5208, RFC 8410 section 7) in PEM, without the public half that version 2
//! may carry: OpenSSL 3.0 refuses that. Public keys are `SubjectPublicKeyInfo` (RFC 8410 section 4) in PEM. Keys
//! under a passphrase are not read.

mod error;
mod file;
mod pem;
mod public;
mod signing;
mod trusted;

pub use error::{KeyError, PemError};
pub use file::{OpenedKey, PEM_BYTES_MAX, SecretFile, load_or_create_secret};
pub use public::{KeyId, PublicKey};
pub use signing::SigningKey;
pub use trusted::{TRUSTED_KEYS_MAX, read_trusted_keys};
