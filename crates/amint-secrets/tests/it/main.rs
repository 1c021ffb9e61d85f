//! Tests of the engine through its public face.

#![expect(clippy::unwrap_used, reason = "what helpers of tests make is known to be right")]

mod binary_keys;
mod chunks;
mod containers;
mod decoys;
mod host;
mod kinds;
mod make;
mod named;
mod shapes;
