//! Launch templates, and what is launched by them.

use crate::support::Bench;

fn create(bench: &Bench, image: &str) -> String {
    let data = format!(
        "LaunchTemplateData.ImageId={image}&LaunchTemplateData.InstanceType=t3.nano&\
         LaunchTemplateData.MetadataOptions.HttpTokens=required&LaunchTemplateData.UserData=aGVsbG8=&\
         LaunchTemplateData.NetworkInterface.1.DeviceIndex=0&\
         LaunchTemplateData.NetworkInterface.1.SecurityGroupId.1=sg-00000001&\
         LaunchTemplateData.TagSpecification.1.ResourceType=instance&\
         LaunchTemplateData.TagSpecification.1.Tag.1.Key=team&LaunchTemplateData.TagSpecification.1.Tag.1.Value=web"
    );
    bench.did(&format!("CreateLaunchTemplate&LaunchTemplateName=web&{data}")).one("launchTemplateId")
}

#[test]
fn versions_are_kept_and_told_as_they_were_sent() {
    let bench = Bench::new(true);
    let image = bench.image_id();
    let id = create(&bench, &image);
    assert_eq!(
        bench.refused("CreateLaunchTemplate&LaunchTemplateName=web&LaunchTemplateData.ImageId=ami-00000000"),
        "InvalidLaunchTemplateName.AlreadyExistsException"
    );
    let second = bench.did(
        "CreateLaunchTemplateVersion&LaunchTemplateName=web&SourceVersion=1&LaunchTemplateData.InstanceType=t3.micro",
    );
    assert_eq!((second.one("versionNumber"), second.one("imageId")), ("2".to_owned(), image.clone()));
    let all = bench.did(&format!("DescribeLaunchTemplateVersions&LaunchTemplateId={id}"));
    assert_eq!(all.all("instanceType"), ["t3.micro", "t3.nano"], "the newest first");
    let text = all.text();
    for part in [
        "<networkInterfaceSet><item><deviceIndex>0</deviceIndex><groupSet><groupId>sg-00000001</groupId></groupSet>",
        "<tagSpecificationSet><item><resourceType>instance</resourceType><tagSet><item><key>team</key>",
        "<metadataOptions><httpTokens>required</httpTokens></metadataOptions>",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    let default = |wanted: &str| {
        let body =
            format!("DescribeLaunchTemplateVersions&LaunchTemplateName=web&LaunchTemplateVersion.1={wanted}");
        bench.did(&body).one("versionNumber")
    };
    assert_eq!((default("$Default"), default("$Latest")), ("1".to_owned(), "2".to_owned()));
    bench.did("ModifyLaunchTemplate&LaunchTemplateName=web&SetDefaultVersion=2");
    assert_eq!(default("$Default"), "2");
    let gone = bench.did(
        "DeleteLaunchTemplateVersions&LaunchTemplateName=web&LaunchTemplateVersion.1=1&LaunchTemplateVersion.2=2&\
         LaunchTemplateVersion.3=9",
    );
    assert_eq!(gone.all("code"), ["unexpectedError", "launchTemplateVersionDoesNotExist"]);
    bench.did(&format!("CreateTags&ResourceId.1={id}&Tag.1.Key=a&Tag.1.Value=b"));
    assert_eq!(
        bench.did("DescribeLaunchTemplates&Filter.1.Name=tag:a&Filter.1.Value.1=b").one("launchTemplateId"),
        id
    );
    let asked = format!("DescribeImageReferences&ImageId.1={image}&IncludeAllResourceTypes=true");
    assert_eq!(bench.did(&asked).one("resourceType"), "ec2:LaunchTemplate");
    bench.did("DeleteLaunchTemplate&LaunchTemplateName=web");
    assert_eq!(
        bench.refused("DescribeLaunchTemplateVersions&LaunchTemplateName=web"),
        "InvalidLaunchTemplateName.NotFoundException"
    );
}

#[test]
fn what_instances_here_do_not_have_is_refused() {
    let bench = Bench::new(true);
    for (body, code) in [
        ("LaunchTemplateName=web&LaunchTemplateData.RamDiskId=ari-1", "UnknownParameter"),
        (
            "LaunchTemplateName=w&LaunchTemplateData.InstanceType=t3.nano",
            "InvalidLaunchTemplateName.MalformedException",
        ),
        ("LaunchTemplateName=web&LaunchTemplateData.ImageId=x", "InvalidAMIID.Malformed"),
    ] {
        assert_eq!(bench.refused(&format!("CreateLaunchTemplate&{body}")), code, "{body}");
    }
    let fleet = "LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName=none&\
                 TargetCapacitySpecification.TotalTargetCapacity=1";
    assert_eq!(bench.refused(&format!("CreateFleet&Type=maintain&{fleet}")), "UnsupportedOperation");
    let mixed = "TargetCapacitySpecification.OnDemandTargetCapacity=1&\
                 TargetCapacitySpecification.SpotTargetCapacity=1";
    let two = fleet.replace("Capacity=1", "Capacity=2");
    assert_eq!(bench.refused(&format!("CreateFleet&Type=instant&{two}&{mixed}")), "UnsupportedOperation");
    assert_eq!(
        bench.refused(&format!("CreateFleet&Type=instant&{fleet}")),
        "InvalidLaunchTemplateName.NotFoundException"
    );
}

#[test]
fn instances_are_launched_by_a_template_and_by_a_fleet() {
    let Some((bench, _folder)) = Bench::with_machines(3) else { return };
    let image = bench.image_id();
    let data = format!("LaunchTemplateData.ImageId={image}&LaunchTemplateData.InstanceType=t3.nano");
    bench.did(&format!("CreateLaunchTemplate&LaunchTemplateName=web&{data}"));
    let by_template = "RunInstances&LaunchTemplate.LaunchTemplateName=web&MinCount=1&MaxCount=1";
    let one = bench.did(by_template);
    assert_eq!((one.one("imageId"), one.one("instanceType")), (image.clone(), "t3.nano".to_owned()));
    let other = bench.did(&format!("{by_template}&InstanceType=t3.micro"));
    assert_eq!(other.one("instanceType"), "t3.micro", "the request has the last word");
    assert_eq!(bench.refused(&format!("{by_template}&Colour=red")), "UnknownParameter");
    let fleet = bench.did(
        "CreateFleet&Type=instant&TargetCapacitySpecification.TotalTargetCapacity=1&\
         TargetCapacitySpecification.DefaultTargetCapacityType=on-demand&\
         LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName=web&\
         LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version=$Latest&\
         LaunchTemplateConfigs.1.Overrides.1.InstanceType=none.nano&\
         LaunchTemplateConfigs.1.Overrides.2.InstanceType=t3.nano&\
         TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b",
    );
    assert_eq!(fleet.all("errorCode").len(), 1, "{}", fleet.text());
    let text = fleet.text();
    let id = crate::support::between(&text, "<instanceIds><item>", "</item>");
    let shown = bench.did(&format!("DescribeInstances&InstanceId.1={id}"));
    assert_eq!(shown.one("key"), "a");
}

#[test]
fn a_spot_instance_is_told_as_one_and_cannot_be_stopped() {
    let Some((bench, _folder)) = Bench::with_machines(3) else { return };
    let image = bench.image_id();
    let data = format!("LaunchTemplateData.ImageId={image}&LaunchTemplateData.InstanceType=t3.nano");
    bench.did(&format!("CreateLaunchTemplate&LaunchTemplateName=web&{data}"));
    let fleet = bench.did(
        "CreateFleet&Type=instant&TargetCapacitySpecification.TotalTargetCapacity=1&\
         TargetCapacitySpecification.DefaultTargetCapacityType=spot&\
         SpotOptions.AllocationStrategy=price-capacity-optimized&\
         LaunchTemplateConfigs.1.LaunchTemplateSpecification.LaunchTemplateName=web&\
         LaunchTemplateConfigs.1.LaunchTemplateSpecification.Version=1&\
         LaunchTemplateConfigs.1.Overrides.1.MaxPrice=0.02",
    );
    assert_eq!(fleet.one("lifecycle"), "spot");
    let id = crate::support::between(&fleet.text(), "<instanceIds><item>", "</item>");
    let shown = bench.did("DescribeInstances&Filter.1.Name=instance-lifecycle&Filter.1.Value.1=spot");
    assert_eq!((shown.one("instanceId"), shown.one("instanceLifecycle")), (id.clone(), "spot".to_owned()));
    let request = shown.one("spotInstanceRequestId");
    let told = bench.did(&format!("DescribeSpotInstanceRequests&SpotInstanceRequestId.1={request}"));
    assert_eq!((told.one("instanceId"), told.one("spotPrice")), (id.clone(), "0.02".to_owned()));
    assert!(told.text().contains("<state>active</state>"), "{}", told.text());
    assert_eq!(bench.refused(&format!("StopInstances&InstanceId.1={id}")), "UnsupportedOperation");
    bench.did(&format!("TerminateInstances&InstanceId.1={id}"));
    let told = bench.did("DescribeSpotInstanceRequests");
    assert!(told.text().contains("<state>closed</state>"), "{}", told.text());
    let launch =
        format!("RunInstances&ImageId={image}&MinCount=1&MaxCount=1&InstanceMarketOptions.MarketType");
    assert_eq!(bench.refused(&format!("{launch}=capacity")), "InvalidParameterValue");
    let options = "InstanceMarketOptions.SpotOptions.SpotInstanceType=persistent";
    assert_eq!(bench.refused(&format!("{launch}=spot&{options}")), "UnsupportedOperation");
}

#[test]
fn the_screen_of_an_instance_is_shown() {
    let Some((bench, _folder)) = Bench::with_machines(1) else { return };
    let image = bench.image_id();
    let launched = bench.did(&format!("RunInstances&ImageId={image}&MinCount=1&MaxCount=1"));
    let id = launched.one("instanceId");
    let running = format!("DescribeInstances&InstanceId.1={id}");
    crate::support::eventually("running", || bench.did(&running).text().contains("<name>running</name>"));
    let shown = bench.did(&format!("GetConsoleScreenshot&InstanceId={id}&WakeUp=true"));
    // The first bytes of a JPEG, in base64.
    assert!(shown.one("imageData").starts_with("/9j/"), "{}", shown.text());
    bench.did(&format!("TerminateInstances&InstanceId.1={id}"));
    assert_eq!(bench.refused(&format!("GetConsoleScreenshot&InstanceId={id}")), "IncorrectInstanceState");
}
