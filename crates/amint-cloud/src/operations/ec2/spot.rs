//! Spot instances: here they differ from others in what is told of them, and in that they cannot be stopped.

use crate::operations::Call;
use crate::protocol::{Fault, Params};
use crate::records::{SpotRequest, Tags};

/// What requests for spot instances are called where tags are given.
pub(super) const KIND: &str = "spot-instances-request";
/// Says that a spot instance is asked for.
pub(super) const MARKET_TYPE: &str = "InstanceMarketOptions.MarketType";
/// The most that is paid for an hour.
pub(super) const MAX_PRICE: &str = "InstanceMarketOptions.SpotOptions.MaxPrice";

/// Reads whether a spot instance is asked for, and how. Its id is made later, one for each instance.
pub(super) fn at_launch(call: &Call<'_>, params: &Params, tags: Tags) -> Result<Option<SpotRequest>, Fault> {
    match params.get(MARKET_TYPE) {
        None if tags.is_empty() => return Ok(None),
        None => {
            let message = "Tags of spot instance requests were given, and no spot instance is asked for";
            return Err(Fault::client("InvalidParameterCombination", message));
        }
        Some("spot") => {}
        Some(other) => return Err(Fault::invalid_value("MarketType", other)),
    }
    let options = "InstanceMarketOptions.SpotOptions";
    let unsupported =
        |what: &str| Err(Fault::client("UnsupportedOperation", format!("{what} is not supported here")));
    match params.get(&format!("{options}.SpotInstanceType")) {
        None | Some("one-time") => {}
        Some("persistent") => return unsupported("A persistent request for spot instances"),
        Some(other) => return Err(Fault::invalid_value("SpotInstanceType", other)),
    }
    match params.get(&format!("{options}.InstanceInterruptionBehavior")) {
        None | Some("terminate") => {}
        Some("hibernate" | "stop") => {
            let message = "A one-time request allows the interruption behavior terminate only";
            return Err(Fault::client("InvalidParameterCombination", message));
        }
        Some(other) => return Err(Fault::invalid_value("InstanceInterruptionBehavior", other)),
    }
    let max_price = params.get(MAX_PRICE).map(|text| {
        let is_price = text.parse::<f64>().is_ok_and(|price| price.is_finite() && price > 0.0);
        if is_price { Ok(text.to_owned()) } else { Err(Fault::invalid_value("MaxPrice", text)) }
    });
    Ok(Some(SpotRequest { id: String::new(), max_price: max_price.transpose()?, created: call.now, tags }))
}

/// Looks at what a fleet says of spot instances: there are no pools and prices among which it could choose.
pub(super) fn check_options(params: &Params) -> Result<(), Fault> {
    const STRATEGIES: [&str; 5] = [
        "lowest-price",
        "diversified",
        "capacity-optimized",
        "capacity-optimized-prioritized",
        "price-capacity-optimized",
    ];
    match params.get("SpotOptions.AllocationStrategy") {
        Some(other) if !STRATEGIES.contains(&other) => {
            return Err(Fault::invalid_value("AllocationStrategy", other));
        }
        _ => {}
    }
    match params.get("SpotOptions.InstanceInterruptionBehavior") {
        None | Some("terminate") => Ok(()),
        Some(other) => Err(Fault::invalid_value("InstanceInterruptionBehavior", other)),
    }
}
