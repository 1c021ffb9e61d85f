//! The ext4 writer against e2fsprogs and the kernel.

#![expect(clippy::unwrap_used, reason = "in a test, a panic is the report")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod errors;
mod kernel;
mod oracle;
mod property;
mod same_bytes;
mod support;
