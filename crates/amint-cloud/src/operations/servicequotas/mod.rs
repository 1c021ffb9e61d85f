//! Service Quotas: those of EC2 and EBS that making images meets, with AWS's defaults. A higher one is granted at once. The
//! endpoint itself does not count images.

mod get_service_quota;
mod list_service_quotas;
mod request_service_quota_increase;

pub(super) use get_service_quota::{get_aws_default_service_quota, get_service_quota};
pub(super) use list_service_quotas::list_service_quotas;
pub(super) use request_service_quota_increase::request_service_quota_increase;

use serde_json::{Value, json};

use crate::operations::Call;
use crate::protocol::Fault;
use crate::records::Quota;

/// A quota as AWS has it at first.
struct Default {
    service: &'static str,
    code: &'static str,
    name: &'static str,
    value: u32,
}

/// Sources: "AMI quotas" in the EC2 user guide, and "Amazon EBS endpoints and quotas" in the AWS General Reference.
const DEFAULTS: [Default; 4] = [
    Default { service: "ec2", code: "L-B665C33B", name: "AMIs", value: 50_000 },
    Default { service: "ec2", code: "L-0E3CBAB9", name: "Public AMIs", value: 5 },
    Default { service: "ebs", code: "L-309BACF6", name: "Snapshots per Region", value: 100_000 },
    Default {
        service: "ebs",
        code: "L-AFAE1BE8",
        name: "PutSnapshotBlock requests per account",
        value: 1000,
    },
];

fn find(service: &str, code: &str) -> Result<&'static Default, Fault> {
    DEFAULTS.iter().find(|quota| quota.service == service && quota.code == code).ok_or_else(|| {
        let message = "The request failed because the specified quota does not exist.";
        Fault::client("NoSuchResourceException", message)
    })
}

/// Writes a quota, with the value that was granted where that is asked for.
fn quota(call: &Call<'_>, default: &Default, is_applied: bool) -> Value {
    let key = Quota::key(call.account(), call.region, default.code);
    let granted = call.tables().quotas.get(&key).map(|quota| quota.value);
    let service = if default.service == "ec2" {
        "Amazon Elastic Compute Cloud (Amazon EC2)"
    } else {
        "Amazon Elastic Block Store (Amazon EBS)"
    };
    let arn = format!(
        "arn:aws:servicequotas:{}:{}:{}/{}",
        call.region,
        call.account(),
        default.service,
        default.code
    );
    json!({
        "ServiceCode": default.service, "ServiceName": service, "QuotaArn": arn, "QuotaCode": default.code,
        "QuotaName": default.name, "Unit": "None", "Adjustable": true, "GlobalQuota": false,
        "Value": f64::from(granted.filter(|_| is_applied).unwrap_or(default.value)),
    })
}
