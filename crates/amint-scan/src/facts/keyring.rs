//! Keys that package managers trust: how long they hold, and what signed them.
//!
//! The newest self-signature of a key counts (RFC 9580). Signatures are not checked here: what a key says of itself is
//! enough to tell that it is out of date.

use std::fmt::Write as _;
use std::io::Read;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use pgp::armor::Dearmor;
use pgp::composed::{Deserializable, SignedPublicKey};
use pgp::crypto::hash::HashAlgorithm;
use pgp::crypto::public_key::PublicKeyAlgorithm;
use pgp::packet::{Signature, SignatureType};
use pgp::types::{KeyDetails, KeyId};

const BEGIN: &[u8] = b"-----BEGIN PGP PUBLIC KEY BLOCK-----";
/// Most keys of one file that are looked at.
const KEYS_MAX: usize = 1024;

/// What is known of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TrustedKey {
    /// The last sixteen digits of its fingerprint.
    pub(crate) id: String,
    /// The day on which it ends; none where it has no end.
    pub(crate) expires: Option<Date>,
    /// Whether it is revoked.
    pub(crate) is_revoked: bool,
    /// Whether it is bound to its name by SHA-1 or MD5 alone.
    pub(crate) has_weak_signature: bool,
    /// Whether it is a DSA key, which is too short for today.
    pub(crate) is_dsa: bool,
}

/// Reads all keys of a file, binary or armoured; what cannot be understood is left out.
pub(crate) fn keys(content: &[u8]) -> Vec<TrustedKey> {
    // Every packet begins with the high bit set, no armour does.
    if content.first().is_some_and(|byte| byte & 0x80 != 0) {
        return packets(content);
    }
    let starts: Vec<usize> = (0..content.len())
        .filter(|start| content.get(*start..).is_some_and(|rest| rest.starts_with(BEGIN)))
        .take(KEYS_MAX)
        .collect();
    let mut found = Vec::new();
    for (index, start) in starts.iter().enumerate() {
        let end = starts.get(index + 1).copied().unwrap_or(content.len());
        let mut bytes = Vec::new();
        let armour = content.get(*start..end).unwrap_or_default();
        if Dearmor::new(armour).read_to_end(&mut bytes).is_ok() {
            found.extend(packets(&bytes));
        }
    }
    found
}

fn packets(bytes: &[u8]) -> Vec<TrustedKey> {
    let Ok(found) = SignedPublicKey::from_bytes_many(bytes) else { return Vec::new() };
    found.take(KEYS_MAX).filter_map(Result::ok).map(|key| describe(&key)).collect()
}

fn describe(key: &SignedPublicKey) -> TrustedKey {
    let named = key.details.users.iter().flat_map(|user| &user.signatures);
    let own = key.legacy_key_id();
    let newest = named
        .filter(|signature| signature.is_certification() && is_of(signature, own))
        .chain(
            key.details
                .direct_signatures
                .iter()
                .filter(|signature| signature.typ() == Some(SignatureType::Key)),
        )
        .max_by_key(|signature| signature.created().map_or(0, pgp::types::Timestamp::as_secs));
    let created = key.primary_key.created_at().as_secs();
    let lifetime = newest.and_then(Signature::key_expiration_time).map_or(0, pgp::types::Duration::as_secs);
    let expires = (lifetime != 0).then(|| i64::from(created) + i64::from(lifetime));
    TrustedKey {
        id: hexadecimal(own.as_ref()),
        expires: expires
            .and_then(|second| Timestamp::from_second(second).ok())
            .map(|moment| Offset::UTC.to_datetime(moment).date()),
        is_revoked: !key.details.revocation_signatures.is_empty(),
        has_weak_signature: newest
            .and_then(Signature::hash_alg)
            .is_some_and(|hash| matches!(hash, HashAlgorithm::Sha1 | HashAlgorithm::Md5)),
        is_dsa: key.primary_key.algorithm() == PublicKeyAlgorithm::DSA,
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // Writing into a `String` cannot fail.
        let _ = write!(text, "{byte:02X}");
    }
    text
}

/// Tells whether a signature names the key itself as its maker, or nobody.
fn is_of(signature: &Signature, own: KeyId) -> bool {
    let issuers = signature.issuer_key_id();
    issuers.is_empty() || issuers.contains(&&own)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// Lets gpg make a key, and returns it as it is exported.
    fn made(arguments: &[&str], armour: bool) -> Option<Vec<u8>> {
        let home = tempfile::TempDir::new().unwrap();
        let gpg = |arguments: &[&str]| {
            let mut command = Command::new("gpg");
            command.arg("--homedir").arg(home.path()).args(["--batch", "--quiet", "--passphrase", ""]);
            command.args(arguments).output()
        };
        let Ok(output) = gpg(arguments) else {
            eprintln!("SKIPPED: gpg is not installed");
            return None;
        };
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let export: &[&str] = if armour { &["--armor", "--export"] } else { &["--export"] };
        Some(gpg(export).unwrap().stdout)
    }

    #[test]
    fn tells_when_a_key_ends_in_both_forms() {
        for armour in [false, true] {
            let arguments = [
                "--faked-system-time",
                "20200101T000000",
                "--quick-gen-key",
                "a@example.org",
                "ed25519",
                "sign",
                "2020-06-01",
            ];
            let Some(bytes) = made(&arguments, armour) else { return };
            let found = keys(&bytes);
            assert_eq!(found.len(), 1);
            let expires = found[0].expires.unwrap();
            assert_eq!((expires.year(), expires.month()), (2020, 6));
            assert!(!found[0].has_weak_signature && !found[0].is_dsa && found[0].id.len() == 16);
        }
    }

    #[test]
    fn tells_keys_that_only_sha_1_binds() {
        let arguments =
            ["--cert-digest-algo", "SHA1", "--quick-gen-key", "a@example.org", "rsa2048", "sign", "never"];
        let Some(bytes) = made(&arguments, false) else { return };
        let found = keys(&bytes);
        assert!(found[0].has_weak_signature);
        assert_eq!(found[0].expires, None);
    }

    #[test]
    fn what_is_no_key_is_none() {
        assert!(keys(b"").is_empty() && keys(b"text").is_empty() && keys(&[0x99; 300]).is_empty());
        assert!(keys(&BEGIN.repeat(3)).is_empty());
    }
}
