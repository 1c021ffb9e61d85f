//! What a product relies on: genuine documents are accepted, and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests: a failure is the end of the test, and one that is left out says so"
)]

mod bits;
mod certificates;
mod expect;
mod forge;
mod hostile;
mod imds;
mod mutations;
mod openssl;
mod samples;
mod support;
