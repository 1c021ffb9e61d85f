//! Advisories: building the database, matching, version orders.
//!
//! [`Builder`] makes one file of what publishers of advisories give, [`Database`] opens it without reading all of it,
//! [`Matcher`] finds what applies to the packages of an image. Nothing here reaches the network, asks the clock or
//! knows a disk: sources, times and packages come in as parameters.
//!
//! What a database does not know it does not call clean: sources are dated, [`Database::age_verdict`] tells what is
//! too old or missing, packages that cannot be judged are counted, and damage is an error.

#![forbid(unsafe_code)]

mod builder;
mod database;
mod ecosystem;
mod import;
mod matching;
mod record;
mod scores;
pub mod versions;
pub mod vex;

#[cfg(test)]
mod testing;

pub use builder::{BuildError, Builder};
pub use database::{
    Database, DatabaseError, FORMAT_VERSION, FileSource, SEAL_TYPE, SourceInfo, Sourced, Trust,
};
pub use ecosystem::{Ecosystem, Family, debian_release};
pub use import::{ImportCounts, ImportError, ImporterKind, Input, TITLE_CHARS_MAX};
pub use matching::{AgeProblem, AgeVerdict, MatchContext, MatchCounts, MatchReport, Matcher, NotJudged};
pub use record::{Exploitation, Facts, Flags, Range, RangeEnd, Record, SupportNote};
pub use scores::{cvss_tenths, severity_of_score, severity_of_word};
