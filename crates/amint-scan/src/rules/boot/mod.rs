//! Whether the image starts on EC2 and grows with its volume.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[];
