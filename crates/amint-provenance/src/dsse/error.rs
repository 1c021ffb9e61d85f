//! What can go wrong with an envelope.

use amint_types::{Hint, format_bytes};

use super::{ENVELOPE_BYTES_MAX, SIGNATURES_MAX};

/// Bytes are no envelope, or something does not fit into one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The envelope is larger than any that is read.
    #[error("the envelope has {}, at most {} are read", format_bytes(*.found), format_bytes(ENVELOPE_BYTES_MAX))]
    TooLarge {
        /// Its size in bytes.
        found: u64,
    },
    /// The bytes are no JSON, or not of an envelope's form.
    #[error("it is no DSSE envelope")]
    Form {
        /// Why not.
        #[source]
        source: serde_json::Error,
    },
    /// The payload or a signature is not written in base64.
    #[error("the envelope's {field} is no base64")]
    Base64 {
        /// `payload` or `sig`.
        field: &'static str,
        /// Why not.
        #[source]
        source: base64::DecodeError,
    },
    /// There is no signature in it at all.
    #[error("the envelope has no signature")]
    Unsigned,
    /// One more signature was to be added than are read.
    #[error("an envelope has at most {SIGNATURES_MAX} signatures")]
    TooManySignatures,
}

impl Hint for EnvelopeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Form { .. } | Self::Base64 { .. } => {
                Some("the file may be damaged, or be something else than a signed statement".to_owned())
            }
            Self::Unsigned => Some("a statement without a signature proves nothing".to_owned()),
            _ => None,
        }
    }
}
