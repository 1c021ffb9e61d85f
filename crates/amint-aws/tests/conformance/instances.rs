//! Instances: launched, told, changed, stopped, made images of, and terminated. One machine is on at a time.

use std::time::Duration;

use amint_cloud::{MachineOptions, WorldOptions};
use amint_guest::imds::IdentityKeys;
use amint_identity::local::LocalKeys;
use aws_sdk_ec2::client::Waiters;
use aws_sdk_ec2::types::{
    AttributeBooleanValue, AttributeValue, BlockDeviceMapping, CreditSpecificationRequest,
    DefaultTargetCapacityType, EbsBlockDevice, EnclaveOptionsRequest, FleetLaunchTemplateConfigRequest,
    FleetLaunchTemplateOverridesRequest, FleetLaunchTemplateSpecificationRequest, FleetType,
    HibernationOptionsRequest, HttpTokensState, IamInstanceProfileSpecification, Instance,
    InstanceAttributeName, InstanceInterruptionBehavior, InstanceLifecycle, InstanceLifecycleType,
    InstanceMarketOptionsRequest, InstanceMetadataEndpointState, InstanceMetadataOptionsRequest,
    InstanceMetadataTagsState, InstanceNetworkInterfaceSpecification, InstanceStateName, InstanceType,
    KeyType, LaunchTemplateSpecification, MarketType, Placement, RequestLaunchTemplateData, ResourceType,
    RunInstancesMonitoringEnabled, ShutdownBehavior, SpotInstanceState, SpotInstanceType, SpotMarketOptions,
    SpotOptionsRequest, TargetCapacitySpecificationRequest, Tenancy, VolumeAttachmentState, VolumeType,
};

use crate::images::{filter, tagged};
use crate::support::{ACCOUNT, Bench, REGION, refused};

pub(crate) const LIFE: &[&str] = &[
    "ec2 AttachVolume",
    "ec2 CreateImage",
    "ec2 DescribeInstanceAttribute",
    "ec2 DescribeInstanceImageMetadata",
    "ec2 DescribeInstanceStatus",
    "ec2 DescribeInstances",
    "ec2 DescribeNetworkInterfaces",
    "ec2 DetachVolume",
    "ec2 GetConsoleOutput",
    "ec2 GetConsoleScreenshot",
    "ec2 ModifyInstanceAttribute",
    "ec2 ModifyInstanceMetadataOptions",
    "ec2 RebootInstances",
    "ec2 RunInstances",
    "ec2 StartInstances",
    "ec2 StopInstances",
    "ec2 TerminateInstances",
];

pub(crate) const FLEET: &[&str] = &["ec2 CreateFleet", "ec2 DescribeSpotInstanceRequests"];

const TRUST: &str = r#"{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}"#;

/// Long enough for whatever a waiter of the SDK waits for: its time passes without anybody waiting.
const LONG: Duration = Duration::from_hours(100_000);

/// Makes an endpoint whose instances have machines; none, and a word about it, where QEMU is not installed.
fn bench() -> Option<Bench> {
    if std::process::Command::new("qemu-system-x86_64").arg("--version").output().is_err() {
        eprintln!("SKIPPED: qemu-system-x86_64 is not installed");
        return None;
    }
    Some(Bench::with(|folder| WorldOptions {
        machines: Some(MachineOptions {
            folder: folder.path().to_owned(),
            // No guest here comes so far as to ask for its metadata.
            bridge: vec!["/bin/false".into()],
            identity: IdentityKeys::new(LocalKeys::generate().unwrap()),
            count_max: 1,
            memory_mib_max: 2048,
            is_let_out: false,
        }),
        ..WorldOptions::default()
    }))
}

async fn profile(bench: &Bench) {
    let client = bench.iam();
    client.create_role().role_name("web").assume_role_policy_document(TRUST).send().await.unwrap();
    client.create_instance_profile().instance_profile_name("web").send().await.unwrap();
    client.add_role_to_instance_profile().instance_profile_name("web").role_name("web").send().await.unwrap();
}

fn device(name: &str, gib: i32) -> BlockDeviceMapping {
    let ebs = EbsBlockDevice::builder()
        .volume_size(gib)
        .volume_type(VolumeType::Gp3)
        .delete_on_termination(true)
        .build();
    BlockDeviceMapping::builder().device_name(name).ebs(ebs).build()
}

async fn shown(client: &aws_sdk_ec2::Client, id: &str) -> Instance {
    let pages = client
        .describe_instances()
        .include_managed_resources(true)
        .filters(filter("instance-id", id))
        .into_paginator()
        .items()
        .send();
    let reservations = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
    assert!(reservations[0].reservation_id().is_some());
    assert_eq!(reservations[0].owner_id(), Some(ACCOUNT));
    reservations[0].instances()[0].clone()
}

#[test]
fn an_instance_is_led_through_its_life() {
    let Some(bench) = bench() else { return };
    bench.run(LIFE, async {
        let client = bench.ec2();
        profile(&bench).await;
        let image = client.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        client.create_key_pair().key_name("me").key_type(KeyType::Ed25519).send().await.unwrap();
        let group = client.create_security_group().group_name("web").description("d").send().await.unwrap();
        let group = group.group_id().unwrap();
        let options = InstanceMetadataOptionsRequest::builder()
            .http_tokens(HttpTokensState::Required)
            .http_put_response_hop_limit(2)
            .http_endpoint(InstanceMetadataEndpointState::Enabled)
            .build();
        let run = || {
            client
                .run_instances()
                .image_id(&image)
                .instance_type(InstanceType::T3Nano)
                .min_count(1)
                .max_count(1)
                .key_name("me")
                .security_group_ids(group)
                .user_data("aGVsbG8=")
                .metadata_options(options.clone())
                .iam_instance_profile(IamInstanceProfileSpecification::builder().name("web").build())
                .block_device_mappings(device("/dev/xvda", 3))
                .client_token("once")
                .tag_specifications(tagged(ResourceType::Instance, "team", "web"))
                .tag_specifications(tagged(ResourceType::Volume, "team", "disks"))
        };
        assert_eq!(refused(run().dry_run(true).send().await), "DryRunOperation");
        let interface = InstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .associate_public_ip_address(true)
            .delete_on_termination(true)
            .groups(group)
            .build();
        let spot = SpotMarketOptions::builder()
            .max_price("0.02")
            .spot_instance_type(SpotInstanceType::OneTime)
            .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate)
            .build();
        let market =
            InstanceMarketOptionsRequest::builder().market_type(MarketType::Spot).spot_options(spot).build();
        let placement =
            Placement::builder().availability_zone(format!("{REGION}b")).tenancy(Tenancy::Default);
        let other = run()
            .set_security_group_ids(None)
            .network_interfaces(interface)
            .instance_market_options(market)
            .placement(placement.build())
            .monitoring(RunInstancesMonitoringEnabled::builder().enabled(true).build())
            .credit_specification(CreditSpecificationRequest::builder().cpu_credits("standard").build())
            .enclave_options(EnclaveOptionsRequest::builder().enabled(false).build())
            .hibernation_options(HibernationOptionsRequest::builder().configured(false).build())
            .instance_initiated_shutdown_behavior(ShutdownBehavior::Stop)
            .disable_api_termination(false)
            .disable_api_stop(false)
            .ebs_optimized(false);
        assert_eq!(refused(other.dry_run(true).send().await), "DryRunOperation");
        assert_eq!(refused(run().image_id("ami-00000000").send().await), "InvalidAMIID.NotFound");
        let launched = run().send().await.unwrap();
        let id = launched.instances()[0].instance_id().unwrap();
        assert_eq!(run().send().await.unwrap().instances()[0].instance_id(), Some(id));
        client.wait_until_instance_exists().instance_ids(id).wait(LONG).await.unwrap();
        client.wait_until_instance_running().instance_ids(id).wait(LONG).await.unwrap();

        let one = shown(&client, id).await;
        assert_eq!((one.image_id(), one.instance_type()), (Some(&*image), Some(&InstanceType::T3Nano)));
        assert_eq!(
            (one.key_name(), one.client_token(), one.ami_launch_index()),
            (Some("me"), Some("once"), Some(0))
        );
        assert_eq!(one.state().and_then(|state| state.code()), Some(16));
        assert_eq!((one.tags()[0].key(), one.tags()[0].value()), (Some("team"), Some("web")));
        assert_eq!(
            (one.security_groups()[0].group_id(), one.security_groups()[0].group_name()),
            (Some(group), Some("web"))
        );
        assert!(
            one.private_ip_address().is_some()
                && one.public_ip_address().is_some()
                && one.private_dns_name().is_some()
        );
        assert!(one.subnet_id().is_some() && one.vpc_id().is_some() && one.launch_time().is_some());
        let profile = one.iam_instance_profile().unwrap();
        assert_eq!(profile.arn(), Some(&*format!("arn:aws:iam::{ACCOUNT}:instance-profile/web")));
        let told = one.metadata_options().unwrap();
        assert_eq!(
            (told.http_tokens(), told.http_put_response_hop_limit()),
            (Some(&HttpTokensState::Required), Some(2))
        );
        let disk = one.block_device_mappings()[0].ebs().unwrap();
        assert_eq!(
            (disk.status(), disk.delete_on_termination()),
            (Some(&aws_sdk_ec2::types::AttachmentStatus::Attached), Some(true))
        );
        let interface = &one.network_interfaces()[0];
        assert_eq!(interface.private_ip_address(), one.private_ip_address());
        let listed = client
            .describe_network_interfaces()
            .filters(filter("attachment.instance-id", id))
            .send()
            .await
            .unwrap();
        let found = &listed.network_interfaces()[0];
        assert_eq!(found.network_interface_id(), interface.network_interface_id());
        assert_eq!(found.attachment().and_then(|one| one.instance_id()), Some(id));

        client.wait_until_instance_status_ok().instance_ids(id).wait(LONG).await.unwrap();
        client.wait_until_system_status_ok().instance_ids(id).wait(LONG).await.unwrap();
        let statuses = client
            .describe_instance_status()
            .instance_ids(id)
            .include_all_instances(true)
            .send()
            .await
            .unwrap();
        let status = &statuses.instance_statuses()[0];
        assert_eq!(
            (status.instance_id(), status.availability_zone()),
            (Some(id), one.placement().unwrap().availability_zone())
        );
        assert!(
            status.instance_status().unwrap().status().is_some()
                && status.system_status().unwrap().status().is_some()
        );
        let output = client.get_console_output().instance_id(id).latest(true).send().await.unwrap();
        assert_eq!(output.instance_id(), Some(id));
        assert!(output.timestamp().is_some());
        let screen = client.get_console_screenshot().instance_id(id).wake_up(true).send().await.unwrap();
        // The first bytes of a JPEG, in base64.
        assert!(screen.image_data().unwrap().starts_with("/9j/") && screen.instance_id() == Some(id));
        let from = client
            .describe_instance_image_metadata()
            .filters(filter("instance-id", id))
            .send()
            .await
            .unwrap();
        let from = &from.instance_image_metadata()[0];
        assert_eq!((from.instance_id(), from.owner_id()), (Some(id), Some(ACCOUNT)));
        assert_eq!(from.image_metadata().and_then(|one| one.image_id()), Some(&*image));
        assert_eq!(from.image_metadata().and_then(|one| one.image_allowed()), Some(true));

        let changed = client
            .modify_instance_metadata_options()
            .instance_id(id)
            .http_tokens(HttpTokensState::Optional)
            .instance_metadata_tags(InstanceMetadataTagsState::Enabled)
            .send()
            .await
            .unwrap();
        let options = changed.instance_metadata_options().unwrap();
        assert_eq!(changed.instance_id(), Some(id));
        assert_eq!(
            (options.http_tokens(), options.instance_metadata_tags()),
            (Some(&HttpTokensState::Optional), Some(&InstanceMetadataTagsState::Enabled))
        );
        client.reboot_instances().instance_ids(id).send().await.unwrap();
        // No system runs that would mind the power button.
        let stopped = client.stop_instances().instance_ids(id).force(true).send().await.unwrap();
        let change = &stopped.stopping_instances()[0];
        assert_eq!(change.instance_id(), Some(id));
        assert_eq!(change.previous_state().and_then(|state| state.name()), Some(&InstanceStateName::Running));
        assert!(change.current_state().is_some());
        client.wait_until_instance_stopped().instance_ids(id).wait(LONG).await.unwrap();
        let off = shown(&client, id).await;
        assert_eq!(off.state_reason().and_then(|one| one.code()), Some("Client.UserInitiatedShutdown"));
        assert!(off.state_transition_reason().is_some_and(|words| words.starts_with("User initiated")));

        // Off, it is changed.
        let modify = || client.modify_instance_attribute().instance_id(id);
        let value = |text: &str| AttributeValue::builder().value(text).build();
        let switch = |is_on: bool| AttributeBooleanValue::builder().value(is_on).build();
        modify().instance_type(value("t3.micro")).send().await.unwrap();
        modify().instance_initiated_shutdown_behavior(value("terminate")).send().await.unwrap();
        modify().disable_api_stop(switch(false)).send().await.unwrap();
        modify().source_dest_check(switch(false)).send().await.unwrap();
        modify().disable_api_termination(switch(true)).send().await.unwrap();
        assert_eq!(
            refused(client.terminate_instances().instance_ids(id).send().await),
            "OperationNotPermitted"
        );
        modify().disable_api_termination(switch(false)).send().await.unwrap();
        let attribute = |name: InstanceAttributeName| {
            client.describe_instance_attribute().instance_id(id).attribute(name).send()
        };
        let told = attribute(InstanceAttributeName::InstanceType).await.unwrap();
        assert_eq!(
            (told.instance_id(), told.instance_type().and_then(|one| one.value())),
            (Some(id), Some("t3.micro"))
        );
        let told = attribute(InstanceAttributeName::UserData).await.unwrap();
        assert_eq!(told.user_data().and_then(|one| one.value()), Some("aGVsbG8="));
        let told = attribute(InstanceAttributeName::InstanceInitiatedShutdownBehavior).await.unwrap();
        assert_eq!(
            told.instance_initiated_shutdown_behavior().and_then(|one| one.value()),
            Some("terminate")
        );
        let told = attribute(InstanceAttributeName::DisableApiTermination).await.unwrap();
        assert_eq!(told.disable_api_termination().and_then(|one| one.value()), Some(false));
        let told = attribute(InstanceAttributeName::DisableApiStop).await.unwrap();
        assert_eq!(told.disable_api_stop().and_then(|one| one.value()), Some(false));
        let told = attribute(InstanceAttributeName::SourceDestCheck).await.unwrap();
        assert_eq!(told.source_dest_check().and_then(|one| one.value()), Some(false));
        let told = attribute(InstanceAttributeName::EbsOptimized).await.unwrap();
        assert_eq!(told.ebs_optimized().and_then(|one| one.value()), Some(false));
        let told = attribute(InstanceAttributeName::EnaSupport).await.unwrap();
        assert!(told.ena_support().is_some_and(|one| one.value().is_some()));
        let told = attribute(InstanceAttributeName::RootDeviceName).await.unwrap();
        assert_eq!(told.root_device_name().and_then(|one| one.value()), one.root_device_name());
        let told = attribute(InstanceAttributeName::GroupSet).await.unwrap();
        assert_eq!(told.groups()[0].group_id(), Some(group));
        let told = attribute(InstanceAttributeName::EnclaveOptions).await.unwrap();
        assert_eq!(told.enclave_options().and_then(|one| one.enabled()), Some(false));
        let told = attribute(InstanceAttributeName::BlockDeviceMapping).await.unwrap();
        assert_eq!(told.block_device_mappings().len(), 1);
        for name in [
            InstanceAttributeName::Kernel,
            InstanceAttributeName::Ramdisk,
            InstanceAttributeName::ProductCodes,
            InstanceAttributeName::SriovNetSupport,
        ] {
            attribute(name).await.unwrap();
        }

        let zone = one.placement().unwrap().availability_zone().unwrap();
        let volume =
            client.create_volume().availability_zone(zone).size(1).send().await.unwrap().volume_id.unwrap();
        client.wait_until_volume_available().volume_ids(&volume).wait(LONG).await.unwrap();
        let attached = client
            .attach_volume()
            .volume_id(&volume)
            .instance_id(id)
            .device("/dev/sdf")
            .send()
            .await
            .unwrap();
        assert_eq!(
            (attached.volume_id(), attached.instance_id(), attached.device()),
            (Some(&*volume), Some(id), Some("/dev/sdf"))
        );
        assert!(attached.attach_time().is_some() && attached.state().is_some());
        client.wait_until_volume_in_use().volume_ids(&volume).wait(LONG).await.unwrap();
        assert_eq!(refused(client.delete_volume().volume_id(&volume).send().await), "VolumeInUse");
        let made = client
            .create_image()
            .instance_id(id)
            .name("second")
            .description("made")
            .block_device_mappings(
                BlockDeviceMapping::builder().device_name("/dev/sdf").no_device("").build(),
            )
            .tag_specifications(tagged(ResourceType::Image, "a", "b"))
            .send()
            .await
            .unwrap();
        let second = made.image_id().unwrap();
        client.wait_until_image_available().image_ids(second).wait(LONG).await.unwrap();
        let described = client.describe_images().image_ids(second).send().await.unwrap();
        assert_eq!(described.images()[0].source_instance_id(), Some(id));
        assert_eq!(described.images()[0].block_device_mappings().len(), 1);
        let detached = client
            .detach_volume()
            .volume_id(&volume)
            .instance_id(id)
            .device("/dev/sdf")
            .send()
            .await
            .unwrap();
        assert_eq!(detached.volume_id(), Some(&*volume));
        assert!(matches!(
            detached.state(),
            Some(VolumeAttachmentState::Detaching | VolumeAttachmentState::Detached)
        ));

        let started = client.start_instances().instance_ids(id).send().await.unwrap();
        assert_eq!(
            started.starting_instances()[0].current_state().and_then(|state| state.name()),
            Some(&InstanceStateName::Pending)
        );
        client.wait_until_instance_running().instance_ids(id).wait(LONG).await.unwrap();
        assert_eq!(refused(modify().instance_type(value("t3.nano")).send().await), "IncorrectInstanceState");
        assert_eq!(
            refused(client.delete_security_group().group_id(group).send().await),
            "DependencyViolation"
        );
        let ended = client.terminate_instances().instance_ids(id).send().await.unwrap();
        assert_eq!(ended.terminating_instances()[0].instance_id(), Some(id));
        client.wait_until_instance_terminated().instance_ids(id).wait(LONG).await.unwrap();
        assert_eq!(
            refused(client.stop_instances().instance_ids("i-00000000").send().await),
            "InvalidInstanceID.NotFound"
        );
        assert_eq!(
            refused(client.stop_instances().instance_ids("x").send().await),
            "InvalidInstanceID.Malformed"
        );
    });
}

#[test]
fn a_fleet_launches_spot_instances_by_a_template() {
    let Some(bench) = bench() else { return };
    bench.run(FLEET, async {
        let client = bench.ec2();
        let image = client.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        let data =
            RequestLaunchTemplateData::builder().image_id(&image).instance_type(InstanceType::T3Nano).build();
        client
            .create_launch_template()
            .launch_template_name("web")
            .launch_template_data(data)
            .send()
            .await
            .unwrap();
        let template = FleetLaunchTemplateSpecificationRequest::builder()
            .launch_template_name("web")
            .version("$Latest")
            .build();
        let unknown =
            FleetLaunchTemplateOverridesRequest::builder().instance_type(InstanceType::M52xlarge).build();
        let known = FleetLaunchTemplateOverridesRequest::builder()
            .instance_type(InstanceType::T3Micro)
            .max_price("0.02")
            .build();
        let config = FleetLaunchTemplateConfigRequest::builder()
            .launch_template_specification(template)
            .overrides(unknown)
            .overrides(known)
            .build();
        let capacity = TargetCapacitySpecificationRequest::builder()
            .total_target_capacity(1)
            .default_target_capacity_type(DefaultTargetCapacityType::Spot)
            .build();
        let create = |kind: FleetType| {
            client
                .create_fleet()
                .r#type(kind)
                .launch_template_configs(config.clone())
                .target_capacity_specification(capacity.clone())
                .spot_options(
                    SpotOptionsRequest::builder()
                        .allocation_strategy("price-capacity-optimized".into())
                        .build(),
                )
                .tag_specifications(tagged(ResourceType::Instance, "a", "b"))
        };
        let fleet = create(FleetType::Instant).send().await.unwrap();
        assert!(fleet.fleet_id().is_some());
        let error = &fleet.errors()[0];
        assert!(error.error_code().is_some() && error.error_message().is_some());
        assert_eq!(error.lifecycle(), Some(&InstanceLifecycle::Spot));
        let launched = &fleet.instances()[0];
        assert_eq!(
            (launched.lifecycle(), launched.instance_type()),
            (Some(&InstanceLifecycle::Spot), Some(&InstanceType::T3Micro))
        );
        let told = launched.launch_template_and_overrides().unwrap().launch_template_specification().unwrap();
        assert!(told.launch_template_id().is_some() && told.version() == Some("1"));
        let id = &launched.instance_ids()[0];
        let one = shown(&client, id).await;
        assert_eq!(
            (one.instance_lifecycle(), one.tags()[0].key()),
            (Some(&InstanceLifecycleType::Spot), Some("a"))
        );
        let request = one.spot_instance_request_id().unwrap();
        let waited = client
            .wait_until_spot_instance_request_fulfilled()
            .spot_instance_request_ids(request)
            .wait(LONG)
            .await
            .unwrap();
        let described = waited.into_result().unwrap();
        let told = &described.spot_instance_requests()[0];
        assert_eq!((told.instance_id(), told.spot_price()), (Some(&**id), Some("0.02")));
        assert_eq!(
            (told.state(), told.product_description()),
            (Some(&SpotInstanceState::Active), Some(&"Linux/UNIX".into()))
        );
        assert_eq!(told.launch_specification().and_then(|one| one.image_id()), Some(&*image));
        assert_eq!(refused(create(FleetType::Maintain).send().await), "UnsupportedOperation");
        client.terminate_instances().instance_ids(id).send().await.unwrap();
        client.wait_until_instance_terminated().instance_ids(id).wait(LONG).await.unwrap();
        let by_template = LaunchTemplateSpecification::builder().launch_template_name("none").build();
        let none = client.run_instances().launch_template(by_template).min_count(1).max_count(1).send().await;
        assert_eq!(refused(none), "InvalidLaunchTemplateName.NotFoundException");
        assert_eq!(
            one.placement().and_then(|one| one.availability_zone()).map(|zone| zone.starts_with(REGION)),
            Some(true)
        );
    });
}
