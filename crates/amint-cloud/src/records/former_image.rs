use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Image;

/// An image that was deregistered: instances and copies of it still name it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FormerImage {
    pub(crate) id: String,
    pub(crate) image: Image,
    pub(crate) deregistered: Timestamp,
}
