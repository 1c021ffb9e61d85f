//! Auto Scaling: launch configurations and groups as records that name images. Groups start no instances.

mod groups;
mod launch_configurations;

pub(super) use groups::{
    create_auto_scaling_group, delete_auto_scaling_group, describe_auto_scaling_groups,
    update_auto_scaling_group,
};
pub(super) use launch_configurations::{
    create_launch_configuration, delete_launch_configuration, describe_launch_configurations,
};

use jiff::Timestamp;

use super::Call;
use super::page::Pager;
use crate::protocol::{Fault, Params};

/// How many entries a page has unless it is said, and at most.
const PAGE_COUNT: u64 = 50;
const PAGE_COUNT_MAX: u64 = 100;

fn key(call: &Call<'_>, name: &str) -> String {
    format!("{}/{}/{name}", call.account(), call.region)
}

fn invalid(message: impl Into<String>) -> Fault {
    Fault::client("ValidationError", message)
}

/// Reads the name of something.
fn name<'p>(params: &'p Params, parameter: &str) -> Result<&'p str, Fault> {
    let name = params.get(parameter).ok_or_else(|| invalid(format!("{parameter} is missing")))?;
    if name.len() <= 255 && !name.contains(':') && !name.chars().any(char::is_control) {
        return Ok(name);
    }
    Err(invalid(format!("{parameter} is longer than 255 characters, or has a colon")))
}

fn pager(call: &Call<'_>, params: &Params) -> Result<Pager, Fault> {
    let count = params.number("MaxRecords")?.unwrap_or(PAGE_COUNT);
    if !(1..=PAGE_COUNT_MAX).contains(&count) {
        return Err(invalid("MaxRecords has to be between 1 and 100"));
    }
    let pager = Pager::at(call, params.get("NextToken"), Some(count));
    pager.map_err(|_| Fault::client("InvalidNextToken", "The NextToken value is not valid."))
}

/// Makes the id that an ARN has.
fn uuid() -> String {
    let mut random = [0_u8; 16];
    // A machine without random numbers has no access key either: it does not come here.
    let _ = getrandom::fill(&mut random);
    let digits = hex::encode(random);
    format!("{}-{}-{}-{}-{}", &digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..])
}

fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}
