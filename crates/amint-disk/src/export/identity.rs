//! Ids that depend on the content of a disk alone.

use amint_types::{Digest, DigestWriter};
use flate2::Crc;
use uuid::Uuid;

/// Collects what makes a disk this disk: its size, and a checksum of each block that is not zero.
///
/// Two disks with the same id are the same for all practical purposes, not against somebody who wants them to
/// clash: the id tells disks apart in the lists of hypervisors and protects nothing.
pub(super) struct Identity(DigestWriter);

impl Identity {
    /// Starts with the size of the disk.
    pub(super) fn new(disk_bytes: u64) -> Self {
        let mut digest = DigestWriter::new();
        digest.update(&disk_bytes.to_le_bytes());
        Self(digest)
    }

    /// Adds a block.
    pub(super) fn block(&mut self, index: u64, block: &[u8]) {
        let mut checksum = Crc::new();
        checksum.update(block);
        self.0.update(&index.to_le_bytes());
        self.0.update(&checksum.sum().to_le_bytes());
    }

    /// Returns the id as a UUID, of version 8 (RFC 9562: custom).
    pub(super) fn uuid(self) -> Uuid {
        uuid::Builder::from_custom_bytes(first(&self.0.finish())).into_uuid()
    }

    /// Returns the id as a number.
    pub(super) fn number(self) -> u32 {
        u32::from_le_bytes(first(&self.0.finish()))
    }
}

/// Returns the first bytes of a digest.
fn first<const LENGTH: usize>(digest: &Digest) -> [u8; LENGTH] {
    let mut bytes = [0; LENGTH];
    bytes.copy_from_slice(&digest.as_bytes()[..LENGTH]);
    bytes
}
