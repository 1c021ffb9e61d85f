//! The endpoint over real HTTP, with a store of one small image.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stderr, reason = "what is left out is said loudly")]

mod accounts;
mod attributes;
mod chaos;
mod copy_snapshot;
mod deregistration;
mod endpoint;
mod groups;
mod iam;
mod image_line;
mod image_reports;
mod instances;
mod keys;
mod kms;
mod launch_templates;
mod marketplace;
mod networks;
mod organization;
mod parameters;
mod recycle_bin;
mod scaling;
mod settings;
mod snapshot_locks;
mod snapshot_tiers;
mod support;
mod trail;
mod upload;
mod volumes;
