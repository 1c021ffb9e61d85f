use serde_json::Value;

use super::{check_unlocked, own};
use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::RetentionRule;

/// Removes a rule. What it holds back stays until its time is over.
pub(super) fn delete_rule(call: &Call<'_>, id: &str) -> Result<(u16, Option<Value>), Fault> {
    call.world.state.change::<_, Fault>(|change| {
        check_unlocked(call, own(call, change, id)?.as_ref())?;
        change.remove::<RetentionRule>(id);
        Ok(())
    })?;
    Ok((204, None))
}
