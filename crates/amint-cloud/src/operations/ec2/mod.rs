//! Elastic Compute Cloud.

mod allowed_images;
mod allowed_images_settings;
mod cancel_image_launch_permission;
mod copy_image;
mod copy_snapshot;
mod create_tags;
mod delete_snapshot;
mod delete_tags;
mod deregister_image;
mod describe_availability_zones;
mod describe_fast_snapshot_restores;
mod describe_image_attribute;
mod describe_image_references;
mod describe_image_usage_report_entries;
mod describe_image_usage_reports;
mod describe_images;
mod describe_instance_image_metadata;
mod describe_locked_snapshots;
mod describe_regions;
mod describe_snapshot_tier_status;
mod describe_snapshots;
mod ebs_encryption;
mod get_image_ancestry;
mod image_block_public_access;
mod image_deprecation;
mod image_deregistration_protection;
mod image_disabling;
mod image_usage_reports;
mod image_watermarks;
mod images;
mod list_images_in_recycle_bin;
mod list_snapshots_in_recycle_bin;
mod modify_image_attribute;
mod modify_snapshot_tier;
mod references;
mod register_image;
mod replace_image_criteria;
mod reset_image_attribute;
mod restore_image_from_recycle_bin;
mod restore_snapshot_from_recycle_bin;
mod restore_snapshot_tier;
mod settings;
mod snapshot_attributes;
mod snapshot_block_public_access;
mod snapshot_locking;
mod snapshots;
mod tags;

pub(crate) use allowed_images_settings::{
    disable_allowed_images_settings, enable_allowed_images_settings, get_allowed_images_settings,
};
pub(crate) use cancel_image_launch_permission::cancel_image_launch_permission;
pub(crate) use copy_image::copy_image;
pub(crate) use copy_snapshot::copy_snapshot;
pub(crate) use create_tags::create_tags;
pub(crate) use delete_snapshot::delete_snapshot;
pub(crate) use delete_tags::delete_tags;
pub(crate) use deregister_image::deregister_image;
pub(crate) use describe_availability_zones::describe_availability_zones;
pub(crate) use describe_fast_snapshot_restores::describe_fast_snapshot_restores;
pub(crate) use describe_image_attribute::describe_image_attribute;
pub(crate) use describe_image_references::describe_image_references;
pub(crate) use describe_image_usage_report_entries::describe_image_usage_report_entries;
pub(crate) use describe_image_usage_reports::describe_image_usage_reports;
pub(crate) use describe_images::describe_images;
pub(crate) use describe_instance_image_metadata::describe_instance_image_metadata;
pub(crate) use describe_locked_snapshots::describe_locked_snapshots;
pub(crate) use describe_regions::describe_regions;
pub(crate) use describe_snapshot_tier_status::describe_snapshot_tier_status;
pub(crate) use describe_snapshots::describe_snapshots;
pub(crate) use ebs_encryption::{
    disable_ebs_encryption_by_default, enable_ebs_encryption_by_default, get_ebs_default_kms_key_id,
    get_ebs_encryption_by_default, is_encrypted_by_default, key_or_default, modify_ebs_default_kms_key_id,
    reset_ebs_default_kms_key_id,
};
pub(crate) use get_image_ancestry::get_image_ancestry;
pub(crate) use image_block_public_access::{
    disable_image_block_public_access, enable_image_block_public_access, get_image_block_public_access_state,
};
pub(crate) use image_deprecation::{disable_image_deprecation, enable_image_deprecation};
pub(crate) use image_deregistration_protection::{
    disable_image_deregistration_protection, enable_image_deregistration_protection,
};
pub(crate) use image_disabling::{disable_image, enable_image};
pub(crate) use image_usage_reports::{create_image_usage_report, delete_image_usage_report};
pub(crate) use image_watermarks::{attach_image_watermark, detach_image_watermark};
pub(crate) use list_images_in_recycle_bin::list_images_in_recycle_bin;
pub(crate) use list_snapshots_in_recycle_bin::list_snapshots_in_recycle_bin;
pub(crate) use modify_image_attribute::modify_image_attribute;
pub(crate) use modify_snapshot_tier::modify_snapshot_tier;
pub(crate) use register_image::register_image;
pub(crate) use replace_image_criteria::replace_image_criteria_in_allowed_images_settings;
pub(crate) use reset_image_attribute::reset_image_attribute;
pub(crate) use restore_image_from_recycle_bin::restore_image_from_recycle_bin;
pub(crate) use restore_snapshot_from_recycle_bin::restore_snapshot_from_recycle_bin;
pub(crate) use restore_snapshot_tier::restore_snapshot_tier;
pub(crate) use snapshot_attributes::{
    describe_snapshot_attribute, modify_snapshot_attribute, reset_snapshot_attribute,
};
pub(crate) use snapshot_block_public_access::{
    disable_snapshot_block_public_access, enable_snapshot_block_public_access,
    get_snapshot_block_public_access_state,
};
pub(crate) use snapshot_locking::{lock_snapshot, unlock_snapshot};

use jiff::Timestamp;

use crate::protocol::{Element, Fault, Filter, Params};
use crate::records::Tags;

/// The regions that are on by default (AWS Account Management, "Enable or disable AWS Regions in your account").
const REGIONS: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Reads the filters of a request, of which the operation knows `known`, `tag-key` and `tag:KEY`.
///
/// # Errors
/// Fails with `InvalidParameterValue` for others.
fn filters(params: &Params, known: &[&str]) -> Result<Vec<Filter>, Fault> {
    let filters = params.filters()?;
    let is_known = |name: &str| known.contains(&name) || name == "tag-key" || name.starts_with("tag:");
    match filters.iter().find(|filter| !is_known(&filter.name)) {
        None => Ok(filters),
        Some(filter) => {
            Err(Fault::client("InvalidParameterValue", format!("The filter '{}' is invalid", filter.name)))
        }
    }
}

/// Tells whether every filter finds what it asks for: among the tags, or among the values that `values` gives for its
/// name.
fn passes(filters: &[Filter], tags: &Tags, values: impl Fn(&str) -> Vec<String>) -> bool {
    filters.iter().all(|filter| {
        let found = tag_values(&filter.name, tags).unwrap_or_else(|| values(&filter.name));
        found.iter().any(|value| filter.is_match(value))
    })
}

/// Returns what the filters `tag-key` and `tag:KEY` compare with; none for other names.
fn tag_values(name: &str, tags: &Tags) -> Option<Vec<String>> {
    if name == "tag-key" {
        return Some(tags.keys().cloned().collect());
    }
    let wanted = name.strip_prefix("tag:")?;
    Some(tags.get(wanted).cloned().into_iter().collect())
}

fn tag_set(tags: &Tags) -> Element {
    Element::list(
        "tagSet",
        tags.iter().map(|(key, value)| Element::default().text("key", key).text("value", value)),
    )
}

/// Writes a time as EC2 does.
fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S.000Z").to_string()
}

/// Refuses an id of another form: letters of `kind`, a dash, 8 or 17 digits of hex.
fn check_id(kind: &str, code: &'static str, id: &str) -> Result<(), Fault> {
    let is_id = id.strip_prefix(kind).and_then(|rest| rest.strip_prefix('-')).is_some_and(|digits| {
        matches!(digits.len(), 8 | 17) && digits.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    });
    if is_id {
        Ok(())
    } else {
        Err(Fault::client(code, format!("Invalid id: \"{id}\" (expecting \"{kind}-...\")")))
    }
}
