//! Compares the reader with what mkfs.xfs, `xfs_db` and Linux say.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod attributes;
mod damage;
mod kernel;
mod made;
mod support;
