//! The database: one file of advisories, made by [`Builder`](crate::Builder) and read by [`Database`].
//!
//! # Format, version 1
//! All numbers of the header are little-endian.
//!
//! | offset | bytes | what |
//! |---|---|---|
//! | 0 | 8 | `AMINTVUL` |
//! | 8 | 4 | version of the format: 1 |
//! | 12 | 4 | bytes of the index, compressed |
//! | 16 | 4 | bytes of the index |
//! | 20 | 4 | bytes of the seal, 0 without a signature |
//! | 24 | 8 | offset of the index |
//! | 32 | 32 | SHA-256 of the index, compressed |
//! | 64 | | pages, one after the other |
//! | | | the index |
//! | | | the seal |
//!
//! Pages and index are zstd frames. A page holds entries (key, value) sorted by key; a key begins with a letter for
//! its table:
//!
//! | key | value |
//! |---|---|
//! | `a` ecosystem NUL package | records |
//! | `f` id | facts |
//! | `n` release `/` suite NUL source | the newest version in that suite |
//! | `s` ecosystem NUL package or pattern | a note on its support |
//! | `u` release `/` suite | that the suite's versions are known |
//!
//! The index holds the sources with their dates, and for each page its first key, its sizes and its SHA-256. So the
//! header vouches for the index and the index for the pages; the seal is a DSSE envelope whose payload is the header.
//! Any damage is an error at the moment it is met, and never an empty answer.
//!
//! The same sources give the same bytes, in whatever order they were added: rows are sorted, nothing tells when or
//! where the file was made. A reader takes this version only; a higher one is refused by name.

mod codec;
mod error;
mod file;
mod format;
mod pages;
mod reader;
mod rows;
mod seal;
mod sources;
mod writer;

pub use error::DatabaseError;
pub use file::FileSource;
pub use format::FORMAT_VERSION;
pub(crate) use format::Table;
pub(crate) use pages::key;
pub use reader::{Database, Sourced};
pub(crate) use rows::{encode_facts, encode_record, encode_support, encode_text};
pub use seal::{SEAL_TYPE, Trust};
pub use sources::SourceInfo;
pub(crate) use writer::Store;
