//! Instances whose machines really start, of a disk from which nothing does: firmware is all that runs.

use std::net::{IpAddr, TcpStream};

use crate::support::{Bench, between, code, eventually};

fn image(bench: &Bench) -> String {
    between(&bench.ec2("Action=DescribeImages").text(), "<imageId>", "</imageId>")
}

fn run(bench: &Bench, rest: &str) -> String {
    let answer =
        bench.ec2(&format!("Action=RunInstances&ImageId={}&MinCount=1&MaxCount=1&{rest}", image(bench)));
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(between(&answer.text(), "<name>", "</name>"), "pending");
    between(&answer.text(), "<instanceId>", "</instanceId>")
}

fn shown(bench: &Bench, id: &str) -> String {
    bench.ec2(&format!("Action=DescribeInstances&InstanceId.1={id}")).text()
}

fn wait(bench: &Bench, id: &str, state: &str) {
    eventually(state, || {
        let text = shown(bench, id);
        let now = between(&text, "<instanceState>", "</instanceState>");
        assert!(state == "terminated" || !now.contains("terminated"), "{text}");
        now.contains(&format!("<name>{state}</name>"))
    });
}

#[test]
fn an_instance_runs_stops_starts_and_ends_with_what_belongs_to_it() {
    let Some((bench, folder)) = Bench::with_machines(2) else { return };
    let group = bench.ec2("Action=CreateSecurityGroup&GroupName=web&GroupDescription=d").text();
    let group = between(&group, "<groupId>", "</groupId>");
    let rest = format!(
        "InstanceType=t2.nano&SecurityGroupId.1={group}&ClientToken=once&UserData=aGVsbG8%3D&\
         TagSpecification.1.ResourceType=instance&TagSpecification.1.Tag.1.Key=a&TagSpecification.1.Tag.1.Value=b&\
         BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.VolumeSize=3&\
         BlockDeviceMapping.2.DeviceName=/dev/sdf&BlockDeviceMapping.2.Ebs.VolumeSize=1&\
         BlockDeviceMapping.2.Ebs.DeleteOnTermination=false"
    );
    let id = run(&bench, &rest);
    wait(&bench, &id, "running");
    let request = format!("Action=RunInstances&ImageId={}&MinCount=1&MaxCount=1&{rest}", image(&bench));
    assert_eq!(
        between(&bench.ec2(&request).text(), "<instanceId>", "</instanceId>"),
        id,
        "the token is the same"
    );
    assert_eq!(code(&bench.ec2(&format!("{request}&EbsOptimized=true"))).1, "IdempotentParameterMismatch");
    let text = shown(&bench, &id);
    for part in [
        "<key>a</key>",
        "<deviceName>/dev/sdf</deviceName>",
        "<instanceType>t2.nano</instanceType>",
        "<httpTokens>required</httpTokens>",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let sizes = bench
        .ec2(&format!("Action=DescribeVolumes&Filter.1.Name=attachment.instance-id&Filter.1.Value.1={id}"))
        .text();
    assert!(sizes.contains("<size>3</size>") && sizes.contains("<size>1</size>"), "{sizes}");
    eventually("the firmware's words", || {
        let answer = bench.ec2(&format!("Action=GetConsoleOutput&InstanceId={id}")).text();
        answer.contains("<output>") && !between(&answer, "<output>", "</output>").is_empty()
    });

    let address: IpAddr = between(&text, "<ipAddress>", "</ipAddress>").parse().unwrap();
    let knock = |port: u16| TcpStream::connect((address, port));
    assert!(knock(8080).is_err(), "no rule opens it");
    let rule = format!("GroupId={group}&IpProtocol=tcp&FromPort=8080&ToPort=8080&CidrIp=127.0.0.0/8");
    bench.ec2(&format!("Action=AuthorizeSecurityGroupIngress&{rule}"));
    eventually("the open port", || knock(8080).is_ok());
    bench.ec2(&format!("Action=RevokeSecurityGroupIngress&{rule}"));
    eventually("the closed port", || knock(8080).is_err());
    let delete = format!("Action=DeleteSecurityGroup&GroupId={group}");
    assert_eq!(code(&bench.ec2(&delete)).1, "DependencyViolation");

    let act = |action: &str, rest: &str| bench.ec2(&format!("Action={action}&InstanceId.1={id}&{rest}"));
    // No system runs that would mind the power button.
    assert_eq!(act("StopInstances", "Force=true").status, 200);
    wait(&bench, &id, "stopped");
    assert!(!shown(&bench, &id).contains("<ipAddress>"), "what is off has no public address");
    let modify = format!("Action=ModifyInstanceAttribute&InstanceId={id}&InstanceType.Value=t2.micro");
    assert_eq!(bench.ec2(&modify).status, 200);
    assert_eq!(act("StartInstances", "").status, 200);
    wait(&bench, &id, "running");
    assert_eq!(code(&bench.ec2(&modify)).1, "IncorrectInstanceState");
    let protect = |is_on: bool| {
        bench.ec2(&format!(
            "Action=ModifyInstanceAttribute&InstanceId={id}&DisableApiTermination.Value={is_on}"
        ))
    };
    assert_eq!(protect(true).status, 200);
    assert_eq!(code(&act("TerminateInstances", "")).1, "OperationNotPermitted");
    assert_eq!(protect(false).status, 200);
    // Its second volume outlives it: nobody waits for a guest that does not shut down.
    let volumes = bench.ec2("Action=DescribeVolumes&Filter.1.Name=size&Filter.1.Value.1=1").text();
    let kept = between(&volumes, "<volumeId>", "</volumeId>");
    assert_eq!(act("StopInstances", "Force=true").status, 200);
    wait(&bench, &id, "stopped");
    assert_eq!(act("TerminateInstances", "").status, 200);
    wait(&bench, &id, "terminated");
    let left = bench.ec2("Action=DescribeVolumes").text();
    assert!(left.matches("<volumeId>").count() == 1 && left.contains(&kept), "{left}");
    assert_eq!(bench.ec2(&delete).status, 200);
    let files = std::fs::read_dir(folder.path().join("instances").join(&id)).unwrap();
    let files: Vec<_> = files.map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["console.log"], "the console is told for another hour");
}

#[test]
fn what_cannot_be_launched_is_refused_and_leaves_nothing() {
    let Some((bench, _folder)) = Bench::with_machines(1) else { return };
    let image = image(&bench);
    let of = |rest: &str| format!("ImageId={image}&MinCount=1&MaxCount=1&{rest}");
    for (rest, status, expected) in [
        ("ImageId=ami-00000000&MinCount=1&MaxCount=1".to_owned(), 400, "InvalidAMIID.NotFound"),
        ("ImageId=ami-x&MinCount=1&MaxCount=1".to_owned(), 400, "InvalidAMIID.Malformed"),
        (format!("ImageId={image}&MinCount=2&MaxCount=1"), 400, "InvalidParameterValue"),
        (format!("ImageId={image}&MinCount=1"), 400, "MissingParameter"),
        (format!("ImageId={image}&MinCount=2&MaxCount=2"), 500, "InsufficientInstanceCapacity"),
        (of("InstanceType=m5.2xlarge"), 500, "InsufficientInstanceCapacity"),
        (of("InstanceType=t4g.nano"), 400, "InvalidParameterValue"),
        (of("InstanceType=z9.huge"), 400, "InvalidParameterValue"),
        (of("KeyName=none"), 400, "InvalidKeyPair.NotFound"),
        (of("SecurityGroupId.1=sg-00000000"), 400, "InvalidGroup.NotFound"),
        (of("SubnetId=subnet-00000000"), 400, "InvalidSubnetID.NotFound"),
        (of("UserData=%2A"), 400, "InvalidUserData.Malformed"),
        (
            of("BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.NoDevice=true"),
            400,
            "InvalidBlockDeviceMapping",
        ),
        (
            of("BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.NoDevice="),
            400,
            "InvalidBlockDeviceMapping",
        ),
        (of("BlockDeviceMapping.1.DeviceName=/dev/sdf"), 400, "MissingParameter"),
        (of("MetadataOptions.HttpTokens=maybe"), 400, "InvalidParameterValue"),
        (of("HibernationOptions.Configured=true"), 400, "UnsupportedOperation"),
        (of("IamInstanceProfile.Name=none"), 400, "InvalidParameterValue"),
        (of("LaunchTemplate.LaunchTemplateId=lt-1"), 400, "InvalidLaunchTemplateId.Malformed"),
        (of("TagSpecification.1.ResourceType=vpc"), 400, "InvalidParameterValue"),
        (of("DryRun=true"), 412, "DryRunOperation"),
    ] {
        let answer = bench.ec2(&format!("Action=RunInstances&{rest}"));
        assert_eq!(code(&answer), (status, expected.to_owned()), "{rest}");
    }
    assert!(!bench.ec2("Action=DescribeInstances").text().contains("<instanceId>"));
    assert!(bench.store().pins().unwrap().is_empty());
    for (body, expected) in [
        ("Action=DescribeInstances&InstanceId.1=i-00000000", "InvalidInstanceID.NotFound"),
        ("Action=StopInstances&InstanceId.1=i-00000000", "InvalidInstanceID.NotFound"),
        ("Action=TerminateInstances", "MissingParameter"),
        ("Action=GetConsoleOutput&InstanceId=x", "InvalidInstanceID.Malformed"),
        ("Action=CreateImage&InstanceId=i-00000000&Name=abc", "InvalidInstanceID.NotFound"),
    ] {
        assert_eq!(code(&bench.ec2(body)), (400, expected.to_owned()), "{body}");
    }
}

#[test]
fn an_image_is_made_of_a_stopped_instance_and_is_launched_itself() {
    let Some((bench, _folder)) = Bench::with_machines(2) else { return };
    let id = run(&bench, "InstanceType=t2.nano");
    wait(&bench, &id, "running");
    bench.ec2(&format!("Action=StopInstances&InstanceId.1={id}&Force=true"));
    wait(&bench, &id, "stopped");
    let made = bench.ec2(&format!("Action=CreateImage&InstanceId={id}&Name=second"));
    let second = between(&made.text(), "<imageId>", "</imageId>");
    let describe = || bench.ec2(&format!("Action=DescribeImages&ImageId.1={second}")).text();
    eventually("the image", || describe().contains("<imageState>available</imageState>"));
    assert_eq!(between(&describe(), "<sourceInstanceId>", "</sourceInstanceId>"), id);
    let taken = bench.ec2(&format!("Action=CreateImage&InstanceId={id}&Name=second"));
    assert_eq!(code(&taken).1, "InvalidAMIName.Duplicate");
    let launched = bench
        .ec2(&format!("Action=RunInstances&ImageId={second}&MinCount=1&MaxCount=1&InstanceType=t2.nano"));
    let other = between(&launched.text(), "<instanceId>", "</instanceId>");
    wait(&bench, &other, "running");
    for id in [&id, &other] {
        bench.ec2(&format!("Action=TerminateInstances&InstanceId.1={id}"));
        wait(&bench, id, "terminated");
    }
}
