//! Public keys and what they verify.

use dsa::signature::hazmat::PrehashVerifier;
use rsa::traits::PublicKeyParts;
use rsa::{BigUint, Pkcs1v15Sign, RsaPublicKey};
use sha1::{Digest, Sha1};
use sha2::Sha256;

use crate::ber::{self, BerError, Reader};

/// How long the numbers of a key may be; EC2's have 1024 and 2048 bits.
const KEY_BITS_MAX: usize = 4096;

/// DER of the OIDs that are used here (RFC 3279, 3370, 5754), without tag and length.
pub(crate) mod oid {
    pub(crate) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
    pub(crate) const RSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x05];
    pub(crate) const RSA_WITH_SHA256: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x0b];
    pub(crate) const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01];
    pub(crate) const DSA_WITH_SHA1: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x03];
    pub(crate) const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
    pub(crate) const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
}

/// A digest that EC2 signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DigestKind {
    Sha1,
    Sha256,
}

impl DigestKind {
    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
        }
    }

    /// Returns the padding of RSA PKCS #1 v1.5 with this digest (RFC 8017, 9.2 note 1).
    pub(crate) fn padding(self) -> Pkcs1v15Sign {
        let (oid, length) = match self {
            Self::Sha1 => (oid::SHA1, 20_u8),
            Self::Sha256 => (oid::SHA256, 32_u8),
        };
        let mut algorithm = vec![0x06, u8::try_from(oid.len()).unwrap_or_default()];
        algorithm.extend_from_slice(oid);
        algorithm.extend_from_slice(&[0x05, 0x00]);
        let algorithm_bytes = u8::try_from(algorithm.len()).unwrap_or_default();
        let mut prefix = vec![0x30, algorithm_bytes + 4 + length, 0x30, algorithm_bytes];
        prefix.append(&mut algorithm);
        prefix.extend_from_slice(&[0x04, length]);
        Pkcs1v15Sign { hash_len: Some(usize::from(length)), prefix: prefix.into_boxed_slice() }
    }
}

/// A public key.
#[derive(Clone, Debug)]
pub(crate) enum PublicKey {
    Rsa(Box<RsaPublicKey>),
    Dsa(Box<dsa::VerifyingKey>),
}

impl PublicKey {
    /// Reads a `SubjectPublicKeyInfo` (RFC 5280, 4.1; RFC 3279, 2.3.1 and 2.3.2).
    pub(crate) fn parse(info: &mut Reader<'_>) -> Result<Self, BerError> {
        let mut algorithm = info.enter(ber::SEQUENCE)?;
        let kind = algorithm.take(ber::OBJECT_IDENTIFIER)?.content;
        let bits = info.take(ber::BIT_STRING)?.content;
        info.end()?;
        let Some((0, key)) = bits.split_first() else {
            return Err(BerError("a key that ends within a byte"));
        };
        let mut key = Reader::new(key);
        if kind == oid::RSA {
            let mut numbers = key.enter(ber::SEQUENCE)?;
            let (modulus, exponent) = (number(&mut numbers)?, number(&mut numbers)?);
            numbers.end()?;
            key.end()?;
            let key =
                RsaPublicKey::new(modulus, exponent).map_err(|_| BerError("an RSA key that is none"))?;
            return Ok(Self::Rsa(Box::new(key)));
        }
        if kind != oid::DSA {
            return Err(BerError("a key that is neither RSA nor DSA"));
        }
        let mut parameters = algorithm.enter(ber::SEQUENCE)?;
        let (p, q, g) = (number(&mut parameters)?, number(&mut parameters)?, number(&mut parameters)?);
        let y = number(&mut key)?;
        key.end()?;
        // An even modulus is no prime, and arithmetic with it is slow.
        if !(p.bits() >= 1024 && q.bits() >= 160 && q < p && odd(&p) && odd(&q) && y < p) {
            return Err(BerError("a DSA key that is none"));
        }
        let key = dsa::Components::from_components(p, q, g)
            .and_then(|components| dsa::VerifyingKey::from_components(components, y))
            .map_err(|_| BerError("a DSA key that is none"))?;
        Ok(Self::Dsa(Box::new(key)))
    }

    /// Returns the length of the key, in bits.
    pub(crate) fn bits(&self) -> usize {
        match self {
            Self::Rsa(key) => key.n().bits(),
            Self::Dsa(key) => key.components().p().bits(),
        }
    }

    /// Tells whether `signature` over `message` is of this key.
    pub(crate) fn verifies(&self, kind: DigestKind, message: &[u8], signature: &[u8]) -> bool {
        let digest = kind.of(message);
        match self {
            Self::Rsa(key) => key.verify(kind.padding(), &digest, signature).is_ok(),
            Self::Dsa(key) => match dsa_signature(signature, key.components().q()) {
                Ok(signature) => key.verify_prehash(&digest, &signature).is_ok(),
                Err(_) => false,
            },
        }
    }
}

fn odd(value: &BigUint) -> bool {
    value.to_bytes_le().first().is_some_and(|byte| byte & 1 == 1)
}

fn number(reader: &mut Reader<'_>) -> Result<BigUint, BerError> {
    let bytes = ber::unsigned(reader.take(ber::INTEGER)?.content)?;
    if bytes.len() > KEY_BITS_MAX / 8 {
        return Err(BerError("a number that is too large"));
    }
    Ok(BigUint::from_bytes_be(bytes))
}

/// Reads the two numbers of a DSA signature (RFC 3279, 2.2.2), both between 0 and `q`.
fn dsa_signature(signature: &[u8], q: &BigUint) -> Result<dsa::Signature, BerError> {
    let mut reader = Reader::new(signature);
    let mut numbers = reader.enter(ber::SEQUENCE)?;
    reader.end()?;
    let (r, s) = (number(&mut numbers)?, number(&mut numbers)?);
    numbers.end()?;
    let zero = BigUint::default();
    if r == zero || s == zero || r >= *q || s >= *q {
        return Err(BerError("a number that is out of range"));
    }
    dsa::Signature::from_components(r, s).map_err(|_| BerError("a number that is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_rfc_8017() {
        let expected = [
            0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05,
            0x00, 0x04, 0x20,
        ];
        assert_eq!(*DigestKind::Sha256.padding().prefix, expected);
        let expected =
            [0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14];
        assert_eq!(*DigestKind::Sha1.padding().prefix, expected);
    }
}
