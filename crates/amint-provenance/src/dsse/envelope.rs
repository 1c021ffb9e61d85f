//! Envelopes and their JSON form.

use amint_types::MIB;
use serde::{Deserialize, Serialize};

use super::base64::{decode, encode};
use super::{EnvelopeError, pae};
use crate::key::SigningKey;
use crate::limits::{list, null_is_default};

/// The payload type of in-toto statements (in-toto attestation v1, envelope layer).
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
/// The largest envelope that is read or written: a statement on ten thousand packages has about 5 MiB.
pub const ENVELOPE_BYTES_MAX: u64 = 64 * MIB;
/// Most signatures of an envelope: each one costs a pass over the payload.
pub const SIGNATURES_MAX: usize = 16;

/// A payload with signatures over it; whether they hold is another question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload_type: String,
    payload: Vec<u8>,
    signatures: Vec<EnvelopeSignature>,
}

/// A signature as it stands in an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeSignature {
    /// Which key is said to have made it: a hint that nobody vouches for. None when it is absent or empty.
    pub keyid: Option<String>,
    /// The signature's bytes.
    pub signature: Vec<u8>,
}

/// The JSON form. Unknown fields are left aside: extensions may add some, and none is signed.
#[derive(Serialize, Deserialize)]
struct EnvelopeJson {
    #[serde(default, deserialize_with = "null_is_default")]
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    #[serde(deserialize_with = "list::<_, _, SIGNATURES_MAX>")]
    signatures: Vec<SignatureJson>,
}

#[derive(Serialize, Deserialize)]
struct SignatureJson {
    #[serde(default, deserialize_with = "null_is_default", skip_serializing_if = "String::is_empty")]
    keyid: String,
    sig: String,
}

impl Envelope {
    /// Signs a payload.
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SigningKey) -> Self {
        let signature = signature(key, payload_type, &payload);
        Self { payload_type: payload_type.to_owned(), payload, signatures: vec![signature] }
    }

    /// Signs the payload with one more key; with one that signed already, nothing changes.
    pub fn add_signature(&mut self, key: &SigningKey) -> Result<(), EnvelopeError> {
        let signature = signature(key, &self.payload_type, &self.payload);
        if self.signatures.contains(&signature) {
            return Ok(());
        }
        if self.signatures.len() >= SIGNATURES_MAX {
            return Err(EnvelopeError::TooManySignatures);
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Reads the JSON form.
    pub fn from_json(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        check_bytes(bytes.len())?;
        let json: EnvelopeJson =
            serde_json::from_slice(bytes).map_err(|source| EnvelopeError::Form { source })?;
        if json.signatures.is_empty() {
            return Err(EnvelopeError::Unsigned);
        }
        let payload = decode_field("payload", &json.payload)?;
        let mut signatures = Vec::with_capacity(json.signatures.len());
        for SignatureJson { keyid, sig } in json.signatures {
            let keyid = (!keyid.is_empty()).then_some(keyid);
            signatures.push(EnvelopeSignature { keyid, signature: decode_field("sig", &sig)? });
        }
        Ok(Self { payload_type: json.payload_type, payload, signatures })
    }

    /// Writes the JSON form, on one line with an end of line.
    #[expect(clippy::missing_panics_doc, reason = "it cannot fail")]
    pub fn to_json(&self) -> Result<Vec<u8>, EnvelopeError> {
        let signatures = self.signatures.iter().map(|signature| SignatureJson {
            keyid: signature.keyid.clone().unwrap_or_default(),
            sig: encode(&signature.signature),
        });
        let json = EnvelopeJson {
            payload: encode(&self.payload),
            payload_type: self.payload_type.clone(),
            signatures: signatures.collect(),
        };
        let mut bytes = serde_json::to_vec(&json).expect("texts always have a JSON form");
        bytes.push(b'\n');
        check_bytes(bytes.len())?;
        Ok(bytes)
    }

    /// Returns how the payload is to be read.
    pub fn payload_type(&self) -> &str {
        &self.payload_type
    }

    /// Returns the payload's bytes: to be believed only after a signature was found to hold.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Returns the signatures.
    pub fn signatures(&self) -> &[EnvelopeSignature] {
        &self.signatures
    }
}

fn signature(key: &SigningKey, payload_type: &str, payload: &[u8]) -> EnvelopeSignature {
    EnvelopeSignature {
        keyid: Some(key.public_key().id().to_string()),
        signature: key.sign(&pae(payload_type, payload)).to_vec(),
    }
}

fn check_bytes(bytes: usize) -> Result<(), EnvelopeError> {
    let found = bytes as u64;
    if found > ENVELOPE_BYTES_MAX { Err(EnvelopeError::TooLarge { found }) } else { Ok(()) }
}

fn decode_field(field: &'static str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    decode(text).map_err(|source| EnvelopeError::Base64 { field, source })
}
