use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{check_state, invalid, own};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::KmsKey;

/// For how many days a key is pending deletion.
const WINDOW_DAYS: std::ops::RangeInclusive<i64> = 7..=30;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct One {
    key_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Schedule {
    key_id: String,
    pending_window_in_days: Option<i64>,
}

/// Makes a key usable.
pub(crate) fn enable_key(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    switch(call, body, true)
}

/// Makes a key unusable for now.
pub(crate) fn disable_key(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    switch(call, body, false)
}

fn switch(call: &Call<'_>, body: &[u8], is_enabled: bool) -> Result<Value, Fault> {
    let request: One = read(body)?;
    call.world.state.change(|change| {
        let key = own(call, change, &request.key_id)?;
        check_state(&key)?;
        change.put(KmsKey { is_enabled, ..key });
        Ok::<_, Fault>(())
    })?;
    Ok(json!({}))
}

/// Lets a key go after some days.
pub(crate) fn schedule_key_deletion(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Schedule = read(body)?;
    let days = request.pending_window_in_days.unwrap_or(*WINDOW_DAYS.end());
    if !WINDOW_DAYS.contains(&days) {
        return Err(invalid("PendingWindowInDays has to be between 7 and 30"));
    }
    let deletion = call.world.clock().after(call.now, SignedDuration::from_hours(24 * days));
    let arn = call.world.state.change(|change| {
        let key = own(call, change, &request.key_id)?;
        check_state(&key)?;
        let arn = key.arn();
        change.put(KmsKey { deletion: Some(deletion), is_enabled: false, ..key });
        Ok::<_, Fault>(arn)
    })?;
    Ok(json!({
        "KeyId": arn,
        "DeletionDate": deletion.as_second(),
        "KeyState": "PendingDeletion",
        "PendingWindowInDays": days,
    }))
}

/// Keeps a key that was to go; it stays disabled.
pub(crate) fn cancel_key_deletion(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: One = read(body)?;
    let arn = call.world.state.change(|change| {
        let key = own(call, change, &request.key_id)?;
        let arn = key.arn();
        if key.deletion.is_none() {
            return Err(Fault::client("KMSInvalidStateException", format!("{arn} is not pending deletion.")));
        }
        change.put(KmsKey { deletion: None, ..key });
        Ok(arn)
    })?;
    Ok(json!({ "KeyId": arn }))
}
