//! The store as its users see it, one idea per file.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod child;
mod collect;
mod damage;
mod disk_full;
mod documents;
mod kill;
mod manifest_format;
mod names;
mod operation_log;
mod permissions;
mod put_and_read;
mod stop;
mod support;
mod temporary;
mod torn_files;
mod two_processes;
mod versions;
mod writer;
