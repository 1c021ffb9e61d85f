//! Provenance as its users see it, one idea per file.

#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod envelope;
mod errors;
mod golden;
mod key_file;
mod openssl;
mod race;
mod statement;
mod support;
mod tampering;
mod trusted_keys;
