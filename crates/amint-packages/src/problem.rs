//! What could not be understood, kept in bounds.

use std::fmt;

/// Most problems that are kept for one source; the rest is counted.
pub const PROBLEMS_MAX: usize = 50;

/// One thing in a database or file that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where: the line in text, the number of the record in a database, both from 1; 0 is the whole.
    pub position: u64,
    /// What is wrong, as a lower-case fragment.
    pub reason: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.position {
            0 => formatter.write_str(&self.reason),
            position => write!(formatter, "at {position}: {}", self.reason),
        }
    }
}

/// The first [`PROBLEMS_MAX`] problems of a source, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    kept: Vec<Problem>,
    count: u64,
}

impl Problems {
    /// Adds one.
    pub(crate) fn add(&mut self, position: u64, reason: impl Into<String>) {
        self.count = self.count.saturating_add(1);
        if self.kept.len() < PROBLEMS_MAX {
            self.kept.push(Problem { position, reason: reason.into() });
        }
    }

    /// Returns those that were kept, in the order in which they were met.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.kept.iter()
    }

    /// Returns how many there were, kept or not.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Tells whether there was none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}
