//! Reading whatever package databases an image has.

use std::path::PathBuf;

use amint_packages::purl::Distribution;
use amint_packages::{OwnedFile, Problems};
use amint_types::scan::{AnalyzerRun, AnalyzerStatus, ScannedPackage};

use amint_disk::tree::{FileTree, TreeError};
use amint_packages::dpkg::Status;

use super::{apk, dpkg, rpm};
use crate::error::chain;

/// What is noted of an analyzer that the user left out.
pub const NOT_ASKED: &str = "not asked";
/// How many problems of one database are told.
const PROBLEMS_TOLD: usize = 5;

/// What only the database itself tells of a package.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackageDetails {
    /// dpkg: what it is about, behind the part of the archive that it is of: `non-free/libs`.
    pub section: Option<String>,
    /// dpkg: what is wanted of it, and how far it is installed.
    pub status: Option<Status>,
    /// dpkg: whether every system must have it.
    pub is_essential: bool,
}

/// The packages of one database.
#[derive(Debug, Default)]
pub struct SystemPackages {
    /// The packages.
    pub packages: Vec<ScannedPackage>,
    /// What else is known of each package, by its place in `packages`.
    pub details: Vec<PackageDetails>,
    /// The files of each package, by its place in `packages`.
    pub files: Vec<Vec<OwnedFile>>,
    /// Where the database lies; empty when there is none.
    pub path: String,
    /// How many files were read.
    pub file_count: u64,
    /// What could not be read or understood.
    pub problems: Vec<String>,
}

impl SystemPackages {
    pub(super) fn tell(&mut self, path: &str, problems: &Problems) {
        let told = self.problems.len();
        self.problems.extend(problems.iter().map(|problem| format!("{path}: {problem}")));
        self.problems.truncate(told + PROBLEMS_TOLD);
        let more = problems.count().saturating_sub((self.problems.len() - told) as u64);
        if more > 0 {
            self.problems.push(format!("{path}: and {more} more"));
        }
    }

    /// Reads a file of a database; none when there is none, and when it cannot be read, which is then told.
    pub(super) fn content(&mut self, tree: &dyn FileTree, path: &str, limit_bytes: u64) -> Option<Vec<u8>> {
        let bytes = tree.read(path.as_ref(), limit_bytes);
        let bytes = self.told(path, bytes)?;
        self.file_count += 1;
        Some(bytes)
    }

    /// Lists the names in a folder of a database; those that are no text are of no database.
    pub(super) fn names(&mut self, tree: &dyn FileTree, path: &str) -> Vec<String> {
        let entries = self.told(path, tree.read_dir(path.as_ref())).unwrap_or_default();
        entries.into_iter().filter_map(|entry| entry.name.into_string().ok()).collect()
    }

    /// Returns what a path leads to; none where nothing is.
    pub(super) fn place(&mut self, tree: &dyn FileTree, path: &str) -> Option<PathBuf> {
        self.told(path, tree.resolve(path.as_ref()))
    }

    fn told<T>(&mut self, path: &str, result: Result<T, TreeError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) if error.is_missing() => None,
            Err(error) => {
                self.problems.push(format!("{path}: {}", chain(&error)));
                None
            }
        }
    }

    fn run(&self, id: &str) -> AnalyzerRun {
        let status = match (self.path.is_empty(), self.problems.is_empty()) {
            (true, true) => AnalyzerStatus::Skipped,
            (_, true) => AnalyzerStatus::Ran,
            _ => AnalyzerStatus::Partial,
        };
        AnalyzerRun {
            id: id.to_owned(),
            version: 1,
            status,
            files: self.file_count,
            notes: self.problems.iter().take(2 * PROBLEMS_TOLD).cloned().collect(),
        }
    }
}

/// Makes the record of an analyzer that the user left out.
pub fn not_asked(id: &str, version: u32) -> AnalyzerRun {
    AnalyzerRun {
        id: id.to_owned(),
        version,
        status: AnalyzerStatus::Skipped,
        files: 0,
        notes: vec![NOT_ASKED.to_owned()],
    }
}

/// All databases of an image together.
#[derive(Debug, Default)]
pub struct Databases {
    /// The packages.
    pub packages: Vec<ScannedPackage>,
    /// What else is known of each package, by its place in `packages`.
    pub details: Vec<PackageDetails>,
    /// The files of each package, by its place in `packages`.
    pub files: Vec<Vec<OwnedFile>>,
    /// How each reader fared.
    pub runs: Vec<AnalyzerRun>,
}

/// Reads one kind of database.
type Read = fn(&dyn FileTree, &Distribution) -> SystemPackages;

/// The readers, each with the id of its analyzer.
const READERS: [(&str, Read); 3] = [("dpkg", dpkg::read), ("rpm", rpm::read), ("apk", apk::read)];

/// Reads the databases of dpkg, rpm and apk, as far as there are any, without those that are `skipped`.
pub fn read_databases(tree: &dyn FileTree, distribution: &Distribution, skipped: &[String]) -> Databases {
    let mut all = Databases::default();
    for (id, read) in READERS {
        if skipped.iter().any(|skipped| skipped == id) {
            all.runs.push(not_asked(id, 1));
            continue;
        }
        let system = read(tree, distribution);
        all.runs.push(system.run(id));
        all.packages.extend(system.packages);
        all.details.extend(system.details);
        all.files.extend(system.files);
    }
    all
}
