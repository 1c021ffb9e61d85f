//! Finds secrets in bytes: private keys, tokens of providers, passwords and their hashes.
//!
//! Bytes of one file come in as chunks, findings come out, and the secret itself never does: an excerpt shows what is
//! public of its form (`ghp_***`) and how long it is. [`scan_source`] looks into archives and compressed files too,
//! within [`Limits`], and tells in [`Looked`] what it did not look at. [`scan_blocks`] takes what lies in free space.
//!
//! A kind of secret is one row of a table: words that begin it, an expression, a least entropy, and values that its
//! provider prints in manuals. All words are looked for at once by their rarest three bytes; the expression is only
//! tried where a word stands. What a finding says depends on at most [`BEHIND_BYTES_MAX`] bytes before and
//! [`SECRET_BYTES_MAX`] after the word, so it does not matter how the bytes are cut into chunks.
//!
//! The forms are those that the providers document; private keys follow RFC 5958, RFC 8017, RFC 5915, RFC 7292 and
//! RFC 7468. No value is ever tried against a service.

mod containers;
mod engine;
mod finding;
mod judge;
mod keywords;
mod kind;
mod kinds;
mod limits;
mod named;
mod scanner;
mod source;
mod structure;

pub use containers::is_container;
pub use engine::{kind_count, kinds};
pub use finding::{Gap, KindInfo, Looked, SecretError, SecretFinding};
pub use limits::{BEHIND_BYTES_MAX, Limits, SECRET_BYTES_MAX};
pub use scanner::Scanner;
pub use source::{Block, scan_blocks, scan_source};
