//! The PEM forms of keys (RFC 7468).

use ed25519_dalek::pkcs8::spki::SubjectPublicKeyInfoRef;
use ed25519_dalek::pkcs8::spki::der::Decode;
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{Document, ObjectIdentifier, PrivateKeyInfoRef, SecretDocument};
use zeroize::Zeroizing;

use super::PemError;

/// The length of a seed, which is what a private key is made of, and of a public key.
pub(super) const KEY_BYTES: usize = 32;

const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// id-Ed25519 (RFC 8410 section 3).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// What precedes the seed: PKCS#8 version 1, id-Ed25519, an octet string in an octet string (RFC 8410 section 7).
const PRIVATE_HEAD: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// What precedes the key: id-Ed25519, a bit string (RFC 8410 section 4).
const PUBLIC_HEAD: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// A private key as its text tells it: the seed, and the public half where there is one.
pub(super) struct PrivateParts {
    pub(super) seed: Zeroizing<[u8; KEY_BYTES]>,
    pub(super) public: Option<Vec<u8>>,
}

/// Writes a private key.
pub(super) fn write_private(seed: &[u8; KEY_BYTES]) -> Zeroizing<String> {
    let mut der = Zeroizing::new([0; PRIVATE_HEAD.len() + KEY_BYTES]);
    der[..PRIVATE_HEAD.len()].copy_from_slice(&PRIVATE_HEAD);
    der[PRIVATE_HEAD.len()..].copy_from_slice(seed);
    SecretDocument::try_from(&der[..])
        .and_then(|document| document.to_pem(PRIVATE_LABEL, LineEnding::LF))
        .expect("the head and 32 bytes are DER")
}

/// Reads the first block of a text as a private key.
pub(super) fn read_private(text: &str) -> Result<PrivateParts, PemError> {
    let block = first_block(text, PRIVATE_LABEL)?;
    let (_, document) = SecretDocument::from_pem(block).map_err(|_| PemError::Damaged)?;
    let info = PrivateKeyInfoRef::from_der(document.as_bytes()).map_err(|_| PemError::Damaged)?;
    expect_ed25519(info.algorithm.oid, info.algorithm.parameters.is_some())?;
    let [0x04, 0x20, seed @ ..] = info.private_key.as_bytes() else { return Err(PemError::Damaged) };
    if seed.len() != KEY_BYTES {
        return Err(PemError::Damaged);
    }
    let mut parts = PrivateParts { seed: Zeroizing::new([0; KEY_BYTES]), public: None };
    parts.seed.copy_from_slice(seed);
    if let Some(public) = info.public_key {
        parts.public = Some(public.as_bytes().ok_or(PemError::Damaged)?.to_owned());
    }
    Ok(parts)
}

/// Encodes a public key as `SubjectPublicKeyInfo`.
pub(super) fn public_der(key: &[u8; KEY_BYTES]) -> Vec<u8> {
    [&PUBLIC_HEAD[..], key].concat()
}

/// Writes a public key.
pub(super) fn write_public(key: &[u8; KEY_BYTES]) -> String {
    Document::try_from(public_der(key))
        .and_then(|document| document.to_pem(PUBLIC_LABEL, LineEnding::LF))
        .expect("the head and 32 bytes are DER")
}

/// Reads the first block of a text as a public key.
pub(super) fn read_public(text: &str) -> Result<[u8; KEY_BYTES], PemError> {
    let block = first_block(text, PUBLIC_LABEL)?;
    let (_, document) = Document::from_pem(block).map_err(|_| PemError::Damaged)?;
    let info = SubjectPublicKeyInfoRef::from_der(document.as_bytes()).map_err(|_| PemError::Damaged)?;
    expect_ed25519(info.algorithm.oid, info.algorithm.parameters.is_some())?;
    let key = info.subject_public_key.as_bytes().ok_or(PemError::Damaged)?;
    key.try_into().map_err(|_| PemError::Damaged)
}

/// Cuts a text into its PEM blocks; what stands between them is left aside, as OpenSSL does.
pub(super) fn blocks(text: &str) -> Vec<&str> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some(start) = find_line(rest, "-----BEGIN ") {
        let block = &rest[start..];
        let end = find_line(block, "-----END ").map_or(block.len(), |at| {
            block[at..].find('\n').map_or(block.len(), |line_bytes| at + line_bytes + 1)
        });
        blocks.push(&block[..end]);
        rest = &block[end..];
    }
    blocks
}

/// Finds the first line that starts with `start`.
fn find_line(text: &str, start: &str) -> Option<usize> {
    if text.starts_with(start) {
        return Some(0);
    }
    text.match_indices(start).map(|(at, _)| at).find(|&at| text[..at].ends_with('\n'))
}

/// Returns the first block if it is of the expected kind. This is looked at first: an old form of another key would
/// else be called damaged for its headers.
fn first_block<'a>(text: &'a str, expected: &'static str) -> Result<&'a str, PemError> {
    let block = blocks(text).first().copied().ok_or(PemError::NotPem)?;
    let line = block.lines().next().unwrap_or_default().trim_end();
    let label = line.strip_prefix("-----BEGIN ").and_then(|label| label.strip_suffix("-----"));
    match label.ok_or(PemError::NotPem)? {
        found if found == expected => Ok(block),
        "ENCRYPTED PRIVATE KEY" if expected == PRIVATE_LABEL => Err(PemError::Encrypted),
        found => Err(PemError::Label { found: found.to_owned(), expected }),
    }
}

fn expect_ed25519(found: ObjectIdentifier, has_parameters: bool) -> Result<(), PemError> {
    if found != ED25519 {
        let found = found.to_string();
        let name = match found.as_str() {
            "1.2.840.113549.1.1.1" => "RSA",
            "1.2.840.10045.2.1" => "ECDSA",
            "1.3.101.110" => "X25519",
            "1.3.101.113" => "Ed448",
            other => other,
        };
        return Err(PemError::Algorithm { found: name.to_owned() });
    }
    // RFC 8410 section 3: the parameters must be absent.
    if has_parameters { Err(PemError::Damaged) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    // RFC 8410 section 10: a private key and its public half.
    const PRIVATE: &str = "-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
-----END PRIVATE KEY-----
";
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
-----END PUBLIC KEY-----
";

    #[test]
    fn writes_and_reads_the_example_of_rfc_8410() {
        let parts = read_private(PRIVATE).unwrap();
        assert_eq!(*write_private(&parts.seed), PRIVATE);
        assert_eq!(parts.public, None);
        let public = ed25519_dalek::SigningKey::from_bytes(&parts.seed).verifying_key();
        assert_eq!(write_public(public.as_bytes()), PUBLIC);
        assert_eq!(read_public(PUBLIC).unwrap(), public.to_bytes());
    }

    #[test]
    fn tells_what_else_a_text_is() {
        let framed = |label: &str| format!("-----BEGIN {label}-----\nAAAA\n-----END {label}-----\n");
        let private = |text: &str| read_private(text).err().unwrap();
        assert_eq!(private("hello"), PemError::NotPem);
        assert_eq!(private(" -----BEGIN PRIVATE KEY-----"), PemError::NotPem);
        assert_eq!(private(&framed("ENCRYPTED PRIVATE KEY")), PemError::Encrypted);
        assert!(matches!(private(&framed("OPENSSH PRIVATE KEY")), PemError::Label { .. }));
        assert!(matches!(private(PUBLIC), PemError::Label { .. }));
        assert_eq!(private(&framed("PRIVATE KEY")), PemError::Damaged);
        assert_eq!(private(&PRIVATE[..80]), PemError::Damaged);
        let label = PemError::Label { found: "PRIVATE KEY".to_owned(), expected: "PUBLIC KEY" };
        assert_eq!(read_public(PRIVATE), Err(label));
        // The same bytes, but X25519 (1.3.101.110) and Ed448 (1.3.101.113).
        for (base64, algorithm) in [("MC4CAQAwBQYDK2Vu", "X25519"), ("MC4CAQAwBQYDK2Vx", "Ed448")] {
            let text = PRIVATE.replace("MC4CAQAwBQYDK2Vw", base64);
            assert_eq!(private(&text), PemError::Algorithm { found: algorithm.to_owned() });
        }
    }

    #[test]
    fn finds_blocks_between_other_text() {
        let text = format!("# one\n{PUBLIC}two -----BEGIN \r\n{PUBLIC}-----BEGIN PUBLIC KEY-----\n");
        let blocks = blocks(&text);
        assert_eq!(blocks, [PUBLIC, PUBLIC, "-----BEGIN PUBLIC KEY-----\n"]);
        assert_eq!(read_public(&text.replace('\n', "\r\n")), read_public(PUBLIC));
    }

    proptest! {
        #[test]
        fn never_panics(text in any::<String>(), body in "[A-Za-z0-9+/=\n]{0,200}") {
            for label in [PRIVATE_LABEL, PUBLIC_LABEL] {
                let framed = format!("{text}\n-----BEGIN {label}-----\n{body}\n-----END {label}-----\n{text}");
                for text in [&text, &framed] {
                    let _ = read_private(text);
                    let _ = read_public(text);
                }
            }
        }
    }
}
