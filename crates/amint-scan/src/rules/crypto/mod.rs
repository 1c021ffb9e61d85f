//! Which ciphers, certificates and authorities the system trusts.

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[];
