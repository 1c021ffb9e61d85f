//! Files as such: modes, owners, mounts.

mod attributes;
mod permissions;
mod privileged_programs;
mod stable_device_names;
mod writable_by_others;

use attributes::Attributes;
use permissions::Permissions;
use privileged_programs::PrivilegedPrograms;
use stable_device_names::StableDeviceNames;
use writable_by_others::WritableByOthers;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &PrivilegedPrograms, // FS-001
    &WritableByOthers,   // FS-002
    &Permissions,        // FS-003
    &StableDeviceNames,  // FS-004
    &Attributes,         // SEC-012
];
