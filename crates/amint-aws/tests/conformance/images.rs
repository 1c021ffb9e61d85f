//! Images: registered, told, shared, governed, copied and removed.

use aws_sdk_ec2::client::Waiters;
use aws_sdk_ec2::primitives::DateTime;
use aws_sdk_ec2::types::{
    ArchitectureValues, AttributeValue, BlockDeviceMapping, BootModeValues, EbsBlockDevice, Filter,
    ImageAttributeName, ImageState, ImdsSupportValues, LaunchPermission, LaunchPermissionModifications,
    OperationType, PermissionGroup, ResetImageAttributeName, ResourceType, SnapshotReturnCodes, Tag,
    TagSpecification, TpmSupportValues, VolumeType,
};
use std::time::Duration;

use crate::ebs;
use crate::support::{ACCOUNT, AWAY, Bench, OTHER_ACCOUNT, REGION, refused};

pub(crate) const LIFE: &[&str] = &[
    "ec2 CopyImage",
    "ec2 DeregisterImage",
    "ec2 DescribeImageAttribute",
    "ec2 DescribeImages",
    "ec2 DisableImage",
    "ec2 DisableImageDeprecation",
    "ec2 DisableImageDeregistrationProtection",
    "ec2 EnableImage",
    "ec2 EnableImageDeprecation",
    "ec2 EnableImageDeregistrationProtection",
    "ec2 GetImageAncestry",
    "ec2 ModifyImageAttribute",
    "ec2 RegisterImage",
    "ec2 ResetImageAttribute",
];

pub(crate) const SHARING: &[&str] =
    &["ec2 CancelImageLaunchPermission", "ec2 CopyImage", "ec2 DescribeImages"];

pub(crate) const MARKS: &[&str] = &["ec2 AttachImageWatermark", "ec2 DetachImageWatermark"];

pub(crate) fn tagged(kind: ResourceType, key: &str, value: &str) -> TagSpecification {
    let tag = Tag::builder().key(key).value(value).build();
    TagSpecification::builder().resource_type(kind).tags(tag).build()
}

pub(crate) fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Registers an image of a snapshot.
fn register(
    client: &aws_sdk_ec2::Client,
    name: &str,
    snapshot: &str,
) -> aws_sdk_ec2::operation::register_image::builders::RegisterImageFluentBuilder {
    let disk = EbsBlockDevice::builder()
        .snapshot_id(snapshot)
        .volume_size(2)
        .volume_type(VolumeType::Gp3)
        .iops(4000)
        .throughput(200)
        .delete_on_termination(true)
        .build();
    client
        .register_image()
        .name(name)
        .description("mine")
        .architecture(ArchitectureValues::X8664)
        .virtualization_type("hvm")
        .root_device_name("/dev/xvda")
        .block_device_mappings(BlockDeviceMapping::builder().device_name("/dev/xvda").ebs(disk).build())
        .block_device_mappings(
            BlockDeviceMapping::builder().device_name("/dev/sdb").virtual_name("ephemeral0").build(),
        )
        .ena_support(true)
        .sriov_net_support("simple")
        .boot_mode(BootModeValues::Uefi)
        .tpm_support(TpmSupportValues::V20)
        .imds_support(ImdsSupportValues::V20)
        .tag_specifications(tagged(ResourceType::Image, "team", "web"))
}

#[test]
fn an_image_is_led_through_its_life() {
    let bench = Bench::new();
    bench.run(LIFE, async {
        let client = bench.ec2();
        let snapshot = ebs::snapshot(&bench, &[(0, 1), (9, 2)]).await;
        assert_eq!(
            refused(register(&client, "mine-1", &snapshot).dry_run(true).send().await),
            "DryRunOperation"
        );
        let id = register(&client, "mine-1", &snapshot).send().await.unwrap().image_id.unwrap();
        assert_eq!(refused(register(&client, "mine-1", &snapshot).send().await), "InvalidAMIName.Duplicate");
        client.wait_until_image_exists().image_ids(&id).wait(Duration::from_mins(1)).await.unwrap();
        let waited =
            client.wait_until_image_available().image_ids(&id).wait(Duration::from_hours(1)).await.unwrap();
        let described = waited.into_result().unwrap();
        let image = &described.images()[0];
        assert_eq!(image.state(), Some(&ImageState::Available));
        assert_eq!(
            (image.name(), image.description(), image.owner_id()),
            (Some("mine-1"), Some("mine"), Some(ACCOUNT))
        );
        assert_eq!(
            (image.image_location(), image.public()),
            (Some(&*format!("{ACCOUNT}/mine-1")), Some(false))
        );
        assert_eq!((image.ena_support(), image.sriov_net_support()), (Some(true), Some("simple")));
        assert_eq!(image.boot_mode().map(|mode| mode.as_str()), Some("uefi"));
        assert_eq!(
            (image.usage_operation(), image.platform_details()),
            (Some("RunInstances"), Some("Linux/UNIX"))
        );
        assert_eq!(image.deregistration_protection(), Some("disabled"));
        assert_eq!((image.tags()[0].key(), image.tags()[0].value()), (Some("team"), Some("web")));
        let devices = image.block_device_mappings();
        let disk = devices.iter().find_map(|device| device.ebs()).unwrap();
        assert_eq!((disk.snapshot_id(), disk.volume_size()), (Some(&*snapshot), Some(2)));
        assert_eq!((disk.iops(), disk.throughput(), disk.encrypted()), (Some(4000), Some(200), Some(false)));
        assert!(devices.iter().any(|device| device.virtual_name() == Some("ephemeral0")));

        // What is told of it singly, and changed.
        let modify = || client.modify_image_attribute().image_id(&id);
        modify().description(AttributeValue::builder().value("ours").build()).send().await.unwrap();
        modify().imds_support(AttributeValue::builder().value("v2.0").build()).send().await.unwrap();
        let add = LaunchPermissionModifications::builder()
            .add(LaunchPermission::builder().user_id(OTHER_ACCOUNT).build())
            .build();
        modify().launch_permission(add).send().await.unwrap();
        modify()
            .attribute("launchPermission")
            .operation_type(OperationType::Add)
            .user_groups("all")
            .send()
            .await
            .unwrap();
        let attribute =
            |name: ImageAttributeName| client.describe_image_attribute().image_id(&id).attribute(name).send();
        let told = attribute(ImageAttributeName::LaunchPermission).await.unwrap();
        assert_eq!(told.image_id(), Some(&*id));
        let permissions = told.launch_permissions();
        assert!(permissions.iter().any(|one| one.user_id() == Some(OTHER_ACCOUNT)));
        assert!(permissions.iter().any(|one| one.group() == Some(&PermissionGroup::All)));
        let told = attribute(ImageAttributeName::Description).await.unwrap();
        assert_eq!(told.description().and_then(|one| one.value()), Some("ours"));
        let told = attribute(ImageAttributeName::BootMode).await.unwrap();
        assert_eq!(told.boot_mode().and_then(|one| one.value()), Some("uefi"));
        let told = attribute(ImageAttributeName::ImdsSupport).await.unwrap();
        assert_eq!(told.imds_support().and_then(|one| one.value()), Some("v2.0"));
        let told = attribute(ImageAttributeName::TpmSupport).await.unwrap();
        assert_eq!(told.tpm_support().and_then(|one| one.value()), Some("v2.0"));
        let told = attribute(ImageAttributeName::SriovNetSupport).await.unwrap();
        assert_eq!(told.sriov_net_support().and_then(|one| one.value()), Some("simple"));
        // AWS refuses it too, and says that it is deprecated.
        assert_eq!(refused(attribute(ImageAttributeName::BlockDeviceMapping).await), "AuthFailure");
        let told = attribute(ImageAttributeName::DeregistrationProtection).await.unwrap();
        assert_eq!(told.deregistration_protection().and_then(|one| one.value()), Some("disabled"));
        attribute(ImageAttributeName::UefiData).await.unwrap();
        attribute(ImageAttributeName::ProductCodes).await.unwrap();
        attribute(ImageAttributeName::Kernel).await.unwrap();
        let organization = "arn:aws:organizations::123456789012:organization/o-123example";
        let flat = || modify().attribute("launchPermission");
        flat().operation_type(OperationType::Add).organization_arns(organization).send().await.unwrap();
        flat().operation_type(OperationType::Remove).user_ids(OTHER_ACCOUNT).send().await.unwrap();
        let everybody = LaunchPermission::builder().group(PermissionGroup::All).build();
        let remove = LaunchPermissionModifications::builder().remove(everybody).build();
        modify().launch_permission(remove).send().await.unwrap();
        let told = attribute(ImageAttributeName::LaunchPermission).await.unwrap();
        assert_eq!(told.launch_permissions().len(), 1);
        assert_eq!(told.launch_permissions()[0].organization_arn(), Some(organization));
        client
            .reset_image_attribute()
            .image_id(&id)
            .attribute(ResetImageAttributeName::LaunchPermission)
            .send()
            .await
            .unwrap();
        assert!(
            attribute(ImageAttributeName::LaunchPermission).await.unwrap().launch_permissions().is_empty()
        );

        // Deprecated, protected, disabled, and each of it taken back.
        let shown = || async {
            let described = client.describe_images().image_ids(&id).send().await.unwrap();
            described.images()[0].clone()
        };
        let later = DateTime::from_secs(DateTime::from(std::time::SystemTime::now()).secs() + 40 * 86_400);
        let enabled =
            client.enable_image_deprecation().image_id(&id).deprecate_at(later).send().await.unwrap();
        assert_eq!(enabled.r#return(), Some(true));
        assert!(shown().await.deprecation_time().is_some());
        assert_eq!(
            client.disable_image_deprecation().image_id(&id).send().await.unwrap().r#return(),
            Some(true)
        );
        assert_eq!(shown().await.deprecation_time(), None);
        let protect = client
            .enable_image_deregistration_protection()
            .image_id(&id)
            .with_cooldown(false)
            .send()
            .await
            .unwrap();
        assert_eq!(protect.r#return(), Some("enabled-without-cooldown"));
        assert_eq!(shown().await.deregistration_protection(), Some("enabled-without-cooldown"));
        assert_eq!(refused(client.deregister_image().image_id(&id).send().await), "OperationNotPermitted");
        let bare = client.disable_image_deregistration_protection().image_id(&id).send().await.unwrap();
        assert_eq!(bare.r#return(), Some("disabled"));
        assert_eq!(client.disable_image().image_id(&id).send().await.unwrap().r#return(), Some(true));
        assert_eq!(shown().await.state(), Some(&ImageState::Disabled));
        let hidden =
            client.describe_images().owners("self").filters(filter("name", "mine-1")).send().await.unwrap();
        assert!(hidden.images().is_empty());
        assert_eq!(client.enable_image().image_id(&id).send().await.unwrap().r#return(), Some(true));

        // Copied elsewhere, where its line is told.
        let there = bench.ec2_of(&bench.in_region(AWAY));
        let copied = there
            .copy_image()
            .name("mine-1")
            .source_image_id(&id)
            .source_region(REGION)
            .copy_image_tags(true)
            .client_token("c");
        let copy = copied.clone().send().await.unwrap().image_id.unwrap();
        assert_eq!(copied.clone().send().await.unwrap().image_id(), Some(&*copy));
        assert_eq!(refused(copied.description("x").send().await), "IdempotentParameterMismatch");
        there.wait_until_image_available().image_ids(&copy).wait(Duration::from_hours(1)).await.unwrap();
        let line = there.get_image_ancestry().image_id(&copy).send().await.unwrap();
        let entries = line.image_ancestry_entries();
        assert_eq!((entries[0].image_id(), entries[0].source_image_id()), (Some(&*copy), Some(&*id)));
        assert_eq!((entries[0].source_image_region(), entries[0].image_owner_alias()), (Some(REGION), None));
        assert_eq!(entries[1].image_id(), Some(&*id));
        assert!(entries[1].creation_date().is_some());

        let gone =
            client.deregister_image().image_id(&id).delete_associated_snapshots(true).send().await.unwrap();
        assert_eq!(gone.r#return(), Some(true));
        let outcome = &gone.delete_snapshot_results()[0];
        assert_eq!(
            (outcome.snapshot_id(), outcome.return_code()),
            (Some(&*snapshot), Some(&SnapshotReturnCodes::Success))
        );
        assert_eq!(refused(client.deregister_image().image_id(&id).send().await), "InvalidAMIID.Unavailable");
        assert_eq!(refused(client.describe_images().image_ids(&id).send().await), "InvalidAMIID.NotFound");
        assert_eq!(
            refused(client.describe_images().image_ids("ami-x").send().await),
            "InvalidAMIID.Malformed"
        );
        let unknown = client.describe_images().filters(filter("colour", "red")).send().await;
        assert_eq!(refused(unknown), "InvalidParameterValue");
    });
}

#[test]
fn images_are_paged_and_shared_ones_are_let_go_by_whoever_has_them() {
    let bench = Bench::new();
    bench.run(SHARING, async {
        let client = bench.ec2();
        let source = client.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        for number in 0..4 {
            let name = format!("copy-{number}");
            client
                .copy_image()
                .name(name)
                .source_image_id(&source)
                .source_region(REGION)
                .send()
                .await
                .unwrap();
        }
        let pages = client.describe_images().max_results(2).into_paginator().items().send();
        let images: Vec<_> = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(images.len(), 5);
        let add = LaunchPermissionModifications::builder()
            .add(LaunchPermission::builder().user_id(OTHER_ACCOUNT).build())
            .build();
        client.modify_image_attribute().image_id(&source).launch_permission(add).send().await.unwrap();
        let other = bench.ec2_of(&bench.of_account(OTHER_ACCOUNT));
        let seen = || other.describe_images().image_ids(&source).executable_users("self").send();
        assert_eq!(seen().await.unwrap().images()[0].owner_id(), Some(ACCOUNT));
        assert_eq!(
            other.cancel_image_launch_permission().image_id(&source).send().await.unwrap().r#return(),
            Some(true)
        );
        assert_eq!(refused(seen().await), "InvalidAMIID.NotFound");
    });
}

#[test]
fn watermarks_are_attached_told_and_detached() {
    let bench = Bench::new();
    bench.run(MARKS, async {
        let client = bench.ec2();
        let source = client.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        let attached = client
            .attach_image_watermark()
            .image_id(&source)
            .watermark_name("approved")
            .send()
            .await
            .unwrap();
        let key = format!("{ACCOUNT}:approved");
        assert_eq!(attached.watermark_key(), Some(&*key));
        let shown = client
            .describe_images()
            .filters(filter("image-watermark.watermark-key", &key))
            .send()
            .await
            .unwrap();
        let mark = &shown.images()[0].image_watermarks()[0];
        assert_eq!((mark.watermark_key(), mark.source_image_id()), (Some(&*key), Some(&*source)));
        assert_eq!(mark.source_image_region(), Some(REGION));
        assert!(mark.source_image_creation_time().is_some() && mark.watermark_creation_time().is_some());
        client.detach_image_watermark().image_id(&source).watermark_key(&key).send().await.unwrap();
        let wrong = client.attach_image_watermark().image_id(&source).watermark_name("no").send().await;
        assert_eq!(refused(wrong), "InvalidParameterValue");
    });
}
