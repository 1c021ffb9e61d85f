//! What every account finds: networks and instance types.

use crate::support::{Bench, between, code};

#[test]
fn the_default_network_is_whole() {
    let bench = Bench::new(true);
    let vpc = bench.ec2("Action=DescribeVpcs&Filter.1.Name=isDefault&Filter.1.Value.1=true").text();
    let vpc = between(&vpc, "<vpcId>", "</vpcId>");
    let of_vpc = format!("Filter.1.Name=vpc-id&Filter.1.Value.1={vpc}");
    for (action, count) in [
        ("DescribeSubnets", 3),
        ("DescribeRouteTables", 1),
        ("DescribeNetworkAcls", 1),
        ("DescribeSecurityGroups", 1),
        ("DescribeNetworkInterfaces", 0),
    ] {
        let text = bench.ec2(&format!("Action={action}&{of_vpc}")).text();
        assert_eq!(text.matches(&format!("<vpcId>{vpc}</vpcId>")).count(), count, "{action}: {text}");
    }
    let gateway = bench.ec2(&format!(
        "Action=DescribeInternetGateways&Filter.1.Name=attachment.vpc-id&Filter.1.Value.1={vpc}"
    ));
    assert!(gateway.text().contains("<internetGatewayId>igw-"));
    assert_eq!(code(&bench.ec2("Action=DescribeVpcs&VpcId.1=vpc-00000000")).1, "InvalidVpcID.NotFound");
    assert_eq!(
        code(&bench.ec2("Action=DescribeSubnets&Filter.1.Name=colour&Filter.1.Value.1=red")).1,
        "InvalidParameterValue"
    );
}

#[test]
fn types_are_found_by_page_and_by_filter() {
    let bench = Bench::new(true);
    let (mut seen, mut next) = (0, String::new());
    loop {
        let text = bench.ec2(&format!("Action=DescribeInstanceTypes&MaxResults=7&NextToken={next}")).text();
        seen += text.matches("<currentGeneration>").count();
        match text.split_once("<nextToken>") {
            Some((_, rest)) => next = rest.split_once('<').unwrap().0.to_owned(),
            None => break,
        }
    }
    let all = bench.ec2("Action=DescribeInstanceTypes").text();
    assert_eq!(seen, all.matches("<currentGeneration>").count());
    let arm = bench.ec2("Action=DescribeInstanceTypes&Filter.1.Name=processor-info.supported-architecture&Filter.1.Value.1=arm64");
    assert!(arm.text().contains("t4g.micro") && !arm.text().contains("t3.micro"));
    assert_eq!(
        code(&bench.ec2("Action=DescribeInstanceTypes&InstanceType.1=z9.huge")).1,
        "InvalidInstanceType"
    );
    let offered = bench.ec2("Action=DescribeInstanceTypeOfferings&LocationType=availability-zone&Filter.1.Name=instance-type&Filter.1.Value.1=t3.micro");
    assert_eq!(offered.text().matches("<location>us-east-1").count(), 3);
}
