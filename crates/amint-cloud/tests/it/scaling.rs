//! Launch configurations and groups of Auto Scaling.

use crate::support::{Answer, Bench};

fn asg(bench: &Bench, body: &str) -> Answer {
    bench.send("POST", "/", "us-east-1/autoscaling", &format!("Version=2011-01-01&Action={body}"))
}

fn did(bench: &Bench, body: &str) -> Answer {
    let answer = asg(bench, body);
    assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    answer
}

#[test]
fn groups_name_images_by_configurations_and_templates() {
    let bench = Bench::new(true);
    let image = bench.image_id();
    did(
        &bench,
        &format!("CreateLaunchConfiguration&LaunchConfigurationName=lc&ImageId={image}&InstanceType=t3.nano"),
    );
    let group = "CreateAutoScalingGroup&AutoScalingGroupName=web&MinSize=1&MaxSize=3&AvailabilityZones.member.1=us-east-1a";
    did(&bench, &format!("{group}&LaunchConfigurationName=lc&Tags.member.1.Key=a&Tags.member.1.Value=b"));
    assert_eq!(asg(&bench, &format!("{group}&LaunchConfigurationName=lc")).code().1, "AlreadyExists");
    assert_eq!(asg(&bench, "DeleteLaunchConfiguration&LaunchConfigurationName=lc").code().1, "ResourceInUse");
    let shown = did(&bench, "DescribeAutoScalingGroups&AutoScalingGroupNames.member.1=web");
    assert_eq!(
        (shown.one("DesiredCapacity"), shown.one("LaunchConfigurationName")),
        ("1".to_owned(), "lc".to_owned())
    );
    let data = format!("LaunchTemplateData.ImageId={image}");
    let id =
        bench.did(&format!("CreateLaunchTemplate&LaunchTemplateName=web&{data}")).one("launchTemplateId");
    did(
        &bench,
        "UpdateAutoScalingGroup&AutoScalingGroupName=web&LaunchTemplate.LaunchTemplateName=web&MinSize=2",
    );
    let shown = did(&bench, "DescribeAutoScalingGroups");
    assert_eq!((shown.one("LaunchTemplateId"), shown.one("DesiredCapacity")), (id, "2".to_owned()));
    did(&bench, "DeleteLaunchConfiguration&LaunchConfigurationName=lc");
    did(&bench, "DeleteAutoScalingGroup&AutoScalingGroupName=web&ForceDelete=true");
    assert_eq!(did(&bench, "DescribeAutoScalingGroups").all("AutoScalingGroupName"), Vec::<String>::new());
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = Bench::new(true);
    let group = "CreateAutoScalingGroup&AutoScalingGroupName=web&MinSize=1&MaxSize=3";
    for body in [
        group.to_owned(),
        format!("{group}&LaunchConfigurationName=none&AvailabilityZones.member.1=us-east-1a"),
        format!("{group}&AvailabilityZones.member.1=eu-west-1a"),
        "UpdateAutoScalingGroup&AutoScalingGroupName=none".to_owned(),
        "DescribeAutoScalingGroups&MaxRecords=101".to_owned(),
        "CreateLaunchConfiguration&LaunchConfigurationName=lc&ImageId=x&InstanceType=t3.nano".to_owned(),
    ] {
        assert_eq!(asg(&bench, &body).code(), (400, "ValidationError".to_owned()), "{body}");
    }
}
