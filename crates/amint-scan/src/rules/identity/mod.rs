//! What must differ between any two instances, and must not tell of the builder.

mod generated_keys;
mod host_name;
mod machine_id;
mod random_seeds;
mod registrations;
mod resolver;

use generated_keys::GeneratedKeys;
use host_name::HostName;
use machine_id::MachineId;
use random_seeds::RandomSeeds;
use registrations::Registrations;
use resolver::Resolver;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &MachineId,     // SEC-008
    &GeneratedKeys, // SEC-009
    &RandomSeeds,   // SEC-013
    &HostName,      // SEC-014
    &Resolver,      // SEC-015
    &Registrations, // SEC-018
];
