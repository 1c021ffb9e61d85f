//! Packages as such: their state, their sources, their files, and how long they are supported.

mod clean;
mod kernel;
mod runtimes;
mod unsupported;
mod updates;

use clean::CleanPackages;
use kernel::NewestKernel;
use runtimes::SupportedRuntimes;
use unsupported::SupportedPackages;
use updates::UpdatePolicy;

use crate::Rule;

pub(in crate::rules) use clean::is_own_suite;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &NewestKernel,      // VUL-003
    &CleanPackages,     // VUL-007
    &UpdatePolicy,      // VUL-009
    &SupportedRuntimes, // EOL-002
    &SupportedPackages, // EOL-003
];
