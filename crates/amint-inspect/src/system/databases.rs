//! Reading whatever package databases an image has.

use amint_packages::purl::Distribution;
use amint_packages::{OwnedFile, Problems};
use amint_types::scan::{AnalyzerRun, AnalyzerStatus, ScannedPackage};

use super::{apk, dpkg, rpm};
use crate::index::Index;

/// What is noted of an analyzer that the user left out.
pub(crate) const NOT_ASKED: &str = "not asked";
/// How many problems of one database are told.
const PROBLEMS_TOLD: usize = 5;

/// The packages of one database.
#[derive(Debug, Default)]
pub struct SystemPackages {
    /// The packages.
    pub packages: Vec<ScannedPackage>,
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
pub(crate) fn not_asked(id: &str, version: u32) -> AnalyzerRun {
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
    /// The files of each package, by its place in `packages`.
    pub files: Vec<Vec<OwnedFile>>,
    /// How each reader fared.
    pub runs: Vec<AnalyzerRun>,
}

/// Reads one kind of database.
type Read = fn(&Index, &Distribution) -> SystemPackages;

/// The readers, each with the id of its analyzer.
const READERS: [(&str, Read); 3] = [("dpkg", dpkg::read), ("rpm", rpm::read), ("apk", apk::read)];

/// Reads the databases of dpkg, rpm and apk, as far as there are any, without those that are `skipped`.
pub fn read_databases(index: &Index, distribution: &Distribution, skipped: &[String]) -> Databases {
    let mut all = Databases::default();
    for (id, read) in READERS {
        if skipped.iter().any(|skipped| skipped == id) {
            all.runs.push(not_asked(id, 1));
            continue;
        }
        let system = read(index, distribution);
        all.runs.push(system.run(id));
        all.packages.extend(system.packages);
        all.files.extend(system.files);
    }
    all
}
