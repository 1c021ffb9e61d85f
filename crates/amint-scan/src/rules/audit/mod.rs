//! What an instance writes down, and what confines its programs.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[];
