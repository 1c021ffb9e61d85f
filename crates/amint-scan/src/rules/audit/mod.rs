//! What an instance writes down, what it tells strangers, and what confines its programs.

mod access_control;
mod banners;
mod trail;

use access_control::AccessControl;
use banners::Banners;
use trail::Trail;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Trail,         // AUD-001
    &Banners,       // BAN-001
    &AccessControl, // MAC-001
];
