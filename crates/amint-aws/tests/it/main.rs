//! Against amint's own endpoint over HTTP: the SDK signs, the endpoint verifies.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod chaos;
#[path = "../common/mod.rs"]
mod common;
mod moto;
mod publish;
mod support;
