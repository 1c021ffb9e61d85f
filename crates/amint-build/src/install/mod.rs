//! Installing packages without dpkg on this machine.
//!
//! Package files are checked against what they should be, unpacked in parallel straight into a tree, and recorded in
//! the tree's package database as unpacked: what `dpkg --unpack` would leave where no package has a `preinst`. The
//! tree's own dpkg configures them afterwards (`dpkg --configure -a`).
//!
//! Scripts are not run here: not those that run before unpacking, either.

mod database;
mod diversions;
mod error;
mod folders;
mod owners;
mod package;
mod unpack;

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use amint_types::{Cancel, EventSink};

pub use error::InstallError;
pub use package::PackageToInstall;

use database::Database;
use package::Candidate;
use unpack::Unpacker;

/// What unpacking gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnpackedTree {
    /// The newest modification time among the packages' files, in seconds since 1970.
    pub newest: i64,
}

/// Unpacks packages into a tree and records them as unpacked, telling progress as events of `step`.
pub fn unpack(
    packages: &[PackageToInstall],
    tree: &Path,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<UnpackedTree, InstallError> {
    let mut candidates = Vec::with_capacity(packages.len());
    for package in packages {
        cancel.check()?;
        candidates.push(Candidate::open(package)?);
    }
    let unpacker = Unpacker::new(tree, &candidates)?;
    let total = u64::try_from(packages.len()).unwrap_or(u64::MAX);
    let count = AtomicU64::new(0);
    let done = |index: usize| {
        let number = count.fetch_add(1, Ordering::Relaxed) + 1;
        sink.step_progress(step, number, Some(total), Some(&candidates[index].name));
    };
    // What brings the links of merged /usr has to be there before what is unpacked through them.
    let (first, rest): (Vec<usize>, Vec<usize>) =
        (0..candidates.len()).partition(|index| candidates[*index].name == "base-files");
    let mut results = unpacker.unpack(&first, &done, cancel)?;
    results.extend(unpacker.unpack(&rest, &done, cancel)?);
    results.sort_by_key(|(index, _)| *index);
    let database = Database::open(tree)?;
    database.record(&candidates, &results, unpacker.owners().take_lost())?;
    let newest = results.iter().map(|(_, result)| result.newest).max().unwrap_or_default();
    Ok(UnpackedTree { newest })
}

#[cfg(test)]
mod tests;
