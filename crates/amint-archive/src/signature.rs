//! Who signed a text: the rules by which a signature counts.
//!
//! One good signature by a usable key of the keyring is enough, as with apt: archives sign with the old and the new key
//! while they change it. When none is good, the error tells of the one that came closest.

use std::io::Read;

use amint_types::Hint;
use jiff::Timestamp;
use pgp::armor::Dearmor;
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{Packet, PacketParser, Signature, SignatureType, SignatureVersion};

use crate::cleartext::{BEGIN_SIGNATURE, END_SIGNATURE};
use crate::keyring::{Keyring, Unusable, has_unknown_critical, hexadecimal};

/// Most signatures that are looked at; Debian's Release has four.
const SIGNATURES_MAX: usize = 32;
/// How far in the future a signature may be dated, for clocks that are not quite right.
const AHEAD_SECONDS_MAX: u32 = 24 * 60 * 60;

/// No signature of a text counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignatureError {
    /// There is no signature that can be read.
    #[error("it has no OpenPGP signature")]
    None,
    /// The keyring has none of the keys that signed.
    #[error("it is signed by {}, which the keyring does not have", .keys.join(" and "))]
    UnknownKey {
        /// Fingerprints, or key ids, in capital hexadecimal digits.
        keys: Vec<String>,
    },
    /// A key of the keyring made the signature, but over another text.
    #[error("the signature by {key} does not fit the text")]
    Bad {
        /// Fingerprint of the primary key.
        key: String,
    },
    /// The signature is made over a hash that can be forged.
    #[error("the signature by {key} uses {hash}, which can be forged")]
    WeakHash {
        /// Fingerprint of the primary key.
        key: String,
        /// The hash: `SHA1`.
        hash: String,
    },
    /// The key has expired.
    #[error("the key {key} that signed it expired on {}", .expired.strftime("%Y-%m-%d"))]
    ExpiredKey {
        /// Fingerprint of the primary key.
        key: String,
        /// When.
        expired: Timestamp,
    },
    /// The key was revoked.
    #[error("the key {key} that signed it was revoked")]
    RevokedKey {
        /// Fingerprint of the primary key.
        key: String,
    },
    /// The key must not be used for signatures.
    #[error("the key {key} that signed it cannot be used: {problem}")]
    UnusableKey {
        /// Fingerprint of the primary key.
        key: String,
        /// Why not.
        problem: &'static str,
    },
    /// The signature itself has expired, lies in the future, or is of a kind that does not count.
    #[error("the signature by {key} does not count: {problem}")]
    Void {
        /// Fingerprint of the primary key.
        key: String,
        /// Why not.
        problem: &'static str,
    },
}

impl SignatureError {
    /// Ranks by how much an error tells: a signature that does not fit matters more than one by a stranger.
    fn rank(&self) -> u8 {
        match self {
            Self::None => 0,
            Self::UnknownKey { .. } => 1,
            Self::Void { .. } => 2,
            Self::UnusableKey { .. } => 3,
            Self::ExpiredKey { .. } => 4,
            Self::RevokedKey { .. } => 5,
            Self::WeakHash { .. } => 6,
            Self::Bad { .. } => 7,
        }
    }
}

impl Hint for SignatureError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::None => "only signed repositories are used",
            Self::UnknownKey { .. } => {
                "if the repository has a new key, get it from its makers over a safe way and pin it as keyring"
            }
            Self::Bad { .. } => {
                "the file was changed on its way, or the mirror is damaged: try another mirror"
            }
            Self::WeakHash { .. } => "ask the makers of the repository to sign with SHA-256 or SHA-512",
            Self::ExpiredKey { .. } => {
                "install the newest keyring package of the distribution, and check the clock of this host"
            }
            Self::RevokedKey { .. } => "do not trust this repository until its makers say which key is good",
            Self::UnusableKey { .. } | Self::Void { .. } => return None,
        };
        Some(text.to_owned())
    }
}

/// Reads signatures, binary or armoured; several armoured blocks may follow each other.
pub(crate) fn parse_signatures(bytes: &[u8]) -> Vec<Signature> {
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return parse_packets(bytes);
    }
    let mut found = Vec::new();
    let mut rest = bytes;
    while let Some(start) = find(rest, BEGIN_SIGNATURE) {
        let block = &rest[start..];
        let Some(end) = find(block, END_SIGNATURE) else { break };
        let (block, after) = block.split_at(end + END_SIGNATURE.len());
        rest = after;
        let mut packets = Vec::new();
        if Dearmor::new(block).read_to_end(&mut packets).is_ok() {
            found.extend(parse_packets(&packets));
        }
        if found.len() >= SIGNATURES_MAX {
            break;
        }
    }
    found.truncate(SIGNATURES_MAX);
    found
}

fn parse_packets(packets: &[u8]) -> Vec<Signature> {
    let found = PacketParser::new(packets).take(SIGNATURES_MAX);
    found
        .filter_map(
            |packet| if let Ok(Packet::Signature(signature)) = packet { Some(signature) } else { None },
        )
        .collect()
}

fn find(text: &[u8], needle: &[u8]) -> Option<usize> {
    text.windows(needle.len()).position(|window| window == needle)
}

/// Checks all signatures of a text, and returns the fingerprints of the primary keys of the good ones.
pub(crate) fn verify(
    keyring: &Keyring,
    text: &[u8],
    signatures: &[Signature],
    now: Timestamp,
) -> Result<Vec<String>, SignatureError> {
    let now = u32::try_from(now.as_second().max(0)).unwrap_or(u32::MAX);
    let mut good = Vec::new();
    let mut strangers = Vec::new();
    let mut worst = SignatureError::None;
    for signature in signatures {
        let issuers = keyring.issuers(signature);
        if issuers.is_empty() {
            strangers.extend(issuer_name(signature));
            continue;
        }
        for issuer in issuers {
            let key = issuer.fingerprint();
            let checked = check(signature, &key, now)
                .and_then(|()| issuer.check(now).map_err(|problem| unusable(key.clone(), problem)))
                .and_then(|()| {
                    if issuer.has_made(signature, text) {
                        Ok(())
                    } else {
                        Err(SignatureError::Bad { key: key.clone() })
                    }
                });
            match checked {
                Ok(()) => good.push(key),
                Err(error) if error.rank() > worst.rank() => worst = error,
                Err(_) => {}
            }
        }
    }
    good.sort();
    good.dedup();
    if !good.is_empty() {
        return Ok(good);
    }
    if worst == SignatureError::None && !strangers.is_empty() {
        strangers.sort();
        strangers.dedup();
        return Err(SignatureError::UnknownKey { keys: strangers });
    }
    Err(worst)
}

/// Checks what a signature says of itself.
fn check(signature: &Signature, key: &str, now: u32) -> Result<(), SignatureError> {
    let void = |problem| Err(SignatureError::Void { key: key.to_owned(), problem });
    if !matches!(signature.version(), SignatureVersion::V4 | SignatureVersion::V6) {
        return void("it is of an outdated version");
    }
    if !matches!(signature.typ(), Some(SignatureType::Text | SignatureType::Binary)) {
        return void("it is not made over a text");
    }
    match signature.hash_alg() {
        Some(
            HashAlgorithm::Sha256
            | HashAlgorithm::Sha384
            | HashAlgorithm::Sha512
            | HashAlgorithm::Sha3_256
            | HashAlgorithm::Sha3_512,
        ) => {}
        hash => {
            let hash = hash.map_or_else(|| "an unknown hash".to_owned(), |hash| hash.to_string());
            return Err(SignatureError::WeakHash { key: key.to_owned(), hash });
        }
    }
    let Some(created) = signature.created().map(pgp::types::Timestamp::as_secs) else {
        return void("it has no date");
    };
    if created > now.saturating_add(AHEAD_SECONDS_MAX) {
        return void("it is dated in the future");
    }
    let lifetime = signature.signature_expiration_time().map_or(0, pgp::types::Duration::as_secs);
    if lifetime != 0 && created.saturating_add(lifetime) <= now {
        return void("it has expired");
    }
    if has_unknown_critical(signature) {
        return void("it asks for something that is not known here");
    }
    Ok(())
}

fn unusable(key: String, problem: Unusable) -> SignatureError {
    match problem {
        Unusable::Revoked => SignatureError::RevokedKey { key },
        Unusable::Expired { seconds } => SignatureError::ExpiredKey {
            key,
            expired: Timestamp::from_second(i64::from(seconds)).unwrap_or(Timestamp::MAX),
        },
        Unusable::Other(problem) => SignatureError::UnusableKey { key, problem },
    }
}

fn issuer_name(signature: &Signature) -> Option<String> {
    let fingerprint =
        signature.issuer_fingerprint().first().map(|fingerprint| hexadecimal(fingerprint.as_bytes()));
    fingerprint.or_else(|| signature.issuer_key_id().first().map(|id| hexadecimal(id.as_ref())))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn never_panics_on_packets(kind in 0_u8..64, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let length = u8::try_from(bytes.len().min(190)).unwrap();
            let _ = parse_signatures(&[&[0xc0 | kind, length][..], &bytes].concat());
            // A signature of version 4 over a text.
            let _ = parse_signatures(&[&[0xc2, length, 4, 1][..], &bytes].concat());
        }

        #[test]
        fn never_panics_on_armour(text in "(-----(BEGIN|END) PGP SIGNATURE-----\n|Hash: x\n|\n|[A-Za-z0-9+/=]{0,70}\n){0,12}") {
            let _ = parse_signatures(text.as_bytes());
        }
    }
}
