//! Key pairs: made, read and named by their fingerprints as EC2 does
//! (EC2 user guide, "Verify the fingerprint of your key pair").

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use md5::Md5;
use rsa::pkcs1::EncodeRsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, RsaPrivateKey, RsaPublicKey};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use ssh_key::PrivateKey;
use ssh_key::private::{Ed25519Keypair, KeypairData};

/// The bits of RSA keys that are made, and of those that are taken.
const RSA_BITS: usize = 2048;
const RSA_BITS_TAKEN: std::ops::RangeInclusive<usize> = 1024..=16_384;
/// The longest public key that is taken: one of 16,384 bits has less than 4 KiB.
const LINE_BYTES_MAX: usize = 8192;

/// The public half of a pair.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicHalf {
    /// `rsa` or `ed25519`.
    pub(crate) key_type: &'static str,
    pub(crate) fingerprint: String,
    /// A line of `authorized_keys` without a comment.
    pub(crate) line: String,
}

/// Makes an RSA pair: the public half, and the private one in PKCS #1.
pub(crate) fn make_rsa() -> Option<(PublicHalf, String)> {
    let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS).ok()?;
    let fingerprint = colons(&Sha1::digest(key.to_pkcs8_der().ok()?.as_bytes()));
    let line = format!("ssh-rsa {}", STANDARD.encode(rsa_blob(key.e(), key.n())));
    let private = key.to_pkcs1_pem(LineEnding::LF).ok()?;
    Some((PublicHalf { key_type: "rsa", fingerprint, line }, private.to_string()))
}

/// Makes an Ed25519 pair: the public half, and the private one in the form of OpenSSH.
pub(crate) fn make_ed25519() -> Option<(PublicHalf, String)> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).ok()?;
    let key = PrivateKey::new(KeypairData::Ed25519(Ed25519Keypair::from_seed(&seed)), "").ok()?;
    let public = read(&key.public_key().to_openssh().ok()?)?;
    Some((public, key.to_openssh(LineEnding::LF).ok()?.to_string()))
}

/// Reads a line of `authorized_keys`: `TYPE BASE64 COMMENT`.
pub(crate) fn read(line: &str) -> Option<PublicHalf> {
    let line = line.trim();
    if line.len() > LINE_BYTES_MAX || line.contains(['\n', '\r']) {
        return None;
    }
    let mut words = line.split_ascii_whitespace();
    let (kind, text) = (words.next()?, words.next()?);
    let blob = STANDARD.decode(text).ok()?;
    let (name, rest) = field(&blob)?;
    if name != kind.as_bytes() {
        return None;
    }
    let (key_type, fingerprint) = match kind {
        "ssh-rsa" => {
            let (exponent, rest) = field(rest)?;
            let (modulus, rest) = field(rest)?;
            let key = RsaPublicKey::new_with_max_size(
                BigUint::from_bytes_be(modulus),
                BigUint::from_bytes_be(exponent),
                *RSA_BITS_TAKEN.end(),
            )
            .ok()
            .filter(|key| rest.is_empty() && RSA_BITS_TAKEN.contains(&key.n().bits()))?;
            ("rsa", colons(&Md5::digest(key.to_public_key_der().ok()?.as_bytes())))
        }
        "ssh-ed25519" => {
            let (key, rest) = field(rest)?;
            if key.len() != 32 || !rest.is_empty() {
                return None;
            }
            ("ed25519", STANDARD.encode(Sha256::digest(&blob)))
        }
        _ => return None,
    };
    Some(PublicHalf { key_type, fingerprint, line: format!("{kind} {}", STANDARD.encode(&blob)) })
}

/// Takes a string of RFC 4251 (section 5) from the front.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

/// Writes an RSA key as SSH does (RFC 4253, section 6.6).
fn rsa_blob(exponent: &BigUint, modulus: &BigUint) -> Vec<u8> {
    let mut blob = Vec::new();
    let mut put = |bytes: &[u8], is_number: bool| {
        // Numbers are signed: one whose first bit is set gets a zero before it.
        let is_padded = is_number && bytes.first().is_some_and(|byte| *byte >= 0x80);
        let length = bytes.len() + usize::from(is_padded);
        blob.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        blob.extend_from_slice(if is_padded { &[0] } else { &[] });
        blob.extend_from_slice(bytes);
    };
    put(b"ssh-rsa", false);
    put(&exponent.to_bytes_be(), true);
    put(&modulus.to_bytes_be(), true);
    blob
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(":")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pairs_that_are_made_read_back() {
        let (public, private) = make_rsa().unwrap();
        assert!(private.starts_with("-----BEGIN RSA PRIVATE KEY-----\n"), "the form of EC2");
        assert_eq!(public.fingerprint.len(), 59, "SHA-1 of the private key");
        let read_back = read(&format!("{} me@here", public.line)).unwrap();
        assert_eq!((read_back.line, read_back.fingerprint.len()), (public.line, 47), "MD5 of the public one");
        let (public, private) = make_ed25519().unwrap();
        assert!(private.starts_with("-----BEGIN OPENSSH PRIVATE KEY-----\n"));
        assert_eq!(read(&public.line), Some(public));
    }

    /// Made with `ssh-keygen`, and its fingerprint told by it.
    #[test]
    fn fingerprint_is_that_of_ssh_keygen() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
        assert_eq!(read(line).unwrap().fingerprint, FINGERPRINT);
    }

    const FINGERPRINT: &str = "ZkAslGjFiUHdGf/WUL8rQvkib4PTvQatUV0OUQSncCA=";

    #[test]
    fn what_is_no_key_is_refused() {
        let (public, _) = make_ed25519().unwrap();
        let rest = public.line.split_once(' ').unwrap().1.to_owned();
        for line in [
            "",
            "ssh-rsa",
            "ssh-rsa AAAA",
            &format!("ssh-rsa {rest}"),
            &format!("{}\nssh-rsa x", public.line),
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(kind in "ssh-(rsa|ed25519)", blob: Vec<u8>) {
            let mut whole = u32::try_from(kind.len()).unwrap().to_be_bytes().to_vec();
            whole.extend(kind.as_bytes());
            whole.extend(blob);
            let _ = read(&format!("{kind} {}", STANDARD.encode(whole)));
        }
    }
}
