//! What a plan costs, about, and how long it takes.

use amint_store::{OperationRecord, OperationState, Store, StoreError};
use serde::Serialize;
use serde_json::Value;

use crate::plan::{Action, Plan};

/// The price of a block that is written, in US dollars (`PutSnapshotBlock`; "Pricing for EBS direct APIs", EBS user guide).
const PUT: f64 = 0.006 / 1000.0;
/// The price of a GiB of a snapshot for a month (EBS user guide, "Pricing and billing for archiving", standard tier).
const GIB_MONTH: f64 = 0.05;
/// The most that a GiB costs that is copied to another region of the same partition; between some it is half
/// (Amazon EC2 on-demand pricing, data transfer).
const GIB_TO_REGION: f64 = 0.02;
const GIB: f64 = 1_073_741_824.0;

/// What something costs, in US dollars, at the prices of us-east-1 and before taxes, discounts and free tiers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Cost {
    /// Once.
    pub once_usd: f64,
    /// Each month, at most: snapshots are billed by what they really hold.
    pub monthly_usd: f64,
}

/// Estimates what plans cost: the blocks that are written, the bytes that are copied from region to region, and the snapshots
/// that are kept. Traffic to AWS is free.
pub fn cost<'a>(plans: impl IntoIterator<Item = &'a Plan>) -> Cost {
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let gib = |bytes: u64| bytes as f64 / GIB;
    let mut cost = Cost::default();
    for plan in plans {
        match &plan.action {
            Action::Upload(upload) => {
                #[expect(clippy::cast_precision_loss, reason = "an estimate")]
                let blocks = upload.blocks as f64;
                cost.once_usd += blocks * PUT;
                cost.monthly_usd += gib(upload.bytes) * GIB_MONTH;
            }
            Action::Copy(copy) => {
                cost.once_usd +=
                    if copy.source_region == plan.region { 0.0 } else { gib(copy.bytes) * GIB_TO_REGION };
                cost.monthly_usd += gib(copy.bytes) * GIB_MONTH;
            }
            _ => {}
        }
    }
    cost
}

/// How many of the last operations are looked at, whatever they were.
const OPERATIONS: u64 = 500;
/// With fewer blocks a snapshot tells nothing of how fast the line is.
const BLOCKS_MIN: u64 = 16;

/// Estimates how many seconds it takes until all blocks are sent, by how fast the last ones were sent to each region; none
/// where nothing is sent, or was before.
///
/// # Errors
/// Fails when the store's log cannot be read.
pub fn expected_seconds<'a>(
    store: &Store,
    plans: impl IntoIterator<Item = &'a Plan>,
) -> Result<Option<f64>, StoreError> {
    let operations = store.operations(Some(OPERATIONS))?;
    let rates: Vec<(&str, f64)> = operations.iter().filter_map(rate).collect();
    let of = |region: &str| {
        let same = rates.iter().find(|(known, _)| *known == region);
        same.or_else(|| rates.first()).map(|(_, rate)| *rate)
    };
    let mut longest = None;
    for plan in plans {
        let Action::Upload(upload) = &plan.action else { continue };
        let Some(rate) = of(&plan.region) else { return Ok(None) };
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = upload.blocks as f64 / rate;
        longest = Some(longest.map_or(seconds, |longest: f64| longest.max(seconds)));
    }
    Ok(longest)
}

/// Returns the region of a snapshot that was sent, and how many blocks went there each second.
fn rate(operation: &OperationRecord) -> Option<(&str, f64)> {
    let is_sent = operation.kind == "publish-snapshot" && operation.state == OperationState::Succeeded;
    let sent = operation.result.as_ref()?.get("blocks_sent").and_then(Value::as_u64)?;
    let seconds = operation.finished_at?.duration_since(operation.started_at).as_secs_f64();
    if !is_sent || sent < BLOCKS_MIN || seconds <= 0.0 {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    let rate = sent as f64 / seconds;
    Some((operation.intent.get("region")?.as_str()?, rate))
}

#[cfg(test)]
mod tests {
    use amint_store::Outcome;

    use super::*;
    use crate::plan::{Copy, Upload};
    use crate::testing::stored;

    fn plan_of(action: Action) -> Plan {
        Plan {
            region: "eu-west-1".to_owned(),
            account: "123456789012".to_owned(),
            name: "web".to_owned(),
            is_encrypted_by_default: false,
            action,
            settings: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn upload(blocks: u64) -> Upload {
        Upload {
            volume_gib: 8,
            parent: None,
            is_encrypted: false,
            key: None,
            blocks,
            bytes: blocks << 19,
            requests: blocks + 5,
            indexes: Vec::new(),
        }
    }

    #[test]
    fn the_last_upload_to_the_region_tells_how_long_the_next_one_takes() {
        let (_folder, store, _) = stored(&[7]);
        let plans = [plan_of(Action::Upload(upload(2048)))];
        assert_eq!(expected_seconds(&store, &plans).unwrap(), None, "nothing was sent before");
        for (region, blocks) in [("eu-west-1", 100), ("us-east-1", 100_000), ("eu-west-1", 3)] {
            let operation =
                store.begin("publish-snapshot", "web", &serde_json::json!({ "region": region })).unwrap();
            let result = serde_json::json!({ "blocks_sent": blocks });
            store.finish(operation, Outcome::Succeeded, &result).unwrap();
        }
        let slow = expected_seconds(&store, &plans).unwrap().unwrap();
        let elsewhere = Plan { region: "us-east-1".to_owned(), ..plans[0].clone() };
        let quick = expected_seconds(&store, &[elsewhere]).unwrap().unwrap();
        assert!(slow > quick, "{slow} {quick}");
        assert_eq!(expected_seconds(&store, &[]).unwrap(), None);
    }

    #[test]
    fn blocks_copies_and_what_is_kept_are_counted() {
        let upload = upload(2048);
        let copy = Copy { source_region: "us-east-1".to_owned(), source_image_id: None, bytes: 1 << 30 };
        let within = Copy { source_region: "eu-west-1".to_owned(), ..copy.clone() };
        let plans = [Action::Upload(upload), Action::Copy(copy), Action::Copy(within)].map(plan_of);
        let cost = cost(&plans);
        assert!((cost.once_usd - (0.012_288 + 0.02)).abs() < 1e-9, "{cost:?}");
        assert!((cost.monthly_usd - 0.15).abs() < 1e-9, "{cost:?}");
    }
}
