//! What an image needs to start as an instance, and to fill its volume.

mod drivers;
mod encryption;
mod growth;

use drivers::Drivers;
use encryption::Encryption;
use growth::Growth;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Encryption, // FS-005
    &Growth,     // FS-006
    &Drivers,    // FS-007
];
