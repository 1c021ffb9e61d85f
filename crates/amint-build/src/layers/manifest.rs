//! What a layer is made of.

use amint_types::Digest;
use serde::{Deserialize, Serialize};

/// Version of the layers' form; layers of another version are not used.
pub(super) const FORMAT: u32 = 1;

/// The description of a layer, beside its shards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub(super) format: u32,
    /// What people call the step.
    pub(super) title: String,
    /// What the step found out, for those that follow.
    pub(super) note: String,
    /// How long the step took, in milliseconds.
    pub(super) elapsed_ms: u64,
    pub(super) shards: Vec<Shard>,
}

/// One part of a layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shard {
    pub(super) bytes: u64,
    pub(super) sha256: Digest,
}
