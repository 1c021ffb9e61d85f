//! The operations, one file each. Names of parameters and elements are those of AWS's API references.

mod autoscaling;
mod bin;
mod call;
mod caller;
mod cloudtrail;
mod ebs;
mod ec2;
mod iam;
mod json;
mod kms;
mod marketplace;
mod organizations;
mod page;
mod rbin;
mod servicequotas;
mod ssm;
mod sts;
#[cfg(test)]
pub(crate) mod support;

use crate::Service;
use crate::protocol::{Element, Fault, Params};

pub(crate) use call::{Call, dry_run, is_reading};
pub(crate) use caller::{Caller, CallerKind};
pub(crate) use ebs::{EbsAnswer, EbsRequest, answer as answer_ebs, name as ebs_name};
pub(crate) use ec2::{default_group, is_region};
pub(crate) use json::{JsonOperation, find_json, find_rest};
pub(crate) use rbin::{RbinRequest, answer as answer_rbin, name as rbin_name};
pub(crate) use sts::{InstanceSession, instance_role};

/// An operation of the Query protocol.
#[derive(Clone, Copy)]
pub(crate) struct Operation {
    pub(crate) service: Service,
    pub(crate) name: &'static str,
    /// The name of the answer's root element.
    pub(crate) root: &'static str,
    /// The name of the element around the answer, where the service has one.
    pub(crate) result: &'static str,
    pub(crate) run: fn(&Call<'_>, &Params) -> Result<Element, Fault>,
}

macro_rules! operation {
    ($service:ident, $name:literal, $run:path) => {
        Operation {
            service: Service::$service,
            name: $name,
            root: concat!($name, "Response"),
            result: concat!($name, "Result"),
            run: $run,
        }
    };
}

// One line for each operation, sorted.
static OPERATIONS: &[Operation] = &[
    operation!(AutoScaling, "CreateAutoScalingGroup", autoscaling::create_auto_scaling_group),
    operation!(AutoScaling, "CreateLaunchConfiguration", autoscaling::create_launch_configuration),
    operation!(AutoScaling, "DeleteAutoScalingGroup", autoscaling::delete_auto_scaling_group),
    operation!(AutoScaling, "DeleteLaunchConfiguration", autoscaling::delete_launch_configuration),
    operation!(AutoScaling, "DescribeAutoScalingGroups", autoscaling::describe_auto_scaling_groups),
    operation!(AutoScaling, "DescribeLaunchConfigurations", autoscaling::describe_launch_configurations),
    operation!(AutoScaling, "UpdateAutoScalingGroup", autoscaling::update_auto_scaling_group),
    operation!(Ec2, "AttachImageWatermark", ec2::attach_image_watermark),
    operation!(Ec2, "AttachVolume", ec2::attach_volume),
    operation!(Ec2, "AuthorizeSecurityGroupEgress", ec2::authorize_security_group_egress),
    operation!(Ec2, "AuthorizeSecurityGroupIngress", ec2::authorize_security_group_ingress),
    operation!(Ec2, "CancelImageLaunchPermission", ec2::cancel_image_launch_permission),
    operation!(Ec2, "CopyImage", ec2::copy_image),
    operation!(Ec2, "CopySnapshot", ec2::copy_snapshot),
    operation!(Ec2, "CreateFleet", ec2::create_fleet),
    operation!(Ec2, "CreateImage", ec2::create_image),
    operation!(Ec2, "CreateImageUsageReport", ec2::create_image_usage_report),
    operation!(Ec2, "CreateKeyPair", ec2::create_key_pair),
    operation!(Ec2, "CreateLaunchTemplate", ec2::create_launch_template),
    operation!(Ec2, "CreateLaunchTemplateVersion", ec2::create_launch_template_version),
    operation!(Ec2, "CreateSecurityGroup", ec2::create_security_group),
    operation!(Ec2, "CreateSnapshot", ec2::create_snapshot),
    operation!(Ec2, "CreateTags", ec2::create_tags),
    operation!(Ec2, "CreateVolume", ec2::create_volume),
    operation!(Ec2, "DeleteImageUsageReport", ec2::delete_image_usage_report),
    operation!(Ec2, "DeleteKeyPair", ec2::delete_key_pair),
    operation!(Ec2, "DeleteLaunchTemplate", ec2::delete_launch_template),
    operation!(Ec2, "DeleteLaunchTemplateVersions", ec2::delete_launch_template_versions),
    operation!(Ec2, "DeleteSecurityGroup", ec2::delete_security_group),
    operation!(Ec2, "DeleteSnapshot", ec2::delete_snapshot),
    operation!(Ec2, "DeleteTags", ec2::delete_tags),
    operation!(Ec2, "DeleteVolume", ec2::delete_volume),
    operation!(Ec2, "DeregisterImage", ec2::deregister_image),
    operation!(Ec2, "DescribeAvailabilityZones", ec2::describe_availability_zones),
    operation!(Ec2, "DescribeFastSnapshotRestores", ec2::describe_fast_snapshot_restores),
    operation!(Ec2, "DescribeImageAttribute", ec2::describe_image_attribute),
    operation!(Ec2, "DescribeImageReferences", ec2::describe_image_references),
    operation!(Ec2, "DescribeImageUsageReportEntries", ec2::describe_image_usage_report_entries),
    operation!(Ec2, "DescribeImageUsageReports", ec2::describe_image_usage_reports),
    operation!(Ec2, "DescribeImages", ec2::describe_images),
    operation!(Ec2, "DescribeInstanceAttribute", ec2::describe_instance_attribute),
    operation!(Ec2, "DescribeInstanceImageMetadata", ec2::describe_instance_image_metadata),
    operation!(Ec2, "DescribeInstanceStatus", ec2::describe_instance_status),
    operation!(Ec2, "DescribeInstanceTypeOfferings", ec2::describe_instance_type_offerings),
    operation!(Ec2, "DescribeInstanceTypes", ec2::describe_instance_types),
    operation!(Ec2, "DescribeInstances", ec2::describe_instances),
    operation!(Ec2, "DescribeInternetGateways", ec2::describe_internet_gateways),
    operation!(Ec2, "DescribeKeyPairs", ec2::describe_key_pairs),
    operation!(Ec2, "DescribeLaunchTemplateVersions", ec2::describe_launch_template_versions),
    operation!(Ec2, "DescribeLaunchTemplates", ec2::describe_launch_templates),
    operation!(Ec2, "DescribeLockedSnapshots", ec2::describe_locked_snapshots),
    operation!(Ec2, "DescribeNetworkAcls", ec2::describe_network_acls),
    operation!(Ec2, "DescribeNetworkInterfaces", ec2::describe_network_interfaces),
    operation!(Ec2, "DescribeRegions", ec2::describe_regions),
    operation!(Ec2, "DescribeRouteTables", ec2::describe_route_tables),
    operation!(Ec2, "DescribeSecurityGroupRules", ec2::describe_security_group_rules),
    operation!(Ec2, "DescribeSecurityGroups", ec2::describe_security_groups),
    operation!(Ec2, "DescribeSnapshotAttribute", ec2::describe_snapshot_attribute),
    operation!(Ec2, "DescribeSnapshotTierStatus", ec2::describe_snapshot_tier_status),
    operation!(Ec2, "DescribeSnapshots", ec2::describe_snapshots),
    operation!(Ec2, "DescribeSubnets", ec2::describe_subnets),
    operation!(Ec2, "DescribeSpotInstanceRequests", ec2::describe_spot_instance_requests),
    operation!(Ec2, "DescribeTags", ec2::describe_tags),
    operation!(Ec2, "DescribeVolumes", ec2::describe_volumes),
    operation!(Ec2, "DescribeVpcs", ec2::describe_vpcs),
    operation!(Ec2, "DetachImageWatermark", ec2::detach_image_watermark),
    operation!(Ec2, "DetachVolume", ec2::detach_volume),
    operation!(Ec2, "DisableAllowedImagesSettings", ec2::disable_allowed_images_settings),
    operation!(Ec2, "DisableEbsEncryptionByDefault", ec2::disable_ebs_encryption_by_default),
    operation!(Ec2, "DisableImage", ec2::disable_image),
    operation!(Ec2, "DisableImageBlockPublicAccess", ec2::disable_image_block_public_access),
    operation!(Ec2, "DisableImageDeprecation", ec2::disable_image_deprecation),
    operation!(Ec2, "DisableImageDeregistrationProtection", ec2::disable_image_deregistration_protection),
    operation!(Ec2, "DisableSnapshotBlockPublicAccess", ec2::disable_snapshot_block_public_access),
    operation!(Ec2, "EnableAllowedImagesSettings", ec2::enable_allowed_images_settings),
    operation!(Ec2, "EnableEbsEncryptionByDefault", ec2::enable_ebs_encryption_by_default),
    operation!(Ec2, "EnableImage", ec2::enable_image),
    operation!(Ec2, "EnableImageBlockPublicAccess", ec2::enable_image_block_public_access),
    operation!(Ec2, "EnableImageDeprecation", ec2::enable_image_deprecation),
    operation!(Ec2, "EnableImageDeregistrationProtection", ec2::enable_image_deregistration_protection),
    operation!(Ec2, "EnableSnapshotBlockPublicAccess", ec2::enable_snapshot_block_public_access),
    operation!(Ec2, "GetAllowedImagesSettings", ec2::get_allowed_images_settings),
    operation!(Ec2, "GetConsoleOutput", ec2::get_console_output),
    operation!(Ec2, "GetConsoleScreenshot", ec2::get_console_screenshot),
    operation!(Ec2, "GetEbsDefaultKmsKeyId", ec2::get_ebs_default_kms_key_id),
    operation!(Ec2, "GetEbsEncryptionByDefault", ec2::get_ebs_encryption_by_default),
    operation!(Ec2, "GetImageAncestry", ec2::get_image_ancestry),
    operation!(Ec2, "GetImageBlockPublicAccessState", ec2::get_image_block_public_access_state),
    operation!(Ec2, "GetSnapshotBlockPublicAccessState", ec2::get_snapshot_block_public_access_state),
    operation!(Ec2, "ImportKeyPair", ec2::import_key_pair),
    operation!(Ec2, "ListImagesInRecycleBin", ec2::list_images_in_recycle_bin),
    operation!(Ec2, "ListSnapshotsInRecycleBin", ec2::list_snapshots_in_recycle_bin),
    operation!(Ec2, "LockSnapshot", ec2::lock_snapshot),
    operation!(Ec2, "ModifyEbsDefaultKmsKeyId", ec2::modify_ebs_default_kms_key_id),
    operation!(Ec2, "ModifyImageAttribute", ec2::modify_image_attribute),
    operation!(Ec2, "ModifyInstanceAttribute", ec2::modify_instance_attribute),
    operation!(Ec2, "ModifyInstanceMetadataOptions", ec2::modify_instance_metadata_options),
    operation!(Ec2, "ModifyLaunchTemplate", ec2::modify_launch_template),
    operation!(Ec2, "ModifySnapshotAttribute", ec2::modify_snapshot_attribute),
    operation!(Ec2, "ModifySnapshotTier", ec2::modify_snapshot_tier),
    operation!(Ec2, "ModifyVolume", ec2::modify_volume),
    operation!(Ec2, "RebootInstances", ec2::reboot_instances),
    operation!(Ec2, "RegisterImage", ec2::register_image),
    operation!(
        Ec2,
        "ReplaceImageCriteriaInAllowedImagesSettings",
        ec2::replace_image_criteria_in_allowed_images_settings
    ),
    operation!(Ec2, "ResetEbsDefaultKmsKeyId", ec2::reset_ebs_default_kms_key_id),
    operation!(Ec2, "ResetImageAttribute", ec2::reset_image_attribute),
    operation!(Ec2, "ResetSnapshotAttribute", ec2::reset_snapshot_attribute),
    operation!(Ec2, "RestoreImageFromRecycleBin", ec2::restore_image_from_recycle_bin),
    operation!(Ec2, "RestoreSnapshotFromRecycleBin", ec2::restore_snapshot_from_recycle_bin),
    operation!(Ec2, "RestoreSnapshotTier", ec2::restore_snapshot_tier),
    operation!(Ec2, "RevokeSecurityGroupEgress", ec2::revoke_security_group_egress),
    operation!(Ec2, "RevokeSecurityGroupIngress", ec2::revoke_security_group_ingress),
    operation!(Ec2, "RunInstances", ec2::run_instances),
    operation!(Ec2, "StartInstances", ec2::start_instances),
    operation!(Ec2, "StopInstances", ec2::stop_instances),
    operation!(Ec2, "TerminateInstances", ec2::terminate_instances),
    operation!(Ec2, "UnlockSnapshot", ec2::unlock_snapshot),
    operation!(Iam, "AddRoleToInstanceProfile", iam::add_role_to_instance_profile),
    operation!(Iam, "AttachRolePolicy", iam::attach_role_policy),
    operation!(Iam, "CreateAccessKey", iam::create_access_key),
    operation!(Iam, "CreateInstanceProfile", iam::create_instance_profile),
    operation!(Iam, "CreatePolicy", iam::create_policy),
    operation!(Iam, "CreateRole", iam::create_role),
    operation!(Iam, "CreateUser", iam::create_user),
    operation!(Iam, "DeleteAccessKey", iam::delete_access_key),
    operation!(Iam, "DeleteInstanceProfile", iam::delete_instance_profile),
    operation!(Iam, "DeletePolicy", iam::delete_policy),
    operation!(Iam, "DeleteRole", iam::delete_role),
    operation!(Iam, "DeleteRolePolicy", iam::delete_role_policy),
    operation!(Iam, "DeleteUser", iam::delete_user),
    operation!(Iam, "DetachRolePolicy", iam::detach_role_policy),
    operation!(Iam, "GetInstanceProfile", iam::get_instance_profile),
    operation!(Iam, "GetPolicy", iam::get_policy),
    operation!(Iam, "GetPolicyVersion", iam::get_policy_version),
    operation!(Iam, "GetRole", iam::get_role),
    operation!(Iam, "GetRolePolicy", iam::get_role_policy),
    operation!(Iam, "GetUser", iam::get_user),
    operation!(Iam, "ListAccessKeys", iam::list_access_keys),
    operation!(Iam, "ListAccountAliases", iam::list_account_aliases),
    operation!(Iam, "ListAttachedRolePolicies", iam::list_attached_role_policies),
    operation!(Iam, "ListInstanceProfiles", iam::list_instance_profiles),
    operation!(Iam, "ListInstanceProfilesForRole", iam::list_instance_profiles_for_role),
    operation!(Iam, "ListRolePolicies", iam::list_role_policies),
    operation!(Iam, "ListRoles", iam::list_roles),
    operation!(Iam, "ListUsers", iam::list_users),
    operation!(Iam, "PutRolePolicy", iam::put_role_policy),
    operation!(Iam, "RemoveRoleFromInstanceProfile", iam::remove_role_from_instance_profile),
    operation!(Iam, "UpdateAccessKey", iam::update_access_key),
    operation!(Iam, "UpdateAssumeRolePolicy", iam::update_assume_role_policy),
    operation!(Sts, "AssumeRole", sts::assume_role),
    operation!(Sts, "GetAccessKeyInfo", sts::get_access_key_info),
    operation!(Sts, "GetCallerIdentity", sts::get_caller_identity),
];

/// Finds an operation of the Query protocol.
pub(crate) fn find(service: Service, name: &str) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.service == service && operation.name == name)
}

/// Lists the operations that are implemented, as `SERVICE NAME`, sorted.
pub fn operation_names() -> Vec<String> {
    let query = OPERATIONS.iter().map(|operation| (operation.service, operation.name));
    let mut names: Vec<String> = query
        .chain(ebs::NAMES.into_iter().map(|name| (Service::Ebs, name)))
        .chain(rbin::NAMES.into_iter().map(|name| (Service::Rbin, name)))
        .chain(json::OPERATIONS.iter().map(|operation| (operation.service, operation.name)))
        .map(|(service, name)| format!("{} {name}", service.as_str()))
        .collect();
    names.sort();
    names
}
