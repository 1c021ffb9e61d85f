//! The archive client as its users see it, one idea per file: keys and repositories are made here, served from loopback.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

mod disk_full;
mod freshness;
mod gpgv;
mod indexes;
mod keys;
mod malformed;
mod mirror;
mod packages;
mod proxy;
mod repository;
mod server;
mod signatures;
mod support;
