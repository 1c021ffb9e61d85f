//! What can be changed of an image, and who sees it then.

use crate::support::{Bench, between, code};

fn image(bench: &Bench) -> String {
    between(&bench.ec2("Action=DescribeImages").text(), "<imageId>", "</imageId>")
}

#[test]
fn permissions_are_kept_in_every_form_that_clients_send() {
    let bench = Bench::new(true);
    let id = image(&bench);
    let modify = |rest: &str| bench.ec2(&format!("Action=ModifyImageAttribute&ImageId={id}&{rest}"));
    let shown = || {
        bench.ec2(&format!("Action=DescribeImageAttribute&ImageId={id}&Attribute=launchPermission")).text()
    };
    for form in [
        "LaunchPermission.Add.1.UserId=111122223333&UserId.1=111122223333",
        "Attribute=launchPermission&OperationType=add&UserId.1=444455556666",
        "LaunchPermission.Add.1.OrganizationArn=arn:aws:organizations::1:organization/o-1",
        "LaunchPermission.Add.1.Group=all",
    ] {
        assert_eq!(modify(form).status, 200, "{form}");
    }
    let text = shown();
    for part in ["111122223333", "444455556666", "organization/o-1", "<group>all</group>"] {
        assert!(text.contains(part), "{text}");
    }
    assert!(bench.ec2("Action=DescribeImages&ExecutableBy.1=all").text().contains(&id));
    assert_eq!(modify("LaunchPermission.Remove.1.Group=all").status, 200);
    assert!(!shown().contains("<group>"));
    assert_eq!(
        bench.ec2(&format!("Action=ResetImageAttribute&ImageId={id}&Attribute=launchPermission")).status,
        200
    );
    assert!(!shown().contains("userId"));
    for (wrong, expected) in [
        ("LaunchPermission.Add.1.UserId=12", "InvalidAMIAttributeItemValue"),
        ("LaunchPermission.Add.1.Group=some", "InvalidAMIAttributeItemValue"),
        ("Attribute=kernel&Value=x", "InvalidParameterValue"),
        ("", "InvalidParameterCombination"),
    ] {
        assert_eq!(code(&modify(wrong)), (400, expected.to_owned()), "{wrong}");
    }
}

#[test]
fn other_attributes_are_told_as_they_are() {
    let bench = Bench::new(true);
    let id = image(&bench);
    assert_eq!(
        bench.ec2(&format!("Action=ModifyImageAttribute&ImageId={id}&Description.Value=new+words")).status,
        200
    );
    for (attribute, part) in [
        ("description", "<value>new words</value>"),
        ("bootMode", "uefi-preferred"),
        ("imdsSupport", "v2.0"),
        ("productCodes", "<productCodes>"),
        ("lastLaunchedTime", "<lastLaunchedTime>"),
    ] {
        let answer = bench.ec2(&format!("Action=DescribeImageAttribute&ImageId={id}&Attribute={attribute}"));
        assert!(answer.status == 200 && answer.text().contains(part), "{}", answer.text());
    }
    let mapping =
        bench.ec2(&format!("Action=DescribeImageAttribute&ImageId={id}&Attribute=blockDeviceMapping"));
    assert_eq!(code(&mapping), (403, "AuthFailure".to_owned()));
}

#[test]
fn a_disabled_image_is_hidden_and_its_permissions_do_not_come_back() {
    let bench = Bench::new(true);
    let id = image(&bench);
    let act = |action: &str| bench.ec2(&format!("Action={action}&ImageId={id}"));
    let is_listed = |more: &str| bench.ec2(&format!("Action=DescribeImages{more}")).text().contains(&id);
    let share = "Action=ModifyImageAttribute&LaunchPermission.Add.1.UserId=111122223333";
    assert_eq!(bench.ec2(&format!("{share}&ImageId={id}")).status, 200);
    assert_eq!(act("DisableImage").status, 200);
    assert!(!is_listed("") && is_listed("&IncludeDisabled=true"));
    assert_eq!(code(&bench.ec2(&format!("{share}&ImageId={id}"))), (400, "OperationNotPermitted".to_owned()));
    assert_eq!(act("EnableImage").status, 200);
    let permissions =
        bench.ec2(&format!("Action=DescribeImageAttribute&ImageId={id}&Attribute=launchPermission"));
    assert!(is_listed("") && !permissions.text().contains("userId"));
}

#[test]
fn an_image_is_deprecated_at_a_minute_that_is_to_come() {
    let bench = Bench::new(true);
    let id = image(&bench);
    let at =
        |time: &str| bench.ec2(&format!("Action=EnableImageDeprecation&ImageId={id}&DeprecateAt={time}"));
    assert_eq!(at("2030-01-02T03:04:45Z").status, 200);
    let text = bench.ec2("Action=DescribeImages").text();
    assert_eq!(between(&text, "<deprecationTime>", "</deprecationTime>"), "2030-01-02T03:05:00.000Z");
    for wrong in ["2001-01-01T00:00:00Z", "2099-01-01T00:00:00Z", "soon"] {
        assert_eq!(code(&at(wrong)), (400, "InvalidParameterValue".to_owned()), "{wrong}");
    }
    assert_eq!(bench.ec2(&format!("Action=DisableImageDeprecation&ImageId={id}")).status, 200);
    assert!(!bench.ec2("Action=DescribeImages").text().contains("deprecationTime"));
}

#[test]
fn snapshots_are_shared_with_accounts() {
    let bench = Bench::new(true);
    let id = bench.snapshot_id();
    let modify = |rest: &str| bench.ec2(&format!("Action=ModifySnapshotAttribute&SnapshotId={id}&{rest}"));
    let shown = || {
        bench.ec2(&format!(
            "Action=DescribeSnapshotAttribute&SnapshotId={id}&Attribute=createVolumePermission"
        ))
    };
    let both = "CreateVolumePermission.Add.1.UserId=111122223333&UserId.1=111122223333";
    assert_eq!(modify(both).status, 200);
    assert_eq!(modify("Attribute=createVolumePermission&OperationType=add&UserGroup.1=all").status, 200);
    let text = shown().text();
    assert!(text.contains("111122223333") && text.contains("<group>all</group>"), "{text}");
    assert_eq!(modify("CreateVolumePermission.Remove.1.Group=all").status, 200);
    assert!(!shown().text().contains("<group>"));
    assert_eq!(code(&modify("OperationType=add")), (400, "InvalidParameterCombination".to_owned()));
}
