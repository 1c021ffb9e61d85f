//! Launch templates and groups of Auto Scaling, and who uses an image by them.

use std::time::Duration;

use aws_sdk_autoscaling::client::Waiters as _;
use aws_sdk_ec2::client::Waiters as _;
use aws_sdk_ec2::types::{
    ImageReferenceResourceType, ImageUsageResourceTypeOptionRequest, ImageUsageResourceTypeRequest,
    InstanceType, LaunchTemplateBlockDeviceMappingRequest, LaunchTemplateEbsBlockDeviceRequest,
    LaunchTemplateErrorCode, LaunchTemplateHttpTokensState, LaunchTemplateInstanceMetadataOptionsRequest,
    LaunchTemplateInstanceNetworkInterfaceSpecificationRequest, LaunchTemplateTagSpecificationRequest,
    LaunchTemplatesMonitoringRequest, RequestLaunchTemplateData, ResourceType, ResourceTypeRequest, Tag,
    VolumeType,
};

use crate::images::{filter, tagged};
use crate::support::{ACCOUNT, Bench, OTHER_ACCOUNT, REGION, refused};

pub(crate) const TEMPLATES: &[&str] = &[
    "ec2 CreateLaunchTemplate",
    "ec2 CreateLaunchTemplateVersion",
    "ec2 DeleteLaunchTemplate",
    "ec2 DeleteLaunchTemplateVersions",
    "ec2 DescribeLaunchTemplateVersions",
    "ec2 DescribeLaunchTemplates",
    "ec2 ModifyLaunchTemplate",
];

pub(crate) const SCALING: &[&str] = &[
    "autoscaling CreateAutoScalingGroup",
    "autoscaling CreateLaunchConfiguration",
    "autoscaling DeleteAutoScalingGroup",
    "autoscaling DeleteLaunchConfiguration",
    "autoscaling DescribeAutoScalingGroups",
    "autoscaling DescribeLaunchConfigurations",
    "autoscaling UpdateAutoScalingGroup",
];

pub(crate) const USERS: &[&str] = &[
    "ec2 CreateImageUsageReport",
    "ec2 DeleteImageUsageReport",
    "ec2 DescribeImageReferences",
    "ec2 DescribeImageUsageReportEntries",
    "ec2 DescribeImageUsageReports",
];

const LONG: Duration = Duration::from_hours(1);

fn data(image: &str) -> RequestLaunchTemplateData {
    let disk = LaunchTemplateEbsBlockDeviceRequest::builder()
        .volume_size(8)
        .volume_type(VolumeType::Gp3)
        .iops(3000)
        .throughput(125)
        .encrypted(false)
        .delete_on_termination(true)
        .build();
    let interface = LaunchTemplateInstanceNetworkInterfaceSpecificationRequest::builder()
        .device_index(0)
        .associate_public_ip_address(true)
        .groups("sg-00000001")
        .description("d")
        .build();
    let tag = Tag::builder().key("team").value("web").build();
    RequestLaunchTemplateData::builder()
        .image_id(image)
        .instance_type(InstanceType::T3Nano)
        .key_name("me")
        .user_data("aGVsbG8=")
        .ebs_optimized(false)
        .monitoring(LaunchTemplatesMonitoringRequest::builder().enabled(false).build())
        .metadata_options(
            LaunchTemplateInstanceMetadataOptionsRequest::builder()
                .http_tokens(LaunchTemplateHttpTokensState::Required)
                .http_put_response_hop_limit(2)
                .build(),
        )
        .block_device_mappings(
            LaunchTemplateBlockDeviceMappingRequest::builder().device_name("/dev/sdf").no_device("").build(),
        )
        .block_device_mappings(
            LaunchTemplateBlockDeviceMappingRequest::builder().device_name("/dev/xvda").ebs(disk).build(),
        )
        .network_interfaces(interface)
        .tag_specifications(
            LaunchTemplateTagSpecificationRequest::builder()
                .resource_type(ResourceType::Instance)
                .tags(tag)
                .build(),
        )
        .build()
}

async fn image(client: &aws_sdk_ec2::Client) -> String {
    client.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap()
}

#[test]
fn a_template_is_led_through_its_versions() {
    let bench = Bench::new();
    bench.run(TEMPLATES, async {
        let client = bench.ec2();
        let image = image(&client).await;
        let create = || {
            client
                .create_launch_template()
                .launch_template_name("web")
                .version_description("first")
                .launch_template_data(data(&image))
                .tag_specifications(tagged(ResourceType::LaunchTemplate, "a", "b"))
        };
        let made = create().send().await.unwrap();
        let template = made.launch_template().unwrap();
        let id = template.launch_template_id().unwrap();
        assert_eq!((template.launch_template_name(), template.tags()[0].key()), (Some("web"), Some("a")));
        assert_eq!((template.default_version_number(), template.latest_version_number()), (Some(1), Some(1)));
        assert!(template.create_time().is_some() && template.created_by().is_some());
        assert_eq!(refused(create().send().await), "InvalidLaunchTemplateName.AlreadyExistsException");
        let micro = RequestLaunchTemplateData::builder().instance_type(InstanceType::T3Micro).build();
        let version = client
            .create_launch_template_version()
            .launch_template_id(id)
            .source_version("1")
            .launch_template_data(micro);
        let version = version.version_description("second").send().await.unwrap();
        let version = version.launch_template_version().unwrap();
        assert_eq!((version.version_number(), version.version_description()), (Some(2), Some("second")));
        assert_eq!((version.default_version(), version.launch_template_id()), (Some(false), Some(id)));
        let told = version.launch_template_data().unwrap();
        assert_eq!((told.image_id(), told.instance_type()), (Some(&*image), Some(&InstanceType::T3Micro)));
        assert_eq!((told.key_name(), told.user_data()), (Some("me"), Some("aGVsbG8=")));
        let options = told.metadata_options().unwrap();
        assert_eq!(
            (options.http_tokens(), options.http_put_response_hop_limit()),
            (Some(&LaunchTemplateHttpTokensState::Required), Some(2))
        );
        assert_eq!(told.block_device_mappings()[0].no_device(), Some(""));
        let disk = told.block_device_mappings()[1].ebs().unwrap();
        assert_eq!(
            (disk.volume_size(), disk.volume_type(), disk.iops()),
            (Some(8), Some(&VolumeType::Gp3), Some(3000))
        );
        assert_eq!(
            (disk.throughput(), disk.encrypted(), disk.delete_on_termination()),
            (Some(125), Some(false), Some(true))
        );
        let interface = &told.network_interfaces()[0];
        assert_eq!(
            (interface.device_index(), interface.groups()),
            (Some(0), &["sg-00000001".to_owned()][..])
        );
        assert_eq!(interface.associate_public_ip_address(), Some(true));
        assert_eq!(told.tag_specifications()[0].tags()[0].value(), Some("web"));

        let pages = client
            .describe_launch_template_versions()
            .launch_template_name("web")
            .max_results(1)
            .into_paginator()
            .items()
            .send();
        let versions = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(versions.iter().filter_map(|one| one.version_number()).collect::<Vec<_>>(), [2, 1]);
        let modified =
            client.modify_launch_template().launch_template_id(id).default_version("2").send().await.unwrap();
        assert_eq!(modified.launch_template().and_then(|one| one.default_version_number()), Some(2));
        let pages =
            client.describe_launch_templates().filters(filter("tag:a", "b")).into_paginator().items().send();
        let templates = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(
            (templates[0].launch_template_id(), templates[0].latest_version_number()),
            (Some(id), Some(2))
        );
        let gone = client
            .delete_launch_template_versions()
            .launch_template_id(id)
            .versions("1")
            .versions("9")
            .send()
            .await
            .unwrap();
        let done = &gone.successfully_deleted_launch_template_versions()[0];
        assert_eq!(
            (done.launch_template_id(), done.launch_template_name(), done.version_number()),
            (Some(id), Some("web"), Some(1))
        );
        let failed = &gone.unsuccessfully_deleted_launch_template_versions()[0];
        assert_eq!((failed.launch_template_id(), failed.version_number()), (Some(id), Some(9)));
        let error = failed.response_error().unwrap();
        assert_eq!(error.code(), Some(&LaunchTemplateErrorCode::LaunchTemplateVersionDoesNotExist));
        assert!(error.message().is_some());
        let deleted = client.delete_launch_template().launch_template_id(id).send().await.unwrap();
        assert_eq!(deleted.launch_template().and_then(|one| one.launch_template_id()), Some(id));
        let none = client.describe_launch_template_versions().launch_template_name("web").send().await;
        assert_eq!(refused(none), "InvalidLaunchTemplateName.NotFoundException");
    });
}

#[test]
fn groups_of_auto_scaling_launch_by_configurations_and_templates() {
    let bench = Bench::new();
    bench.run(SCALING, async {
        let (client, ec2) = (bench.autoscaling(), bench.ec2());
        let image = image(&ec2).await;
        let options = aws_sdk_autoscaling::types::InstanceMetadataOptions::builder()
            .http_tokens(aws_sdk_autoscaling::types::InstanceMetadataHttpTokensState::Required)
            .http_put_response_hop_limit(2)
            .build();
        let create = client
            .create_launch_configuration()
            .launch_configuration_name("lc")
            .image_id(&image)
            .instance_type("t3.nano");
        create
            .user_data("aGVsbG8=")
            .security_groups("sg-00000001")
            .key_name("me")
            .iam_instance_profile("web")
            .metadata_options(options)
            .send()
            .await
            .unwrap();
        let pages = client
            .describe_launch_configurations()
            .launch_configuration_names("lc")
            .into_paginator()
            .items()
            .send();
        let told = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((told[0].image_id(), told[0].instance_type()), (Some(&*image), Some("t3.nano")));
        assert_eq!((told[0].key_name(), told[0].iam_instance_profile()), (Some("me"), Some("web")));
        assert_eq!(
            (told[0].user_data(), told[0].security_groups()),
            (Some("aGVsbG8="), &["sg-00000001".to_owned()][..])
        );
        assert_eq!(told[0].metadata_options().and_then(|one| one.http_put_response_hop_limit()), Some(2));
        assert!(told[0].launch_configuration_arn().is_some() && told[0].created_time().is_some());
        let tag =
            aws_sdk_autoscaling::types::Tag::builder().key("a").value("b").propagate_at_launch(false).build();
        let group = || {
            client
                .create_auto_scaling_group()
                .auto_scaling_group_name("web")
                .launch_configuration_name("lc")
                .min_size(1)
                .max_size(3)
                .availability_zones(format!("{REGION}a"))
                .tags(tag.clone())
        };
        group().send().await.unwrap();
        assert_eq!(refused(group().send().await), "AlreadyExists");
        client.wait_until_group_exists().auto_scaling_group_names("web").wait(LONG).await.unwrap();
        let shown = || async {
            let pages = client
                .describe_auto_scaling_groups()
                .auto_scaling_group_names("web")
                .into_paginator()
                .items()
                .send();
            pages.collect::<Result<Vec<_>, _>>().await.unwrap().remove(0)
        };
        let told = shown().await;
        assert_eq!((told.min_size(), told.max_size(), told.desired_capacity()), (Some(1), Some(3), Some(1)));
        assert_eq!(
            (told.launch_configuration_name(), told.availability_zones()),
            (Some("lc"), &[format!("{REGION}a")][..])
        );
        assert_eq!((told.tags()[0].key(), told.tags()[0].value()), (Some("a"), Some("b")));
        assert_eq!((told.health_check_type(), told.default_cooldown()), (Some("EC2"), Some(300)));
        assert!(told.auto_scaling_group_arn().is_some() && told.created_time().is_some());
        assert_eq!(
            refused(client.delete_launch_configuration().launch_configuration_name("lc").send().await),
            "ResourceInUse"
        );
        let made = ec2
            .create_launch_template()
            .launch_template_name("web")
            .launch_template_data(data(&image))
            .send()
            .await
            .unwrap();
        let id = made.launch_template().unwrap().launch_template_id().unwrap();
        let template = aws_sdk_autoscaling::types::LaunchTemplateSpecification::builder()
            .launch_template_id(id)
            .version("$Latest")
            .build();
        client
            .update_auto_scaling_group()
            .auto_scaling_group_name("web")
            .launch_template(template)
            .min_size(2)
            .send()
            .await
            .unwrap();
        let told = shown().await;
        let template = told.launch_template().unwrap();
        assert_eq!((template.launch_template_id(), template.launch_template_name()), (Some(id), Some("web")));
        assert_eq!((template.version(), told.desired_capacity()), (Some("$Latest"), Some(2)));
        client.delete_launch_configuration().launch_configuration_name("lc").send().await.unwrap();
        client
            .delete_auto_scaling_group()
            .auto_scaling_group_name("web")
            .force_delete(true)
            .send()
            .await
            .unwrap();
        client.wait_until_group_not_exists().auto_scaling_group_names("web").wait(LONG).await.unwrap();
        let none = client.update_auto_scaling_group().auto_scaling_group_name("web").min_size(1).send().await;
        assert_eq!(refused(none), "ValidationError");
    });
}

#[test]
fn who_uses_an_image_is_told_and_reported() {
    let bench = Bench::new();
    bench.run(USERS, async {
        let client = bench.ec2();
        let image = image(&client).await;
        client
            .create_launch_template()
            .launch_template_name("web")
            .launch_template_data(data(&image))
            .send()
            .await
            .unwrap();
        let parameter = bench
            .ssm()
            .put_parameter()
            .name("/web/ami")
            .value(&image)
            .r#type(aws_sdk_ssm::types::ParameterType::String);
        parameter.data_type("aws:ec2:image").send().await.unwrap();
        let pages = client
            .describe_image_references()
            .image_ids(&image)
            .include_all_resource_types(true)
            .into_paginator()
            .items()
            .send();
        let references = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((references.len(), references[0].image_id()), (2, Some(&*image)));
        let kinds = [ImageReferenceResourceType::Ec2LaunchTemplate, ImageReferenceResourceType::SsmParameter];
        for kind in kinds {
            let one = references.iter().find(|one| one.resource_type() == Some(&kind)).unwrap();
            assert!(one.arn().is_some_and(|arn| arn.contains(ACCOUNT)), "{one:?}");
        }
        let only =
            ResourceTypeRequest::builder().resource_type(ImageReferenceResourceType::SsmParameter).build();
        let told =
            client.describe_image_references().image_ids(&image).resource_types(only).send().await.unwrap();
        assert_eq!(told.image_references().len(), 1);
        assert_eq!(
            refused(client.describe_image_references().image_ids(&image).send().await),
            "MissingParameter"
        );

        let other = bench.ec2_of(&bench.of_account(OTHER_ACCOUNT));
        let permission = aws_sdk_ec2::types::LaunchPermission::builder().user_id(OTHER_ACCOUNT).build();
        let add = aws_sdk_ec2::types::LaunchPermissionModifications::builder().add(permission).build();
        client.modify_image_attribute().image_id(&image).launch_permission(add).send().await.unwrap();
        other
            .create_launch_template()
            .launch_template_name("their")
            .launch_template_data(data(&image))
            .send()
            .await
            .unwrap();
        let depth = ImageUsageResourceTypeOptionRequest::builder()
            .option_name("version-depth")
            .option_values("100")
            .build();
        let kind = ImageUsageResourceTypeRequest::builder()
            .resource_type("ec2:LaunchTemplate")
            .resource_type_options(depth)
            .build();
        let create = || {
            client
                .create_image_usage_report()
                .image_id(&image)
                .resource_types(kind.clone())
                .account_ids(OTHER_ACCOUNT)
                .client_token("once")
                .tag_specifications(tagged(ResourceType::ImageUsageReport, "a", "b"))
        };
        let report = create().send().await.unwrap().report_id.unwrap();
        assert_eq!(create().send().await.unwrap().report_id(), Some(&*report));
        client.wait_until_image_usage_report_available().report_ids(&report).wait(LONG).await.unwrap();
        let pages = client.describe_image_usage_reports().report_ids(&report).into_paginator().items().send();
        let reports = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let told = &reports[0];
        assert_eq!(
            (told.image_id(), told.state(), told.account_ids()),
            (Some(&*image), Some("available"), &[OTHER_ACCOUNT.to_owned()][..])
        );
        let kind = &told.resource_types()[0];
        assert_eq!(
            (kind.resource_type(), kind.resource_type_options()[0].option_name()),
            (Some("ec2:LaunchTemplate"), Some("version-depth"))
        );
        assert_eq!(kind.resource_type_options()[0].option_values(), ["100"]);
        assert!(told.creation_time().is_some() && told.expiration_time().is_some() && told.tags().len() == 1);
        let pages =
            client.describe_image_usage_report_entries().report_ids(&report).into_paginator().items().send();
        let entries = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let entry = &entries[0];
        assert_eq!(
            (entry.account_id(), entry.usage_count(), entry.image_id()),
            (Some(OTHER_ACCOUNT), Some(1), Some(&*image))
        );
        assert_eq!((entry.resource_type(), entry.report_id()), (Some("ec2:LaunchTemplate"), Some(&*report)));
        assert!(entry.report_creation_time().is_some());
        assert_eq!(
            client.delete_image_usage_report().report_id(&report).send().await.unwrap().r#return(),
            Some(true)
        );
        assert_eq!(
            refused(client.delete_image_usage_report().report_id(&report).send().await),
            "InvalidImageUsageReportId.NotFound"
        );
    });
}
