//! AWS's own Rust SDK against every operation that amint's endpoint serves: requests as the SDK writes and signs them,
//! answers and errors as the SDK reads them.
//!
//! [`witness`] sits in every client. It holds each answer against what the SDK read of it, so that a name that the SDK
//! does not know is found in every field of every answer, and remembers what succeeded. Each file says which operations
//! it covers; [`coverage`] holds the lists against the endpoint's own.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]
#![expect(clippy::print_stderr, reason = "what is left out is said loudly")]
#![expect(clippy::too_many_lines, reason = "the life of a resource reads in one go")]
#![expect(clippy::redundant_closure_for_method_calls, reason = "the paths of the SDK's types are long")]

#[path = "../common/mod.rs"]
mod common;
mod coverage;
mod ebs;
mod identity;
mod images;
mod instances;
mod marketplace;
mod networks;
mod organization;
mod parameters;
mod recycle_bin;
mod refusals;
mod settings;
mod snapshots;
mod support;
mod templates;
mod witness;
