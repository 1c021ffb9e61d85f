//! Services: those that an instance cannot do without, and those that it should do without.

mod cloud_init;
mod declared_ports;
mod open_listeners;
mod reporting;
mod sandboxing;
mod scheduled;
pub(in crate::rules) mod started;
mod time;
mod tunnels;
mod unneeded;

use cloud_init::CloudInit;
use declared_ports::DeclaredPorts;
use open_listeners::OpenListeners;
use reporting::Reporting;
use sandboxing::Sandboxing;
use scheduled::Scheduled;
use time::TimeKeeping;
use tunnels::Tunnels;
use unneeded::Unneeded;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &DeclaredPorts, // SVC-001
    &Unneeded,      // SVC-002
    &OpenListeners, // SVC-003
    &CloudInit,     // SVC-004
    &Reporting,     // SVC-005
    &Tunnels,       // SVC-006
    &Scheduled,     // SVC-007
    &TimeKeeping,   // SVC-008
    &Sandboxing,    // SVC-009
];
