//! Messages of any shape, signed with the local RSA key: what an attacker with a key could send, and what a
//! careless authority would.

use rsa::{BigUint, Pkcs1v15Sign, RsaPrivateKey};
use sha2::Digest;

use crate::support::{LOCAL_KEYS, decode, keys, pending, sign};

pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const PKCS9: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09];
const PKCS7: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];

pub(crate) fn der(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let mut bytes = vec![tag];
    match content.len() {
        length @ ..0x80 => bytes.push(u8::try_from(length).unwrap()),
        length => bytes.extend([0x82].into_iter().chain(u16::try_from(length).unwrap().to_be_bytes())),
    }
    // Two bytes of length for a short content would not be the shortest form.
    if (0x80..0x100).contains(&content.len()) {
        bytes.truncate(1);
        bytes.extend([0x81, u8::try_from(content.len()).unwrap()]);
    }
    bytes.extend(content);
    bytes
}

pub(crate) fn algorithm(oid: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x06, &[oid]), &[0x05, 0x00]])
}

pub(crate) fn attribute(kind: u8, value: &[u8]) -> Vec<u8> {
    der(0x30, &[&der(0x06, &[&PKCS9, &[kind]]), &der(0x31, &[value])])
}

pub(crate) fn content_type() -> Vec<u8> {
    attribute(3, &der(0x06, &[&PKCS7, &[1]]))
}

pub(crate) fn message_digest(document: &[u8]) -> Vec<u8> {
    attribute(4, &der(0x04, &[&sha2::Sha256::digest(document)]))
}

/// The parts of a message; what is set here replaces what an honest signer would write.
#[derive(Clone)]
pub(crate) struct Forgery {
    pub(crate) document: Vec<u8>,
    /// `None`: no signed attributes at all.
    pub(crate) attributes: Option<Vec<Vec<u8>>>,
    pub(crate) digest: Vec<u8>,
    pub(crate) listed_digest: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    pub(crate) signers: usize,
    /// After the signature.
    pub(crate) unsigned: Vec<u8>,
    pub(crate) certificates: Vec<u8>,
    pub(crate) version: u8,
    pub(crate) key: RsaPrivateKey,
    pub(crate) name: Vec<u8>,
}

impl Forgery {
    /// An honest message over `document`.
    pub(crate) fn new(document: &[u8]) -> Self {
        // Issuer and serial number as an honest local message names them.
        let honest = decode(&sign(amint_identity::Form::Rsa2048, document));
        let organisation = b"amint local test key";
        let at = honest.windows(organisation.len()).position(|window| window == organisation).unwrap();
        // 15 bytes lie before: SEQUENCE, SEQUENCE, SET, SEQUENCE, the name's OID, the text's tag and length.
        let start = at - 15;
        let name_bytes = usize::from(honest[start + 1]) + 2;
        Self {
            document: document.to_vec(),
            attributes: Some(vec![content_type(), message_digest(document)]),
            digest: algorithm(SHA256),
            listed_digest: algorithm(SHA256),
            algorithm: algorithm(RSA),
            signers: 1,
            unsigned: Vec::new(),
            certificates: Vec::new(),
            version: 1,
            key: local_key(),
            name: honest[start..start + name_bytes].to_vec(),
        }
    }

    pub(crate) fn sign(&self) -> Vec<u8> {
        let attributes = self.attributes.as_ref().map(|attributes| attributes.concat());
        let covered = attributes.as_ref().map_or(self.document.clone(), |all| der(0x31, &[all]));
        let digest = sha2::Sha256::digest(&covered);
        let prefix = der(0x30, &[&algorithm(SHA256), &[0x04, 0x20]]);
        // The prefix ends before the digest, which its length counts.
        let prefix = [&[0x30, prefix[1] + 0x20][..], &prefix[2..]].concat();
        let padding = Pkcs1v15Sign { hash_len: Some(32), prefix: prefix.into_boxed_slice() };
        let signature = self.key.sign(padding, &digest).unwrap();
        let attributes = attributes.map(|all| der(0xa0, &[&all])).unwrap_or_default();
        let signer = der(
            0x30,
            &[
                &[2, 1, 1],
                &self.name,
                &self.digest,
                &attributes,
                &self.algorithm,
                &der(0x04, &[&signature]),
                &self.unsigned,
            ],
        );
        let content = der(0xa0, &[&der(0x04, &[&self.document])]);
        let data = der(
            0x30,
            &[
                &[2, 1, self.version],
                &der(0x31, &[&self.listed_digest]),
                &der(0x30, &[&der(0x06, &[&PKCS7, &[1]]), &content]),
                &self.certificates,
                &der(0x31, &[&signer.repeat(self.signers)]),
            ],
        );
        der(0x30, &[&der(0x06, &[&PKCS7, &[2]]), &der(0xa0, &[&data])])
    }
}

/// Reads the RSA key out of the local keys.
pub(crate) fn local_key() -> RsaPrivateKey {
    let line = LOCAL_KEYS.lines().find(|line| line.starts_with("rsa2048 ")).unwrap();
    let mut numbers = line.split(' ').skip(1).map(|word| BigUint::parse_bytes(word.as_bytes(), 16).unwrap());
    let (n, e, d) = (numbers.next().unwrap(), numbers.next().unwrap(), numbers.next().unwrap());
    RsaPrivateKey::from_components(n, e, d, numbers.collect()).unwrap()
}

/// The local certificate of the form rsa2048, in DER.
pub(crate) fn local_certificate() -> Vec<u8> {
    let list = keys().certificates(&["eu-west-1"], pending()).unwrap();
    let from = list.find("-----BEGIN").unwrap();
    let to = list.find("-----END").unwrap();
    decode(&list.as_bytes()[from..to])
}
