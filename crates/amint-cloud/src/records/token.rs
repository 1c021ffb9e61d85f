use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A client token: asked again with the same one, an operation does nothing and answers as before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Token {
    /// Account, region, operation and token.
    pub(crate) key: String,
    /// The SHA-256 of the parameters.
    pub(crate) parameters: String,
    /// What the operation made.
    pub(crate) resource: String,
    pub(crate) created: Timestamp,
}
