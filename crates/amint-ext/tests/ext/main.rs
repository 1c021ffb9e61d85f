//! The reader against `mke2fs`, `debugfs`, `dumpe2fs` and the kernel.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "what tests call fails and skips as tests do")]

mod damage;
mod deleted;
mod facts;
mod free_space;
mod journal;
mod kernel;
mod made;
mod support;
mod tree;
