//! The tables of kinds that are known anywhere, by what they belong to.
//!
//! Forms are those of the providers' public manuals; where a provider's tokens have no form of their own, the name they
//! are assigned to must tell.

mod artificial_intelligence;
mod cloud;
mod delivery;
mod hosting;
mod keys;
mod messaging;
mod passwords;
mod payments;
mod services;

use crate::kind::Kind;

/// All tables.
pub(crate) const ALL: [&[Kind]; 9] = [
    cloud::KINDS,
    keys::KINDS,
    passwords::KINDS,
    hosting::KINDS,
    delivery::KINDS,
    messaging::KINDS,
    payments::KINDS,
    artificial_intelligence::KINDS,
    services::KINDS,
];
