//! Files as such: modes, owners, mounts.

mod permissions;
mod stable_device_names;

use permissions::Permissions;
use stable_device_names::StableDeviceNames;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Permissions,       // FS-003
    &StableDeviceNames, // FS-004
];
