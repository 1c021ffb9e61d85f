//! The endpoint over real HTTP, with a store of one small image.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stderr, reason = "what is left out is said loudly")]

mod attributes;
mod endpoint;
mod groups;
mod instances;
mod keys;
mod networks;
mod support;
mod upload;
mod volumes;
