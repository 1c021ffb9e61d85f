//! What a build leaves behind.

mod cloud_init_state;
mod histories;
mod logs;
mod package_caches;
mod temporary_files;

use cloud_init_state::CloudInitState;
use histories::Histories;
use logs::Logs;
use package_caches::PackageCaches;
use temporary_files::TemporaryFiles;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Histories,      // SEC-005
    &Logs,           // SEC-006
    &CloudInitState, // SEC-007
    &PackageCaches,  // SEC-016
    &TemporaryFiles, // SEC-017
];
