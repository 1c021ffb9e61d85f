//! Packages as such: their state, their sources, their files, and how long they are supported.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[];
