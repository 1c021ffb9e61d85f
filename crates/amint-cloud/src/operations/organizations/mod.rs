//! Organizations: tag policies of the one organization that all accounts of the endpoint are in. Its root is `r-amnt`; there
//! are no units. Nothing is enforced: policies are kept, and what holds for an account is told.

mod attachments;
mod describe_effective_policy;
mod policies;

pub(super) use attachments::{attach_policy, detach_policy};
pub(super) use describe_effective_policy::describe_effective_policy;
pub(super) use policies::{create_policy, delete_policy, describe_policy, list_policies};

use std::sync::Arc;

use crate::protocol::Fault;
use crate::records::{OrganizationPolicy, Tables};

/// The root of the organization.
const ROOT: &str = "r-amnt";
/// The one kind of policies that is served.
const TAG_POLICY: &str = "TAG_POLICY";

fn find(tables: &Tables, id: &str) -> Result<Arc<OrganizationPolicy>, Fault> {
    tables.organization_policies.get(id).cloned().ok_or_else(|| {
        Fault::client(
            "PolicyNotFoundException",
            "We can't find a policy with the PolicyId that you specified.",
        )
    })
}

/// Refuses kinds of policies that are not served.
fn check_kind(kind: &str) -> Result<(), Fault> {
    if kind == TAG_POLICY {
        return Ok(());
    }
    Err(invalid_input(format!("Policies of the type {kind} are not supported here")))
}

fn invalid_input(message: impl Into<String>) -> Fault {
    Fault::client("InvalidInputException", message)
}
