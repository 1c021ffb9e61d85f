//! What the kernel is told at boot.

mod command_line;
mod sysctl;
mod unused_modules;

pub(crate) use sysctl::WANTED as KERNEL_SETTINGS;
pub(crate) use unused_modules::MODULES as UNUSED_MODULES;

use command_line::CommandLine;
use sysctl::Sysctl;
use unused_modules::UnusedModules;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Sysctl,        // KRN-001
    &UnusedModules, // KRN-002
    &CommandLine,   // KRN-003
];
