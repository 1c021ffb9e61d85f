//! Elastic Compute Cloud.

mod allowed_images;
mod allowed_images_settings;
mod attach_volume;
mod cancel_image_launch_permission;
mod copy_image;
mod copy_snapshot;
mod create_fleet;
mod create_image;
mod create_key_pair;
mod create_launch_template;
mod create_launch_template_version;
mod create_security_group;
mod create_snapshot;
mod create_tags;
mod create_volume;
mod delete_key_pair;
mod delete_launch_template;
mod delete_security_group;
mod delete_snapshot;
mod delete_tags;
mod delete_volume;
mod deregister_image;
mod describe_availability_zones;
mod describe_fast_snapshot_restores;
mod describe_image_attribute;
mod describe_image_references;
mod describe_image_usage_report_entries;
mod describe_image_usage_reports;
mod describe_images;
mod describe_instance_image_metadata;
mod describe_instance_status;
mod describe_instances;
mod describe_key_pairs;
mod describe_launch_template_versions;
mod describe_launch_templates;
mod describe_locked_snapshots;
mod describe_regions;
mod describe_security_group_rules;
mod describe_security_groups;
mod describe_snapshot_tier_status;
mod describe_snapshots;
mod describe_spot_instance_requests;
mod describe_tags;
mod describe_volumes;
mod detach_volume;
mod ebs_encryption;
mod get_console_output;
mod get_console_screenshot;
mod get_image_ancestry;
mod image_block_public_access;
mod image_deprecation;
mod image_deregistration_protection;
mod image_disabling;
mod image_usage_reports;
mod image_watermarks;
mod images;
mod import_key_pair;
mod instance_attributes;
mod instance_states;
mod instance_types;
mod instances;
mod key_pairs;
mod launch_devices;
mod launch_templates;
mod list_images_in_recycle_bin;
mod list_snapshots_in_recycle_bin;
mod metadata_options;
mod modify_image_attribute;
mod modify_launch_template;
mod modify_snapshot_tier;
mod modify_volume;
mod networks;
mod references;
mod register_image;
mod replace_image_criteria;
mod reset_image_attribute;
mod restore_image_from_recycle_bin;
mod restore_snapshot_from_recycle_bin;
mod restore_snapshot_tier;
mod run_instances;
mod security_group_rules;
mod security_groups;
mod settings;
mod snapshot_attributes;
mod snapshot_block_public_access;
mod snapshot_locking;
mod snapshots;
mod spot;
mod tags;
mod volumes;

pub(crate) use allowed_images_settings::{
    disable_allowed_images_settings, enable_allowed_images_settings, get_allowed_images_settings,
};
pub(crate) use attach_volume::attach_volume;
pub(crate) use cancel_image_launch_permission::cancel_image_launch_permission;
pub(crate) use copy_image::copy_image;
pub(crate) use copy_snapshot::copy_snapshot;
pub(crate) use create_fleet::create_fleet;
pub(crate) use create_image::create_image;
pub(crate) use create_key_pair::create_key_pair;
pub(crate) use create_launch_template::create_launch_template;
pub(crate) use create_launch_template_version::create_launch_template_version;
pub(crate) use create_security_group::create_security_group;
pub(crate) use create_snapshot::create_snapshot;
pub(crate) use create_tags::create_tags;
pub(crate) use create_volume::create_volume;
pub(crate) use delete_key_pair::delete_key_pair;
pub(crate) use delete_launch_template::{delete_launch_template, delete_launch_template_versions};
pub(crate) use delete_security_group::delete_security_group;
pub(crate) use delete_snapshot::delete_snapshot;
pub(crate) use delete_tags::delete_tags;
pub(crate) use delete_volume::delete_volume;
pub(crate) use deregister_image::deregister_image;
pub(crate) use describe_availability_zones::describe_availability_zones;
pub(crate) use describe_fast_snapshot_restores::describe_fast_snapshot_restores;
pub(crate) use describe_image_attribute::describe_image_attribute;
pub(crate) use describe_image_references::describe_image_references;
pub(crate) use describe_image_usage_report_entries::describe_image_usage_report_entries;
pub(crate) use describe_image_usage_reports::describe_image_usage_reports;
pub(crate) use describe_images::describe_images;
pub(crate) use describe_instance_image_metadata::describe_instance_image_metadata;
pub(crate) use describe_instance_status::describe_instance_status;
pub(crate) use describe_instances::describe_instances;
pub(crate) use describe_key_pairs::describe_key_pairs;
pub(crate) use describe_launch_template_versions::describe_launch_template_versions;
pub(crate) use describe_launch_templates::describe_launch_templates;
pub(crate) use describe_locked_snapshots::describe_locked_snapshots;
pub(crate) use describe_regions::describe_regions;
pub(crate) use describe_security_group_rules::describe_security_group_rules;
pub(crate) use describe_security_groups::describe_security_groups;
pub(crate) use describe_snapshot_tier_status::describe_snapshot_tier_status;
pub(crate) use describe_snapshots::describe_snapshots;
pub(crate) use describe_spot_instance_requests::describe_spot_instance_requests;
pub(crate) use describe_tags::describe_tags;
pub(crate) use describe_volumes::describe_volumes;
pub(crate) use detach_volume::detach_volume;
pub(crate) use ebs_encryption::{
    disable_ebs_encryption_by_default, enable_ebs_encryption_by_default, get_ebs_default_kms_key_id,
    get_ebs_encryption_by_default, is_encrypted_by_default, key_or_default, modify_ebs_default_kms_key_id,
    reset_ebs_default_kms_key_id,
};
pub(crate) use get_console_output::get_console_output;
pub(crate) use get_console_screenshot::get_console_screenshot;
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
pub(crate) use import_key_pair::import_key_pair;
pub(crate) use instance_attributes::{describe_instance_attribute, modify_instance_attribute};
pub(crate) use instance_states::{reboot_instances, start_instances, stop_instances, terminate_instances};
pub(crate) use instance_types::{describe_instance_type_offerings, describe_instance_types};
pub(crate) use list_images_in_recycle_bin::list_images_in_recycle_bin;
pub(crate) use list_snapshots_in_recycle_bin::list_snapshots_in_recycle_bin;
pub(crate) use metadata_options::modify_instance_metadata_options;
pub(crate) use modify_image_attribute::modify_image_attribute;
pub(crate) use modify_launch_template::modify_launch_template;
pub(crate) use modify_snapshot_tier::modify_snapshot_tier;
pub(crate) use modify_volume::modify_volume;
pub(crate) use networks::{
    describe_internet_gateways, describe_network_acls, describe_network_interfaces, describe_route_tables,
    describe_subnets, describe_vpcs,
};
pub(crate) use register_image::register_image;
pub(crate) use replace_image_criteria::replace_image_criteria_in_allowed_images_settings;
pub(crate) use reset_image_attribute::reset_image_attribute;
pub(crate) use restore_image_from_recycle_bin::restore_image_from_recycle_bin;
pub(crate) use restore_snapshot_from_recycle_bin::restore_snapshot_from_recycle_bin;
pub(crate) use restore_snapshot_tier::restore_snapshot_tier;
pub(crate) use run_instances::run_instances;
pub(crate) use security_group_rules::{
    authorize_security_group_egress, authorize_security_group_ingress, revoke_security_group_egress,
    revoke_security_group_ingress,
};
pub(crate) use security_groups::default_group;
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

/// Tells whether there is such a region.
pub(crate) fn is_region(name: &str) -> bool {
    REGIONS.contains(&name)
}

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

/// Refuses ids of another form, and those of nothing that is known.
fn check_known(
    ids: &[&str],
    kind: &str,
    (malformed, unknown): (&'static str, &'static str),
    what: &str,
    is_known: impl Fn(&str) -> bool,
) -> Result<(), Fault> {
    for id in ids {
        check_id(kind, malformed, id)?;
    }
    match ids.iter().find(|id| !is_known(id)) {
        None => Ok(()),
        Some(id) => Err(Fault::client(unknown, format!("The {what} '{id}' does not exist"))),
    }
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
