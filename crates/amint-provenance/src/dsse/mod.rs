//! The envelope: a payload, its type, and signatures over both.
//!
//! Rules: Dead Simple Signing Envelope 1.0, `protocol.md` and `envelope.md`. What the signatures cover is the
//! [pre-authentication encoding](pae), not the JSON text: that may be written anew without harm.

mod base64;
mod envelope;
mod error;
mod pae;

pub use envelope::{ENVELOPE_BYTES_MAX, Envelope, EnvelopeSignature, PAYLOAD_TYPE, SIGNATURES_MAX};
pub use error::EnvelopeError;
pub use pae::pae;
