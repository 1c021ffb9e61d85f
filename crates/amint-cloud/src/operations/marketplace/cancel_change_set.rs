use serde_json::{Value, json};

use super::describe_change_set::Request;
use super::settle::settle;
use super::{check_catalog, own, read};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::{ChangeOutcome, ChangeSet};

/// Gives up a change set that is not applied yet.
pub(crate) fn cancel_change_set(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    check_catalog(&request.catalog)?;
    settle(call)?;
    call.world.state.change(|change| {
        let set = ChangeSet::clone(own(call, change.tables(), &request.change_set_id)?);
        let status = set.status(call.now);
        if status != "PREPARING" {
            let message = format!("The change set {} is {status}, and cannot be cancelled.", set.id);
            return Err(Fault::client("ResourceInUseException", message).with_status(423));
        }
        let told = json!({ "ChangeSetId": set.id, "ChangeSetArn": set.arn() });
        change.put(ChangeSet { outcome: Some(ChangeOutcome::Cancelled), ends: call.now, ..set });
        Ok(told)
    })
}
