//! Images made by QEMU's tools, whole, broken and hostile.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "helpers of tests end their test, and tell of what they skip"
)]

mod archive;
mod backing;
mod blocks;
mod convert;
mod damage;
mod extents;
mod log;
mod mutate;
mod own;
mod partial;
mod tools;
