//! One call of an operation: who asks, where and when.

use std::sync::{Arc, RwLockReadGuard};

use jiff::Timestamp;

use super::Caller;
use crate::protocol::{Fault, Params};
use crate::records::{Tables, Token};
use crate::state::{Change, StateError};
use crate::world::World;

/// Who asks, where and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) world: &'a Arc<World>,
    pub(crate) caller: &'a Caller,
    pub(crate) region: &'a str,
    pub(crate) now: Timestamp,
    /// The operation's name.
    pub(crate) operation: &'static str,
    /// Whether only the permission is asked for (`DryRun`).
    pub(crate) is_dry: bool,
}

impl<'a> Call<'a> {
    /// Returns the account of whoever asks.
    pub(crate) fn account(&self) -> &'a str {
        &self.caller.account
    }

    /// Returns the tables to be read. Operations that tell what there is may be told late (`--chaos consistency=…`).
    pub(crate) fn tables(&self) -> RwLockReadGuard<'a, Tables> {
        if is_reading(self.operation) { self.world.state.read_late() } else { self.world.state.read() }
    }

    /// Tells whether a record of an account and a region is one of whoever asks.
    pub(crate) fn owns(&self, account: &str, region: &str) -> bool {
        self.account() == account && self.region == region
    }

    /// Changes the tables: wholly, or not at all. Nothing happens when a parameter was not asked for by then, or when
    /// this is a dry run: read all parameters before, or in, `edit`.
    pub(crate) fn change<T>(
        &self,
        params: &Params,
        edit: impl FnOnce(&mut Change<'_>) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.world.state.change(|change| {
            let result = edit(change)?;
            params.finish()?;
            if self.is_dry {
                return Err(dry_run());
            }
            Ok(result)
        })
    }

    /// Makes something once for each `ClientToken`: asked again, nothing is made, and the id of what was made before
    /// is returned. Without a token it is always made.
    pub(crate) fn make_once(
        &self,
        change: &mut Change<'_>,
        params: &Params,
        make: impl FnOnce(&mut Change<'_>) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let Some(token) = params.get("ClientToken") else { return make(change) };
        let parameters = params.digest(&["ClientToken", "DryRun"]);
        self.make_once_with(change, token, parameters, make)
    }

    /// As [`make_once`](Self::make_once), for requests whose token and parameters are no list of names and values.
    pub(crate) fn make_once_with(
        &self,
        change: &mut Change<'_>,
        token: &str,
        parameters: String,
        make: impl FnOnce(&mut Change<'_>) -> Result<String, Fault>,
    ) -> Result<String, Fault> {
        let key = format!("{}/{}/{}/{token}", self.account(), self.region, self.operation);
        if let Some(known) = change.get::<Token>(&key) {
            if known.parameters != parameters {
                let message =
                    "The request uses the same client token as a previous, but non-identical request.";
                return Err(Fault::client("IdempotentParameterMismatch", message));
            }
            return Ok(known.resource.clone());
        }
        let resource = make(change)?;
        change.put(Token { key, parameters, resource: resource.clone(), created: self.now });
        Ok(resource)
    }
}

/// Tells by its name whether an operation changes nothing.
pub(crate) fn is_reading(operation: &str) -> bool {
    const READING: [&str; 6] = ["BatchGet", "Describe", "Get", "List", "Lookup", "Simulate"];
    READING.iter().any(|verb| operation.starts_with(verb))
}

/// Says that a dry run would have succeeded.
pub(crate) fn dry_run() -> Fault {
    Fault::client("DryRunOperation", "Request would have succeeded, but DryRun flag is set.").with_status(412)
}

impl From<StateError> for Fault {
    fn from(_: StateError) -> Self {
        Self::internal()
    }
}
