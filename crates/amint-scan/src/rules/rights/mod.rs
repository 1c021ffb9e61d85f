//! What needs the right to be sold.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[];
