//! The endpoint over real HTTP, with a store of one small image.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod attributes;
mod copy_snapshot;
mod deregistration;
mod endpoint;
mod image_line;
mod image_reports;
mod recycle_bin;
mod settings;
mod snapshot_locks;
mod snapshot_tiers;
mod support;
mod upload;
