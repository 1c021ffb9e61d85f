//! What starts, as rules of this family ask for it.

use amint_types::scan::Service;

use crate::facts::units;
use crate::system::services;
use crate::{CheckError, Context};

/// What starts by itself.
pub(in crate::rules) struct Started(pub(in crate::rules) Vec<Service>);

impl Started {
    /// Gathers it.
    pub(in crate::rules) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        services(cx).map(Self)
    }

    /// Tells whether one of these units starts.
    pub(in crate::rules) fn has(&self, names: &[&str]) -> bool {
        self.0.iter().any(|service| names.iter().any(|name| is_same(&service.name, name)))
    }
}

/// Tells whether a service is the unit of a name, or an instance of it; scripts have no kind.
fn is_same(service: &str, name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let is_instance =
        name.split_once("@.").is_some_and(|(prefix, _)| service.starts_with(&format!("{prefix}@")));
    service == name || service == stem || is_instance
}

/// Tells whether a daemon may start: one of its units does, or none of them is known, so that nothing speaks against it.
pub(in crate::rules) fn may_start(cx: &Context<'_>, names: &[&str]) -> Result<bool, CheckError> {
    if cx.fact(Started::load)?.has(names) {
        return Ok(true);
    }
    for name in names {
        if units::path_of(cx, name)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}
