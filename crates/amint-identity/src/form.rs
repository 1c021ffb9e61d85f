//! The three forms of signature.

use std::fmt;
use std::str::FromStr;

/// A form in which EC2 signs the document; named like its path at the metadata service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Form {
    /// `rsa2048`: a CMS message with an RSA key of 2048 bits and SHA-256. The form that AWS recommends.
    Rsa2048,
    /// `pkcs7`: a CMS message with a DSA key of 1024 bits and SHA-1; in China with an RSA key.
    Pkcs7,
    /// `signature`: a bare RSA signature of 1024 bits over SHA-256.
    Signature,
}

impl Form {
    /// All forms, the strongest first.
    pub const ALL: [Self; 3] = [Self::Rsa2048, Self::Pkcs7, Self::Signature];

    /// Returns the name, which is the last part of the path at the metadata service.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa2048",
            Self::Pkcs7 => "pkcs7",
            Self::Signature => "signature",
        }
    }
}

impl fmt::Display for Form {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is none of rsa2048, pkcs7, signature")]
pub struct ParseFormError {
    text: String,
}

impl FromStr for Form {
    type Err = ParseFormError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|form| form.as_str() == text)
            .ok_or_else(|| ParseFormError { text: text.chars().take(40).collect() })
    }
}
