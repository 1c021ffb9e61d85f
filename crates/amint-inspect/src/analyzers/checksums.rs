//! Whether files of packages are still what the packages brought.

use amint_packages::Actual;
use amint_packages::content::ContentHasher;
use amint_scan::system::packages::Databases;

use crate::index::Index;
use crate::pass::{AnalyzeError, Analyzer, File, Output, Stream, Want};
use crate::system::Owners;

/// Compares the content of every owned file with its digest in the package database.
pub struct Checksums<'a> {
    databases: &'a Databases,
    owners: &'a Owners,
    index: &'a Index,
}

impl<'a> Checksums<'a> {
    /// Takes what the databases say.
    pub fn new(databases: &'a Databases, owners: &'a Owners, index: &'a Index) -> Self {
        Self { databases, owners, index }
    }
}

impl Analyzer for Checksums<'_> {
    fn id(&self) -> &'static str {
        "checksums"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &File<'_>) -> Option<Want> {
        let owned = self.owners.file(file.id, self.databases)?;
        let algorithm = owned.wanted_algorithm()?;
        ContentHasher::new(algorithm).map(|_| Want::Stream)
    }

    fn stream<'a>(&'a self, file: &File<'_>) -> Option<Box<dyn Stream + 'a>> {
        let algorithm = self.owners.file(file.id, self.databases)?.wanted_algorithm()?;
        Some(Box::new(Comparison { checksums: self, hasher: ContentHasher::new(algorithm)?, bytes: 0 }))
    }
}

struct Comparison<'a> {
    checksums: &'a Checksums<'a>,
    hasher: ContentHasher,
    bytes: u64,
}

impl Stream for Comparison<'_> {
    fn feed(&mut self, bytes: &[u8]) {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
    }

    fn finish(self: Box<Self>, file: &File<'_>, output: &mut Output) -> Result<(), AnalyzeError> {
        let checksums = self.checksums;
        let (Some(owned), Some(package)) =
            (checksums.owners.file(file.id, checksums.databases), checksums.owners.package(file.id))
        else {
            return Ok(());
        };
        let digests: Vec<_> = self.hasher.finish().into_iter().collect();
        let change = owned.change(&Actual::File { size_bytes: self.bytes, digests: &digests });
        let name = checksums.databases.packages.get(package).map_or("", |package| package.name.as_str());
        output.modified_files.extend(change.map(|change| {
            let mut report = change.report(owned, name);
            report.path = checksums.index.path_text(file.id);
            report
        }));
        Ok(())
    }
}
