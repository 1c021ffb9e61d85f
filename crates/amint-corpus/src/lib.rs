//! Small file trees with one flaw or one decoy each, and what the rules say of them.
//!
//! The cases stand in `crates/amint-scan/corpus` and were written from the check list and from how systems are
//! really configured, not from the code of the rules. Only tests and benchmarks lean on this crate.

mod case;
mod corpus;
mod damage;
mod error;
mod escape;
mod format;
mod judge;
mod known;
mod numbers;
mod tally;
mod tree;

pub use case::{Case, Expectation, request};
pub use corpus::Corpus;
pub use error::CorpusError;
pub use judge::{Alarm, Judge, Judgement, Outcome, alarms};
pub use known::{Known, KnownDifference};
pub use tally::{Tally, tally};
pub use tree::MemoryTree;
