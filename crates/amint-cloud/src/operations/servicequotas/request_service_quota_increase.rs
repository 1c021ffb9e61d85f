use serde::Deserialize;
use serde_json::{Value, json};

use super::{find, quota};
use crate::operations::Call;
use crate::operations::json::read;
use crate::protocol::Fault;
use crate::records::Quota;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Request {
    service_code: String,
    quota_code: String,
    desired_value: f64,
}

/// Grants a higher quota, at once.
pub(crate) fn request_service_quota_increase(call: &Call<'_>, body: &[u8]) -> Result<Value, Fault> {
    let request: Request = read(body)?;
    let default = find(&request.service_code, &request.quota_code)?;
    let has = quota(call, default, true)["Value"].as_f64().unwrap_or_default();
    if !(request.desired_value > has && request.desired_value <= f64::from(u32::MAX)) {
        let message = "Invalid input: the desired value is not greater than the current one";
        return Err(Fault::client("IllegalArgumentException", message));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
    let value = request.desired_value as u32;
    let key = Quota::key(call.account(), call.region, default.code);
    call.world.state.change(|change| {
        change.put(Quota { key: key.clone(), value });
        Ok::<_, Fault>(())
    })?;
    let told = quota(call, default, true);
    Ok(json!({ "RequestedQuota": {
        "Id": hex::encode(key.as_bytes()), "ServiceCode": default.service, "ServiceName": told["ServiceName"],
        "QuotaCode": default.code, "QuotaName": default.name, "DesiredValue": request.desired_value,
        "Status": "APPROVED", "Created": call.now.as_second(), "LastUpdated": call.now.as_second(),
        "QuotaArn": told["QuotaArn"], "GlobalQuota": false, "Unit": "None",
    } }))
}
