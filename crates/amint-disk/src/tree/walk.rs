//! Walking down a tree within limits.

use std::path::PathBuf;

use super::Metadata;

/// How far a walk may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WalkLimits {
    /// How many folders deep, counted from the start.
    pub depth_max: usize,
    /// How many entries in all.
    pub entries_max: u64,
}

impl Default for WalkLimits {
    fn default() -> Self {
        Self { depth_max: 64, entries_max: 2_000_000 }
    }
}

/// One thing that a walk met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WalkEntry {
    /// Its absolute path in the image.
    pub path: PathBuf,
    /// What is known of it; of a link, the link itself.
    pub metadata: Metadata,
}

/// Where a walk goes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalkStep {
    /// On, and into the folder if the entry is one.
    Continue,
    /// On, but not into this folder.
    Skip,
    /// Home.
    Stop,
}

/// What a walk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WalkSummary {
    /// How many entries it met.
    pub entries: u64,
    /// Whether the visitor stopped it.
    pub is_stopped: bool,
}
