//! What runs that nobody declared: foreign code, and the marks of malware.

mod malware;
mod programs;
mod unmanaged;
mod web_shells;

use malware::Malware;
use unmanaged::Unmanaged;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Unmanaged, // VUL-005
    &Malware,   // VUL-008
];
