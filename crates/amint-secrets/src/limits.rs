//! How far the engine goes.

use amint_types::MIB;

/// Bytes before a keyword that can matter for a finding.
pub const BEHIND_BYTES_MAX: usize = 512;

/// The longest secret that is seen whole: a private RSA key of 16,384 bits in PEM form has about 12,700 bytes.
pub const SECRET_BYTES_MAX: usize = 16 << 10;

/// What may be spent on one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Archives inside archives; 0 looks into none.
    pub depth_max: u32,
    /// Bytes that may come out of the containers of one file, all levels together.
    pub unpacked_bytes_max: u64,
    /// Entries of archives in one file, all levels together.
    pub entries_max: u64,
    /// A zip archive inside another container is held in memory up to this size.
    pub nested_zip_bytes_max: u64,
    /// Findings of one kind in one file; more are only counted.
    pub findings_per_kind_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            depth_max: 4,
            unpacked_bytes_max: 256 * MIB,
            entries_max: 200_000,
            nested_zip_bytes_max: 32 * MIB,
            findings_per_kind_max: 100,
        }
    }
}
