//! What must differ between any two instances, and must not tell of the builder.

mod host_name;
mod machine_id;
mod random_seeds;
mod registrations;
mod resolver;

pub(super) use host_name::HostName;
pub(super) use machine_id::MachineId;
pub(super) use random_seeds::RandomSeeds;
pub(super) use registrations::Registrations;
pub(super) use resolver::Resolver;
