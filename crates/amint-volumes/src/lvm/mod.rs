//! LVM2: labels, metadata and volumes (`lvm2/format_text` of LVM2; `lvmsystemid(7)`, `lvmraid(7)` for words).
//!
//! Physical volumes are the parts that carry a label. Each holds the text that describes its whole group; the newest
//! whose checksum is right is used. Volumes that only map extents are readable. All others (thin, cached, mirrored,
//! snapshots) are told by name, with the reason.

mod group;
mod label;
mod map;
mod open;
mod text;

pub(crate) use open::{Groups, open};
