//! Advisories: building the database, matching, version orders.

mod builder;
mod database;
mod ecosystem;
mod import;
mod record;
mod scores;
pub mod versions;

pub use builder::{BuildError, Builder};
pub use database::{
    Database, DatabaseError, FORMAT_VERSION, FileSource, SEAL_TYPE, SourceInfo, Sourced, Trust,
};
pub use ecosystem::{Ecosystem, Family, debian_release};
pub use import::{ImportCounts, ImportError, ImporterKind, Input, TITLE_CHARS_MAX};
pub use record::{Exploitation, Facts, Flags, Range, RangeEnd, Record, SupportNote};
pub use scores::{cvss_tenths, severity_of_score, severity_of_word};
