//! Processor architectures of images.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A processor architecture that EC2 runs (`RegisterImage` `Architecture`, 64-bit Linux only).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Architecture {
    /// 64-bit x86, `amd64` in Debian's words.
    #[serde(rename = "x86_64")]
    X86_64,
    /// 64-bit Arm (Graviton), `arm64`.
    Arm64,
}

impl Architecture {
    /// Returns the name that EC2 uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// Returns the name that Debian uses.
    pub fn debian(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Arm64 => "arm64",
        }
    }
}

impl fmt::Display for Architecture {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// The text names no architecture that amint knows.
#[derive(Debug, thiserror::Error)]
#[error("unknown architecture `{0}` (known: x86_64, arm64)")]
pub struct ParseArchitectureError(String);

impl FromStr for Architecture {
    type Err = ParseArchitectureError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "x86_64" | "amd64" => Ok(Self::X86_64),
            "arm64" | "aarch64" => Ok(Self::Arm64),
            other => Err(ParseArchitectureError(other.to_owned())),
        }
    }
}
