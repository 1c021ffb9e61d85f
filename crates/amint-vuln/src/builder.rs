//! Builds a database of sources.

use std::io::Write;

use amint_provenance::SigningKey;
use jiff::Timestamp;

use crate::database::{DatabaseError, SourceInfo, Store};
use crate::import::{self, ImportCounts, ImportError, ImporterKind, Input, Sink};

/// Collects sources and writes the database.
///
/// Memory grows with what is kept of the sources, not with their length: all of Debian's tracker and OSV need some
/// hundreds of MiB.
#[derive(Default)]
pub struct Builder {
    store: Store,
    sources: Vec<SourceInfo>,
    has_failed: bool,
}

/// A database cannot be built.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A source could not be imported.
    #[error("could not import the source `{name}`")]
    Import {
        /// Its name.
        name: String,
        /// Why.
        #[source]
        source: ImportError,
    },
    /// A source failed before: what it gave is not all.
    #[error("a source of the database could not be imported")]
    Incomplete,
    /// Writing failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl Builder {
    /// Begins without any source.
    pub fn new() -> Self {
        Self::default()
    }

    /// Imports a source: `debian/tracker`, made by its publisher at `date`.
    ///
    /// Several inputs may have one name, such as the components of a suite; the oldest date then counts. After a
    /// failure nothing can be written: a part of a source must not pass for all of it.
    pub fn add(
        &mut self,
        name: &str,
        date: Timestamp,
        kind: &ImporterKind,
        input: Input<'_>,
    ) -> Result<ImportCounts, BuildError> {
        let index = self.source(name, date, kind);
        let mut sink = Sink::new(&mut self.store, index);
        let result = import::import(kind, input, &mut sink);
        let (counts, ecosystems) = (sink.counts, sink.ecosystems);
        if let Err(source) = result {
            self.has_failed = true;
            return Err(BuildError::Import { name: name.to_owned(), source });
        }
        if let Some(source) = self.sources.get_mut(index) {
            source.record_count = [counts.records, counts.facts, counts.others]
                .iter()
                .fold(source.record_count, |sum, count| sum.saturating_add(*count));
            source.ecosystems.extend(ecosystems);
            source.ecosystems.sort();
            source.ecosystems.dedup();
        }
        Ok(counts)
    }

    fn source(&mut self, name: &str, date: Timestamp, kind: &ImporterKind) -> usize {
        if let Some(index) = self.sources.iter().position(|source| source.name == name) {
            if let Some(source) = self.sources.get_mut(index) {
                source.date = source.date.min(date);
            }
            return index;
        }
        self.sources.push(SourceInfo {
            name: name.to_owned(),
            kind: kind.as_str().to_owned(),
            date,
            record_count: 0,
            ecosystems: Vec::new(),
        });
        self.sources.len() - 1
    }

    /// Returns the sources that were added, in the order in which they came.
    pub fn sources(&self) -> &[SourceInfo] {
        &self.sources
    }

    /// Writes the database, signed with `key` where one is given.
    pub fn write(self, out: &mut dyn Write, key: Option<&SigningKey>) -> Result<(), BuildError> {
        if self.has_failed {
            return Err(BuildError::Incomplete);
        }
        Ok(self.store.write(&self.sources, out, key)?)
    }
}
