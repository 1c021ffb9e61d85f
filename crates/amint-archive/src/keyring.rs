//! Keyrings: the keys that a repository's signatures are checked with, and what makes a key good for that.
//!
//! A keyring is a file that the user or the distribution's package put there; no key ever comes from elsewhere. Keys
//! follow RFC 9580: what counts is the newest valid self-signature. SHA-1 passes in self-signatures (many pinned keys
//! of third parties are from before 2013, and who can change the keyring needs no collision), MD5 does not.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use amint_types::Hint;
use pgp::armor::Dearmor;
use pgp::composed::{Deserializable, SignedPublicKey, SignedPublicSubKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::packet::{KeyFlags, PublicKey, PublicSubkey, Signature, SignatureType, SubpacketData};
use pgp::ser::Serialize;
use pgp::types::{KeyDetails, PublicParams, Tag};

/// Longest keyring that is read; the largest of Debian has some 200 KiB.
const KEYRING_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// Most keys that are taken from one keyring.
const KEYS_MAX: usize = 1024;
/// Shortest RSA modulus of a key that may sign.
const RSA_BITS_MIN: u16 = 2048;

/// A keyring could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// The file could not be read.
    #[error("failed to read the keyring {path}")]
    Read {
        /// The keyring's file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The file is longer than any keyring.
    #[error("the keyring {path} is longer than {} MiB", KEYRING_BYTES_MAX / 1024 / 1024)]
    TooLong {
        /// The keyring's file.
        path: PathBuf,
    },
    /// The file is a keybox of `GnuPG`, a form that only its programs read.
    #[error("{path} is a keybox of GnuPG")]
    Keybox {
        /// The keyring's file.
        path: PathBuf,
    },
    /// The file has no public key that can be read.
    #[error("{path} has no OpenPGP public key")]
    NoKey {
        /// The keyring's file.
        path: PathBuf,
    },
}

impl Hint for KeyringError {
    fn hint(&self) -> Option<String> {
        let text = match self {
            Self::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                "install the distribution's keyring package, or name the keyring's file".to_owned()
            }
            Self::Keybox { path } => format!("export the key: `gpg --keyring {} --export`", path.display()),
            Self::NoKey { .. } => {
                "a keyring is an exported public key, binary (.gpg, .pgp) or armoured (.asc)".to_owned()
            }
            _ => return None,
        };
        Some(text)
    }
}

/// The keys of one file.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
    keys: Vec<SignedPublicKey>,
}

impl Keyring {
    /// Reads a file of binary or armoured keys.
    pub fn read(path: &Path) -> Result<Self, KeyringError> {
        let failed = |source| KeyringError::Read { path: path.to_owned(), source };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(failed)?;
        file.take(KEYRING_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > KEYRING_BYTES_MAX {
            return Err(KeyringError::TooLong { path: path.to_owned() });
        }
        // The first blob of a keybox is its header, with a magic at byte 8.
        if bytes.get(8..12) == Some(b"KBXf") {
            return Err(KeyringError::Keybox { path: path.to_owned() });
        }
        let keys = parse(&bytes);
        if keys.is_empty() {
            return Err(KeyringError::NoKey { path: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), keys })
    }

    /// Returns the file it was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the fingerprints of its primary keys, in capital hexadecimal digits.
    pub fn fingerprints(&self) -> Vec<String> {
        self.keys.iter().map(|key| hexadecimal(key.fingerprint().as_bytes())).collect()
    }

    /// Finds the keys that a signature says it was made by.
    pub(crate) fn issuers(&self, signature: &Signature) -> Vec<Signer<'_>> {
        let is_issuer = |key: &dyn KeyDetails| {
            let fingerprints = signature.issuer_fingerprint();
            if fingerprints.is_empty() {
                signature.issuer_key_id().iter().any(|id| **id == key.legacy_key_id())
            } else {
                fingerprints.iter().any(|fingerprint| **fingerprint == key.fingerprint())
            }
        };
        let mut found = Vec::new();
        for certificate in &self.keys {
            if is_issuer(&certificate.primary_key) {
                found.push(Signer { certificate, subkey: None });
            }
            let subkeys = certificate.public_subkeys.iter().filter(|subkey| is_issuer(&subkey.key));
            found.extend(subkeys.map(|subkey| Signer { certificate, subkey: Some(subkey) }));
        }
        found
    }
}

fn parse(bytes: &[u8]) -> Vec<SignedPublicKey> {
    const BEGIN: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
    // Every OpenPGP packet begins with the high bit set, no armour does.
    if bytes.first().is_some_and(|byte| byte & 0x80 != 0) {
        return parse_packets(bytes);
    }
    let starts: Vec<usize> = (0..bytes.len())
        .filter(|start| bytes[*start] == b'-' && bytes[*start..].starts_with(BEGIN))
        .collect();
    let mut keys = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(bytes.len());
        let mut packets = Vec::new();
        if Dearmor::new(&bytes[*start..end]).read_to_end(&mut packets).is_ok() {
            keys.extend(parse_packets(&packets));
        }
    }
    keys
}

/// Reads as many keys as can be read: one of an algorithm unknown here must not hide the others.
fn parse_packets(packets: &[u8]) -> Vec<SignedPublicKey> {
    let Ok(found) = SignedPublicKey::from_bytes_many(packets) else { return Vec::new() };
    found.take(KEYS_MAX).filter_map(Result::ok).collect()
}

/// A key of a keyring that may have made a signature: a primary key or one of its subkeys.
#[derive(Clone, Copy)]
pub(crate) struct Signer<'a> {
    certificate: &'a SignedPublicKey,
    subkey: Option<&'a SignedPublicSubKey>,
}

/// Why a key may not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unusable {
    Revoked,
    Expired { seconds: u32 },
    Other(&'static str),
}

impl Signer<'_> {
    /// Returns the fingerprint of the primary key.
    pub(crate) fn fingerprint(&self) -> String {
        hexadecimal(self.certificate.fingerprint().as_bytes())
    }

    /// Checks the signature itself.
    pub(crate) fn has_made(&self, signature: &Signature, text: &[u8]) -> bool {
        match self.subkey {
            Some(subkey) => signature.verify(&subkey.key, text).is_ok(),
            None => signature.verify(&self.certificate.primary_key, text).is_ok(),
        }
    }

    /// Checks that the key could sign at a time, in seconds since the epoch.
    pub(crate) fn check(&self, at: u32) -> Result<(), Unusable> {
        let primary = &self.certificate.primary_key;
        let details = &self.certificate.details;
        let revocations = details.revocation_signatures.iter();
        if revocations.clone().any(|revocation| revocation.verify_key(primary).is_ok()) {
            return Err(Unusable::Revoked);
        }
        let newest = newest_self_signature(self.certificate, at)
            .ok_or(Unusable::Other("it has no valid self-signature"))?;
        check_times(primary.created_at().as_secs(), newest, at)?;
        let Some(subkey) = self.subkey else {
            check_algorithm(primary.public_params())?;
            return match flags(newest) {
                Some(flags) if !flags.sign() => Err(Unusable::Other("it is not meant for signing")),
                _ => Ok(()),
            };
        };
        check_algorithm(subkey.key.public_params())?;
        check_subkey(primary, subkey, at)
    }
}

fn check_subkey(primary: &PublicKey, subkey: &SignedPublicSubKey, at: u32) -> Result<(), Unusable> {
    let of_type = |kind| {
        let signatures = subkey.signatures.iter().filter(move |signature| signature.typ() == Some(kind));
        signatures.filter(|signature| signature.verify_subkey_binding(primary, &subkey.key).is_ok())
    };
    if of_type(SignatureType::SubkeyRevocation).next().is_some() {
        return Err(Unusable::Revoked);
    }
    let newest = newest(of_type(SignatureType::SubkeyBinding), at)
        .ok_or(Unusable::Other("its subkey is not bound to it"))?;
    check_times(subkey.key.created_at().as_secs(), newest, at)?;
    if !flags(newest).is_some_and(|flags| flags.sign()) {
        return Err(Unusable::Other("its subkey is not meant for signing"));
    }
    if !has_back_signature(primary, &subkey.key, newest) {
        return Err(Unusable::Other("its subkey does not confirm that it belongs to it"));
    }
    Ok(())
}

/// Tells whether the subkey itself says that it belongs to the primary key: else anybody could claim a foreign subkey.
fn has_back_signature(primary: &PublicKey, subkey: &PublicSubkey, binding: &Signature) -> bool {
    binding.embedded_signature().is_some_and(|embedded| {
        is_fair_hash(embedded) && embedded.verify_primary_key_binding(subkey, primary).is_ok()
    })
}

/// Finds the newest valid signature of the primary key over itself or one of its names.
fn newest_self_signature(certificate: &SignedPublicKey, at: u32) -> Option<&Signature> {
    let primary = &certificate.primary_key;
    let direct = certificate.details.direct_signatures.iter().filter(|signature| {
        signature.typ() == Some(SignatureType::Key) && signature.verify_key(primary).is_ok()
    });
    let of_names = certificate.details.users.iter().filter_map(|user| {
        let valid = user.signatures.iter().filter(|signature| {
            signature.is_certification()
                && signature.verify_certification(primary, Tag::UserId, &user.id).is_ok()
        });
        newest(valid, at).filter(|newest| newest.typ() != Some(SignatureType::CertRevocation))
    });
    newest(direct.chain(of_names), at)
}

/// Finds the newest of signatures that counted at a time; of two of the same second, the one that expires first.
fn newest<'a>(signatures: impl Iterator<Item = &'a Signature>, at: u32) -> Option<&'a Signature> {
    let counts = |signature: &&Signature| {
        let Some(created) = signature.created() else { return false };
        let lifetime = signature.signature_expiration_time().map_or(0, pgp::types::Duration::as_secs);
        let is_over = lifetime != 0 && u64::from(created.as_secs()) + u64::from(lifetime) <= u64::from(at);
        is_fair_hash(signature) && !is_over && !has_unknown_critical(signature)
    };
    signatures.filter(counts).max_by_key(|signature| {
        let lifetime = signature.key_expiration_time().map_or(0, pgp::types::Duration::as_secs);
        let lifetime = if lifetime == 0 { u32::MAX } else { lifetime };
        (signature.created().map_or(0, pgp::types::Timestamp::as_secs), u32::MAX - lifetime)
    })
}

fn check_times(created: u32, binding: &Signature, at: u32) -> Result<(), Unusable> {
    if created > at {
        return Err(Unusable::Other("it is dated in the future"));
    }
    let lifetime = binding.key_expiration_time().map_or(0, pgp::types::Duration::as_secs);
    let expires = created.saturating_add(lifetime);
    if lifetime != 0 && expires <= at {
        return Err(Unusable::Expired { seconds: expires });
    }
    Ok(())
}

fn check_algorithm(parameters: &PublicParams) -> Result<(), Unusable> {
    match parameters {
        PublicParams::RSA(rsa) => {
            // The modulus comes first, with its length in bits before it (RFC 9580, section 3.2).
            let mut bytes = Vec::new();
            let is_written = rsa.to_writer(&mut bytes).is_ok();
            match bytes.first_chunk::<2>() {
                Some(bits) if is_written && u16::from_be_bytes(*bits) >= RSA_BITS_MIN => Ok(()),
                _ => Err(Unusable::Other("its RSA key is too short")),
            }
        }
        PublicParams::ECDSA(_)
        | PublicParams::EdDSALegacy(_)
        | PublicParams::Ed25519(_)
        | PublicParams::Ed448(_) => Ok(()),
        _ => Err(Unusable::Other("its algorithm is not trusted for signatures")),
    }
}

fn flags(signature: &Signature) -> Option<KeyFlags> {
    signature.config()?.hashed_subpackets().find_map(|subpacket| match &subpacket.data {
        SubpacketData::KeyFlags(flags) => Some(flags.clone()),
        _ => None,
    })
}

fn is_fair_hash(signature: &Signature) -> bool {
    !matches!(signature.hash_alg(), None | Some(HashAlgorithm::Md5))
}

/// Tells whether a signature asks for something that is not understood here, and must then not count (RFC 9580, section
/// 5.2.3.7).
pub(crate) fn has_unknown_critical(signature: &Signature) -> bool {
    signature.config().is_none_or(|config| {
        config.hashed_subpackets().any(|subpacket| {
            let is_unknown = matches!(
                subpacket.data,
                SubpacketData::Other(..) | SubpacketData::Experimental(..) | SubpacketData::Notation(..)
            );
            subpacket.is_critical && is_unknown
        })
    })
}

/// Writes bytes in capital hexadecimal digits, as people compare fingerprints.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02X}");
        text
    })
}
