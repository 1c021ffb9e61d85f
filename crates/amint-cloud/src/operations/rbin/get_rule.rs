use serde_json::Value;

use super::{describe, not_found};
use crate::operations::Call;
use crate::protocol::Fault;

/// Tells all about a rule.
pub(super) fn get_rule(call: &Call<'_>, id: &str) -> Result<(u16, Option<Value>), Fault> {
    let rule = call.tables().retention_rules.get(id).cloned();
    let rule = rule.filter(|rule| call.owns(&rule.account, &rule.region)).ok_or_else(not_found)?;
    Ok((200, Some(describe(call, &rule))))
}
