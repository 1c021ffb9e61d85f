//! What a person gets from the command line without building anything.

#![expect(clippy::unwrap_used, reason = "helpers of tests: a failure is the end of the test")]

mod check;
mod init;
mod store;
mod support;
mod usage;
