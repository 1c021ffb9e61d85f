//! What a build leaves behind.

mod cloud_init_state;
mod histories;
mod logs;
mod package_caches;
mod temporary_files;

pub(super) use cloud_init_state::CloudInitState;
pub(super) use histories::Histories;
pub(super) use logs::Logs;
pub(super) use package_caches::PackageCaches;
pub(super) use temporary_files::TemporaryFiles;
