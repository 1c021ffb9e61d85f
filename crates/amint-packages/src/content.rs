//! Digests of file content in the algorithms of package databases.
//!
//! dpkg keeps MD5, apk SHA-1 (SHA-256 from version 3 on), rpm whatever the package was built with, by its `OpenPGP`
//! number (RFC 9580, section 9.5). MD5 and SHA-1 find accidents and careless changes; they do not stop somebody who
//! crafts a file.

use std::fmt;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};

/// Longest digest, in bytes.
const DIGEST_BYTES_MAX: usize = 64;

/// Marks what is no hexadecimal digit in [`DIGIT_VALUES`].
const NO_DIGIT: u8 = 0x80;
/// The value of each byte as a hexadecimal digit.
static DIGIT_VALUES: [u8; 256] = digit_values();

const fn digit_values() -> [u8; 256] {
    let mut values = [NO_DIGIT; 256];
    let (mut digit, mut value) = (0, 0);
    while digit < b"0123456789abcdef".len() {
        let lower = b"0123456789abcdef"[digit];
        values[lower as usize] = value;
        values[lower.to_ascii_uppercase() as usize] = value;
        (digit, value) = (digit + 1, value + 1);
    }
    values
}

/// How a digest was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// MD5, of dpkg and of old rpm packages.
    Md5,
    /// SHA-1, of apk.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256, of rpm packages of today.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA3-256: named by rpm 6, not computed here.
    Sha3With256,
    /// SHA3-512: named by rpm 6, not computed here.
    Sha3With512,
}

impl DigestAlgorithm {
    /// Returns the algorithm that `OpenPGP` gives this number, as rpm's `FILEDIGESTALGO` does.
    pub fn from_pgp(number: u64) -> Option<Self> {
        Some(match number {
            1 => Self::Md5,
            2 => Self::Sha1,
            8 => Self::Sha256,
            9 => Self::Sha384,
            10 => Self::Sha512,
            11 => Self::Sha224,
            12 => Self::Sha3With256,
            14 => Self::Sha3With512,
            _ => return None,
        })
    }

    /// Returns the length of its digests in bytes.
    pub fn digest_bytes(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 => 28,
            Self::Sha256 | Self::Sha3With256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 | Self::Sha3With512 => 64,
        }
    }

    /// Returns the lower-case name: `sha256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha224 => "sha224",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Sha3With256 => "sha3-256",
            Self::Sha3With512 => "sha3-512",
        }
    }
}

/// The digest of some content, in one of the algorithms.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentDigest {
    algorithm: DigestAlgorithm,
    /// The digest, and zeros up to the end.
    bytes: [u8; DIGEST_BYTES_MAX],
}

impl ContentDigest {
    /// Takes the bytes of a digest; none if there are too few or too many for the algorithm.
    pub fn new(algorithm: DigestAlgorithm, digest: &[u8]) -> Option<Self> {
        if digest.len() != algorithm.digest_bytes() {
            return None;
        }
        let mut bytes = [0; DIGEST_BYTES_MAX];
        bytes.get_mut(..digest.len())?.copy_from_slice(digest);
        Some(Self { algorithm, bytes })
    }

    /// Reads a digest that is written in hexadecimal digits; none if it is not one of this algorithm.
    pub fn from_hex(algorithm: DigestAlgorithm, digits: &[u8]) -> Option<Self> {
        if digits.len() != 2 * algorithm.digest_bytes() {
            return None;
        }
        let mut bytes = [0; DIGEST_BYTES_MAX];
        // All values are joined to find a wrong digit only once at the end: a system has some 100,000 digests.
        let mut seen = 0;
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let [high, low] = *pair else { return None };
            let (high, low) = (DIGIT_VALUES[usize::from(high)], DIGIT_VALUES[usize::from(low)]);
            seen |= high | low;
            *byte = (high << 4) | (low & 0x0f);
        }
        (seen & NO_DIGIT == 0).then_some(Self { algorithm, bytes })
    }

    /// Returns how it was made.
    pub fn algorithm(&self) -> DigestAlgorithm {
        self.algorithm
    }

    /// Returns its bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.algorithm.digest_bytes()).unwrap_or_default()
    }
}

impl fmt::Display for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.algorithm.as_str(), hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for ContentDigest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// Makes a digest of content that comes in pieces.
#[derive(Clone)]
pub struct ContentHasher(State);

#[derive(Clone)]
enum State {
    Md5(Md5),
    Sha1(Sha1),
    Sha224(Sha224),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl ContentHasher {
    /// Begins a digest; none where amint cannot compute the algorithm (SHA-3).
    pub fn new(algorithm: DigestAlgorithm) -> Option<Self> {
        Some(Self(match algorithm {
            DigestAlgorithm::Md5 => State::Md5(Md5::new()),
            DigestAlgorithm::Sha1 => State::Sha1(Sha1::new()),
            DigestAlgorithm::Sha224 => State::Sha224(Sha224::new()),
            DigestAlgorithm::Sha256 => State::Sha256(Sha256::new()),
            DigestAlgorithm::Sha384 => State::Sha384(Sha384::new()),
            DigestAlgorithm::Sha512 => State::Sha512(Sha512::new()),
            DigestAlgorithm::Sha3With256 | DigestAlgorithm::Sha3With512 => return None,
        }))
    }

    /// Returns the digest of content that is there as a whole.
    pub fn digest(algorithm: DigestAlgorithm, content: &[u8]) -> Option<ContentDigest> {
        let mut hasher = Self::new(algorithm)?;
        hasher.update(content);
        hasher.finish()
    }

    /// Adds the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.0 {
            State::Md5(hasher) => hasher.update(piece),
            State::Sha1(hasher) => hasher.update(piece),
            State::Sha224(hasher) => hasher.update(piece),
            State::Sha256(hasher) => hasher.update(piece),
            State::Sha384(hasher) => hasher.update(piece),
            State::Sha512(hasher) => hasher.update(piece),
        }
    }

    /// Returns the digest of all pieces.
    pub fn finish(self) -> Option<ContentDigest> {
        match self.0 {
            State::Md5(hasher) => ContentDigest::new(DigestAlgorithm::Md5, &hasher.finalize()),
            State::Sha1(hasher) => ContentDigest::new(DigestAlgorithm::Sha1, &hasher.finalize()),
            State::Sha224(hasher) => ContentDigest::new(DigestAlgorithm::Sha224, &hasher.finalize()),
            State::Sha256(hasher) => ContentDigest::new(DigestAlgorithm::Sha256, &hasher.finalize()),
            State::Sha384(hasher) => ContentDigest::new(DigestAlgorithm::Sha384, &hasher.finalize()),
            State::Sha512(hasher) => ContentDigest::new(DigestAlgorithm::Sha512, &hasher.finalize()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn makes_the_digests_that_the_standards_give_for_abc() {
        for (algorithm, digits) in [
            (DigestAlgorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (DigestAlgorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (DigestAlgorithm::Sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
            (DigestAlgorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        ] {
            let wanted = ContentDigest::from_hex(algorithm, digits.as_bytes());
            assert!(wanted.is_some());
            assert_eq!(ContentHasher::digest(algorithm, b"abc"), wanted);
        }
        assert!(ContentHasher::new(DigestAlgorithm::Sha3With256).is_none());
    }

    #[test]
    fn reads_digits_as_other_readers_do() {
        for byte in 0..=u8::MAX {
            for pair in [[byte, b'7'], [b'C', byte]] {
                let digits = [pair.as_slice(), &[b'0'; 30]].concat();
                let wanted = hex::decode(&digits).ok();
                let found = ContentDigest::from_hex(DigestAlgorithm::Md5, &digits);
                assert_eq!(found.map(|digest| digest.as_bytes().to_vec()), wanted, "{byte}");
            }
        }
    }

    #[test]
    fn refuses_digests_of_another_length() {
        assert!(ContentDigest::from_hex(DigestAlgorithm::Md5, b"").is_none());
        assert!(
            ContentDigest::from_hex(DigestAlgorithm::Sha256, b"900150983cd24fb0d6963f7d28e17f72").is_none()
        );
        assert!(ContentDigest::from_hex(DigestAlgorithm::Md5, b"900150983cd24fb0d6963f7d28e17fZZ").is_none());
        assert!(ContentDigest::new(DigestAlgorithm::Sha512, &[0; 63]).is_none());
    }
}
