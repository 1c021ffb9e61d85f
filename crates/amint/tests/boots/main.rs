//! The main job on real packages and real machines: slow, one at a time, with the package mirror.
//!
//! Left out with `AMINT_SKIP_BOOTS=1`, and, unless `CI` is set, where the mirror cannot be reached or a tool is
//! missing; both are said loudly.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure ends the test, and what was seen is shown"
)]

mod bookworm;
mod cache;
mod cloud;
mod flawed;
mod interrupted;
mod protected;
mod reproducible;
mod support;
mod web;
