//! What runs that nobody declared: back doors, telemetry, foreign code.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[];
