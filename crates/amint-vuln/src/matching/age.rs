//! Whether the advisories are young enough to say that there is nothing.

use std::collections::BTreeSet;

use amint_types::scan::{DataSource, OperatingSystem, PackageKind};
use jiff::{SignedDuration, Timestamp};

use crate::database::{Database, SourceInfo};
use crate::ecosystem::{Ecosystem, Family};

/// What is wrong with the advisories on one kind of packages.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum AgeProblem {
    /// No source says anything about them.
    Missing {
        /// Which: `debian:12`, `npm`, `the operating system`.
        ecosystem: String,
    },
    /// Even the newest source is too old.
    TooOld {
        /// Which.
        ecosystem: String,
        /// The newest source.
        source: String,
        /// When it was made.
        date: Timestamp,
        /// How many whole days ago.
        age_days: i64,
    },
    /// A source is dated after now: the clock or the source is wrong.
    InFuture {
        /// The source.
        source: String,
        /// When it says that it was made.
        date: Timestamp,
    },
}

/// Whether a verdict can be given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AgeVerdict {
    /// Why none can be given; empty when one can.
    pub problems: Vec<AgeProblem>,
    /// The sources that were used, by name.
    pub used: Vec<DataSource>,
    /// Sources that are too old, beside newer ones on the same packages.
    pub old: Vec<DataSource>,
}

impl AgeVerdict {
    /// Tells whether a verdict can be given.
    pub fn is_fresh(&self) -> bool {
        self.problems.is_empty()
    }
}

/// Clocks differ; a source of the next minutes is no sign of anything.
const FUTURE_HOURS_MAX: i64 = 24;

impl Database {
    /// Judges the age of what this database knows of an operating system and of kinds of packages.
    ///
    /// Kinds of the operating system's own packages stand for the system; those of languages for their registries. A
    /// system is needed where there are packages of one: without it, its advisories are missing.
    pub fn age_verdict(
        &self,
        system: Option<&OperatingSystem>,
        kinds: &[PackageKind],
        now: Timestamp,
        age_max: SignedDuration,
    ) -> AgeVerdict {
        let mut verdict = AgeVerdict::default();
        let mut wanted: BTreeSet<String> = BTreeSet::new();
        if system.is_some() || kinds.iter().any(|kind| kind.is_of_system()) {
            let regular = system.and_then(|system| Ecosystem::of_system(system).into_iter().next());
            match regular {
                Some(ecosystem) => _ = wanted.insert(ecosystem.to_string()),
                None => verdict
                    .problems
                    .push(AgeProblem::Missing { ecosystem: "the operating system".to_owned() }),
            }
        }
        wanted.extend(
            kinds
                .iter()
                .filter_map(|kind| Family::of_language(*kind))
                .map(|family| family.as_str().to_owned()),
        );
        let mut used: BTreeSet<(&str, Timestamp)> = BTreeSet::new();
        for ecosystem in wanted {
            let sources = self
                .sources()
                .iter()
                .filter(|source| judges(source) && source.ecosystems.contains(&ecosystem));
            used.extend(sources.clone().map(|source| (source.name.as_str(), source.date)));
            let Some(newest) = sources.max_by_key(|source| source.date) else {
                verdict.problems.push(AgeProblem::Missing { ecosystem });
                continue;
            };
            let age = now.duration_since(newest.date);
            if age > age_max {
                let age_days = age.as_hours() / 24;
                let (source, date) = (newest.name.clone(), newest.date);
                verdict.problems.push(AgeProblem::TooOld { ecosystem, source, date, age_days });
            } else if age < SignedDuration::from_hours(-FUTURE_HOURS_MAX) {
                verdict
                    .problems
                    .push(AgeProblem::InFuture { source: newest.name.clone(), date: newest.date });
            }
        }
        // Facts on exploitation are used for every package.
        let facts = self.sources().iter().filter(|source| source.ecosystems.is_empty());
        used.extend(facts.map(|source| (source.name.as_str(), source.date)));
        for (name, date) in used {
            let source = DataSource { source: name.to_owned(), date };
            if now.duration_since(date) > age_max {
                verdict.old.push(source.clone());
            }
            verdict.used.push(source);
        }
        verdict.problems.sort();
        verdict
    }
}

/// Lists of versions and of support tell of no vulnerability.
fn judges(source: &SourceInfo) -> bool {
    !matches!(source.kind.as_str(), "debian-sources" | "debian-packages" | "debian-support")
}
