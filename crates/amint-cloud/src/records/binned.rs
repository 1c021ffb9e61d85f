use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Something that was removed, lies in the recycle bin and can be had back until `exits`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Binned<T> {
    pub(crate) id: String,
    pub(crate) record: T,
    pub(crate) entered: Timestamp,
    pub(crate) exits: Timestamp,
}
