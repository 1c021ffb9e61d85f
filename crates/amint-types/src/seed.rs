//! Random-looking values that are the same in every build of the same inputs.

use uuid::Uuid;

use crate::Digest;

/// A source of values that depend on nothing but the build's inputs and a label.
///
/// File-system UUIDs, partition ids and directory hash seeds come from here: two builds of the same inputs
/// get the same ones, two different images get different ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed(Digest);

impl Seed {
    /// Derives a seed from the build's inputs, in a form of the caller's choice.
    pub fn new(inputs: &[u8]) -> Self {
        Self(Digest::of(inputs))
    }

    /// Returns 32 bytes for `label`.
    pub fn bytes(&self, label: &str) -> [u8; 32] {
        let mut input = self.0.as_bytes().to_vec();
        input.extend_from_slice(label.as_bytes());
        *Digest::of(&input).as_bytes()
    }

    /// Returns a UUID for `label`, of version 8 (RFC 9562: custom).
    pub fn uuid(&self, label: &str) -> Uuid {
        let bytes = self.bytes(label);
        let mut first = [0; 16];
        first.copy_from_slice(&bytes[..16]);
        uuid::Builder::from_custom_bytes(first).into_uuid()
    }

    /// Returns a 32-bit number for `label`, such as a FAT volume id.
    pub fn number(&self, label: &str) -> u32 {
        let bytes = self.bytes(label);
        u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depends_on_inputs_and_label_only() {
        let seed = Seed::new(b"web 1.4.0");
        assert_eq!(seed.uuid("root"), Seed::new(b"web 1.4.0").uuid("root"));
        assert_ne!(seed.uuid("root"), seed.uuid("esp"));
        assert_ne!(seed.uuid("root"), Seed::new(b"web 1.4.1").uuid("root"));
        assert_eq!(seed.uuid("root").get_version_num(), 8);
    }
}
