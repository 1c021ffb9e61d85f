use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Tags;

/// The public half of a key pair.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyPair {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) name: String,
    /// `rsa` or `ed25519`.
    pub(crate) key_type: String,
    /// In the form that EC2 tells: of the private key where EC2 made it.
    pub(crate) fingerprint: String,
    /// The public key, as a line of `authorized_keys` without a comment.
    pub(crate) public_key: String,
    pub(crate) created: Timestamp,
    pub(crate) tags: Tags,
}
