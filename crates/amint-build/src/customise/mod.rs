//! What the recipe adds to the packages: files, steps, services.

mod files;
mod run;
mod services;

pub(crate) use files::copy_files;
pub(crate) use run::Steps as RunSteps;
pub(crate) use services::set_services;
