//! Compares what the reader says with the files that `mksquashfs` packed, and with what the kernel shows.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

#[path = "suite/support.rs"]
mod support;

#[path = "suite/damage.rs"]
mod damage;
#[path = "suite/made_by_mksquashfs.rs"]
mod made_by_mksquashfs;
