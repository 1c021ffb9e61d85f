//! The names of an image: every folder walked once, every node looked at once.
//!
//! Everything after the walk (analyzers, rules, facts) asks the index and touches the disk only for content.

mod build;
mod entry;
mod tree;

pub(crate) use amint_scan::chain;
pub use build::{Mount, MountPlan};
pub use entry::{Entry, EntryId, Index};
