//! What the kernel is told at boot.

mod sysctl;
mod unused_modules;

pub(super) use sysctl::Sysctl;
pub(super) use unused_modules::UnusedModules;
