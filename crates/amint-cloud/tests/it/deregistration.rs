//! The end of an image, and what keeps it from that.

use crate::support::{Bench, DAY};

#[test]
fn a_protected_image_stays_until_its_cooldown_is_over() {
    let (bench, time) = Bench::timed();
    let id = bench.image_id();
    let act = |action: &str| format!("{action}&ImageId={id}");
    let enable = |cooldown: bool| {
        bench
            .did(&format!("{}&WithCooldown={cooldown}", act("EnableImageDeregistrationProtection")))
            .one("return")
    };
    let disable = || bench.did(&act("DisableImageDeregistrationProtection")).one("return");
    let shown = || bench.did("DescribeImages").one("deregistrationProtection");
    assert_eq!(shown(), "disabled");
    assert_eq!(
        (enable(false), shown()),
        ("enabled-without-cooldown".to_owned(), "enabled-without-cooldown".to_owned())
    );
    assert_eq!(bench.refused(&act("DeregisterImage")), "OperationNotPermitted");
    assert_eq!(disable(), "disabled");
    assert_eq!(
        bench.ec2(&format!("Action={}&DryRun=true", act("DeregisterImage"))).code().1,
        "DryRunOperation"
    );

    assert_eq!(enable(true), "enabled-with-cooldown");
    let attribute =
        bench.did(&format!("DescribeImageAttribute&ImageId={id}&Attribute=deregistrationProtection"));
    assert_eq!(attribute.one("value"), "enabled-with-cooldown");
    assert_eq!(disable(), "disabled");
    time.pass(DAY - 1);
    disable();
    assert_eq!(bench.refused(&act("DeregisterImage")), "OperationNotPermitted");
    time.pass(1);
    bench.did(&act("DeregisterImage"));
    assert_eq!(bench.refused(&act("EnableImageDeregistrationProtection")), "InvalidAMIID.NotFound");
}

#[test]
fn a_snapshot_of_two_images_goes_with_the_last_one() {
    let (bench, time) = Bench::timed();
    let snapshot = bench.free_snapshot(&time);
    let register = |name: &str| {
        let body = format!(
            "RegisterImage&Name={name}&Architecture=x86_64&VirtualizationType=hvm&RootDeviceName=/dev/xvda&\
             BlockDeviceMapping.1.DeviceName=/dev/xvda&BlockDeviceMapping.1.Ebs.SnapshotId={snapshot}&\
             BlockDeviceMapping.2.DeviceName=/dev/xvdb&BlockDeviceMapping.2.Ebs.SnapshotId={snapshot}"
        );
        bench.did(&body).one("imageId")
    };
    let (first, second) = (register("web-1"), register("web-2"));
    let end = |id: &str| {
        let answer = bench.did(&format!("DeregisterImage&ImageId={id}&DeleteAssociatedSnapshots=true"));
        (answer.one("snapshotId"), answer.one("returnCode"))
    };
    assert_eq!(end(&first), (snapshot.clone(), "skipped".to_owned()));
    assert_eq!(end(&second), (snapshot.clone(), "success".to_owned()));
    assert!(bench.store().pins().unwrap().is_empty(), "its blocks are kept no more");
}
