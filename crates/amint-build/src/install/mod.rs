//! Installing packages without dpkg on this machine.
//!
//! Package files are checked against what they should be, unpacked in parallel straight into a tree, and recorded in
//! the tree's package database as unpacked: what `dpkg --unpack` would leave. Scripts that run before unpacking run in
//! groups, so that what they divert is diverted; the tree's own dpkg configures everything in one go at the end.

mod database;
mod diversions;
mod error;
pub(crate) mod folders;
mod order;
mod owners;
mod package;
mod scripts;
mod unpack;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use amint_types::{Cancel, EventSink};

pub use error::InstallError;
pub use package::PackageToInstall;

use database::Database;
use order::{Groups, groups};
use package::Candidate;
use scripts::{Scripts, may_defer_certificates};
use unpack::{Unpacked, Unpacker};

use crate::parallel;

/// What unpacking gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackedTree {
    /// The newest modification time among the packages' files, in seconds since 1970.
    pub newest: i64,
}

/// How packages are installed.
#[derive(Clone, Copy, Debug)]
pub struct InstallOptions<'a> {
    /// Whether the tree is empty and the packages are its base.
    pub is_base: bool,
    /// A private folder beside the tree.
    pub work: &'a Path,
    /// Seconds since 1970 that scripts should take for the present.
    pub source_epoch: i64,
}

/// What installing gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The newest modification time among the packages' files, in seconds since 1970.
    pub newest: i64,
    /// How long configuring took by package, the longest first.
    pub configured: Vec<(String, Duration)>,
}

/// Installs packages into a tree: unpacks them, runs their scripts in the sandbox, and leaves them configured.
pub fn install(
    packages: &[PackageToInstall],
    tree: &Path,
    options: InstallOptions<'_>,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<Installed, InstallError> {
    let candidates = open(packages, cancel)?;
    let InstallOptions { is_base, work, source_epoch } = options;
    let defers_certificates = may_defer_certificates(&candidates);
    let scripts = Scripts { tree, work, source_epoch, step, sink, cancel, defers_certificates };
    let Groups { first, later } = groups(&candidates, is_base);
    let mut run = Run::new(&candidates, tree, step, sink, cancel)?;
    let mut newest = run.unpack(&first)?;
    scripts.before_unpacking(&candidates, &first)?;
    for group in &later {
        run.database.record_scripts(&candidates, group)?;
        scripts.before_unpacking(&candidates, group)?;
        newest = newest.max(run.unpack(group)?);
    }
    let configured = scripts.configure(is_base)?;
    Ok(Installed { newest, configured })
}

/// Unpacks packages into a tree and records them as unpacked, telling progress as events of `step`; runs no script.
pub fn unpack(
    packages: &[PackageToInstall],
    tree: &Path,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<UnpackedTree, InstallError> {
    let candidates = open(packages, cancel)?;
    let all: Vec<usize> = (0..candidates.len()).collect();
    let newest = Run::new(&candidates, tree, step, sink, cancel)?.unpack(&all)?;
    Ok(UnpackedTree { newest })
}

/// Checks all package files and reads their control files, on all processors.
fn open(packages: &[PackageToInstall], cancel: &Cancel) -> Result<Vec<Candidate>, InstallError> {
    parallel::each(
        packages.len(),
        || (),
        |(), index| {
            cancel.check()?;
            Candidate::open(&packages[index])
        },
    )
}

/// The packages on their way into a tree.
struct Run<'a> {
    candidates: &'a [Candidate],
    unpacker: Unpacker<'a>,
    database: Database,
    count: AtomicU64,
    tree: &'a Path,
    step: &'a str,
    sink: &'a dyn EventSink,
    cancel: &'a Cancel,
}

impl<'a> Run<'a> {
    fn new(
        candidates: &'a [Candidate],
        tree: &'a Path,
        step: &'a str,
        sink: &'a dyn EventSink,
        cancel: &'a Cancel,
    ) -> Result<Self, InstallError> {
        let unpacker = Unpacker::new(tree, candidates)?;
        let database = Database::new(tree);
        Ok(Self { candidates, unpacker, database, count: AtomicU64::new(0), tree, step, sink, cancel })
    }

    /// Unpacks some of the packages and records them; returns the newest time among their files.
    fn unpack(&mut self, indexes: &[usize]) -> Result<i64, InstallError> {
        self.unpacker.read_diversions(self.tree)?;
        let total = u64::try_from(self.candidates.len()).unwrap_or(u64::MAX);
        let done = |index: usize| {
            let number = self.count.fetch_add(1, Ordering::Relaxed) + 1;
            self.sink.step_progress(self.step, number, Some(total), Some(&self.candidates[index].name));
        };
        // What brings the links of merged /usr has to be there before what is unpacked through them.
        let (first, rest): (Vec<usize>, Vec<usize>) =
            indexes.iter().partition(|index| self.candidates[**index].name == "base-files");
        let mut results: Vec<(usize, Unpacked)> = self.unpacker.unpack(&first, &done, self.cancel)?;
        results.extend(self.unpacker.unpack(&rest, &done, self.cancel)?);
        results.sort_by_key(|(index, _)| *index);
        self.database.make()?;
        self.database.record(self.candidates, &results, self.unpacker.owners().take_lost())?;
        Ok(results.iter().map(|(_, result)| result.newest).max().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests;
