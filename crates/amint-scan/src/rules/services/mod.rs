//! Services that an instance cannot do without.

mod cloud_init;

use cloud_init::CloudInit;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &CloudInit, // SVC-004
];
