//! Compares what the reader says with what `btrfs-progs` and the kernel say.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

#[path = "suite/support.rs"]
mod support;

#[path = "suite/compression.rs"]
mod compression;
#[path = "suite/damage.rs"]
mod damage;
#[path = "suite/free_space.rs"]
mod free_space;
#[path = "suite/log.rs"]
mod log;
#[path = "suite/made_by_kernel.rs"]
mod made_by_kernel;
#[path = "suite/made_by_mkfs.rs"]
mod made_by_mkfs;
