//! Who may do what through sudo, as sudo itself would read it.
//!
//! Follows the grammar of `sudoers(5)`: aliases of all four kinds, `Defaults` with their scopes, includes with
//! their skipping rules, continued lines, escapes, run-as lists, tags, negation, groups, ids, netgroups and
//! digests. Checked against `cvtsudoers` by a test. Sources in LDAP or SSSD are not read.

mod answer;
#[cfg(test)]
mod differential;
mod grammar;
mod lines;
mod model;
mod reader;
mod scanner;

pub(crate) use answer::{Grant, Identity};
pub(crate) use model::Sudoers;

/// The main file.
pub(crate) const MAIN: &str = "/etc/sudoers";
