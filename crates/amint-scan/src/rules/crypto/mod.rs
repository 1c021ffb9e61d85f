//! Cryptography: policies, what servers speak, and whom the image trusts.

mod old_authorities;
mod policies;
mod server_tls;
mod trusted_authorities;
mod weakness;

use old_authorities::OldAuthorities;
use policies::Policies;
use server_tls::ServerTls;
use trusted_authorities::TrustedAuthorities;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Policies,           // CRY-001
    &ServerTls,          // CRY-002
    &TrustedAuthorities, // CRY-003
    &OldAuthorities,     // CRY-004
];
