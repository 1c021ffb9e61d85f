//! What a person gets from the command line without building anything.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure is the end of the test, and one that is left out says so"
)]

mod check;
mod cloud;
mod db;
mod diff;
mod identity;
mod init;
mod lock;
#[cfg(feature = "aws")]
mod marketplace;
mod publish;
mod scan;
mod scan_verdicts;
mod store;
mod support;
mod usage;
