//! What the kernel is told at boot.

mod sysctl;
mod unused_modules;

pub(crate) use sysctl::WANTED as KERNEL_SETTINGS;
pub(crate) use unused_modules::MODULES as UNUSED_MODULES;

use sysctl::Sysctl;
use unused_modules::UnusedModules;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Sysctl,        // KRN-001
    &UnusedModules, // KRN-002
];
