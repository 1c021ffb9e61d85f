use amint_types::Digest;
use serde::{Deserialize, Serialize};

/// An image of the store that was shown as an AMI: once that is deregistered, it does not come back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Import {
    /// The image's id.
    pub(crate) id: String,
    pub(crate) snapshot_id: String,
    pub(crate) digest: Digest,
}
