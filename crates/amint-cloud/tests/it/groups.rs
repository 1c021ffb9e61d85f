//! Security groups and their rules.

use crate::support::{Bench, between, code};

fn group(bench: &Bench, name: &str) -> String {
    let made = bench.ec2(&format!("Action=CreateSecurityGroup&GroupName={name}&GroupDescription=d&VpcId="));
    between(&made.text(), "<groupId>", "</groupId>")
}

const SSH: &str = "IpPermissions.1.IpProtocol=tcp&IpPermissions.1.FromPort=22&IpPermissions.1.ToPort=22&IpPermissions.1.IpRanges.1.CidrIp=10.1.2.3/8";

#[test]
fn rules_are_added_and_taken_away_one_by_one() {
    let bench = Bench::new(true);
    let id = group(&bench, "web");
    let ingress =
        |verb: &str, rest: &str| bench.ec2(&format!("Action={verb}SecurityGroupIngress&GroupId={id}&{rest}"));
    let added = ingress("Authorize", SSH);
    assert_eq!(
        between(&added.text(), "<cidrIpv4>", "</cidrIpv4>"),
        "10.0.0.0/8",
        "bits of hosts do not count"
    );
    let rule = between(&added.text(), "<securityGroupRuleId>", "</securityGroupRuleId>");
    assert_eq!(code(&ingress("Authorize", SSH)).1, "InvalidPermission.Duplicate");
    assert_eq!(ingress("Authorize", "IpProtocol=tcp&FromPort=80&ToPort=443&CidrIp=0.0.0.0/0").status, 200);
    let own = format!("IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={id}");
    assert_eq!(ingress("Authorize", &own).status, 200);
    let shown = bench.ec2(&format!("Action=DescribeSecurityGroups&GroupId.1={id}")).text();
    for part in [
        "<fromPort>22</fromPort>",
        "<toPort>443</toPort>",
        "<cidrIp>0.0.0.0/0</cidrIp>",
        "<ipPermissionsEgress><item>",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let found =
        |filter: &str| bench.ec2(&format!("Action=DescribeSecurityGroups&{filter}")).text().contains(&id);
    assert!(found("Filter.1.Name=ip-permission.cidr&Filter.1.Value.1=10.0.0.0/8"));
    assert!(!found("Filter.1.Name=ip-permission.from-port&Filter.1.Value.1=23"));
    assert!(found("Filter.1.Name=egress.ip-permission.cidr&Filter.1.Value.1=0.0.0.0/0"));
    assert_eq!(ingress("Revoke", SSH).status, 200);
    assert_eq!(code(&ingress("Revoke", SSH)).1, "InvalidPermission.NotFound");
    assert_eq!(
        code(&ingress("Revoke", &format!("SecurityGroupRuleId.1={rule}"))).1,
        "InvalidPermission.NotFound"
    );
    let rules =
        bench.ec2(&format!("Action=DescribeSecurityGroupRules&Filter.1.Name=group-id&Filter.1.Value.1={id}"));
    assert_eq!(rules.text().matches("<securityGroupRuleId>").count(), 3, "two inward, one outward");
}

#[test]
fn what_is_no_rule_is_refused() {
    let bench = Bench::new(true);
    let id = group(&bench, "web");
    for (rest, expected) in [
        ("", "MissingParameter"),
        ("IpProtocol=tcp&FromPort=80&ToPort=79&CidrIp=0.0.0.0/0", "InvalidParameterValue"),
        ("IpProtocol=tcp&FromPort=80&ToPort=70000&CidrIp=0.0.0.0/0", "InvalidParameterValue"),
        ("IpProtocol=tcp&FromPort=80&ToPort=80&CidrIp=0.0.0.0/33", "InvalidParameterValue"),
        ("IpProtocol=tcp&FromPort=80&ToPort=80&CidrIp=0.0.0.0", "InvalidParameterValue"),
        ("IpProtocol=carrier-pigeon&CidrIp=0.0.0.0/0", "InvalidParameterValue"),
        ("IpPermissions.1.IpProtocol=-1", "InvalidParameterValue"),
        (
            "IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId=sg-00000000",
            "InvalidGroup.NotFound",
        ),
        ("IpProtocol=tcp&FromPort=1&ToPort=1&CidrIp=0.0.0.0/0&Colour=red", "UnknownParameter"),
    ] {
        let answer = bench.ec2(&format!("Action=AuthorizeSecurityGroupIngress&GroupId={id}&{rest}"));
        assert_eq!(code(&answer), (400, expected.to_owned()), "{rest}");
    }
}

#[test]
fn a_group_that_another_names_stays_and_the_default_one_always_does() {
    let bench = Bench::new(true);
    let (web, db) = (group(&bench, "web"), group(&bench, "db"));
    assert_eq!(
        code(&bench.ec2("Action=CreateSecurityGroup&GroupName=web&GroupDescription=d")).1,
        "InvalidGroup.Duplicate"
    );
    let rule = format!("IpPermissions.1.IpProtocol=-1&IpPermissions.1.Groups.1.GroupId={web}");
    bench.ec2(&format!("Action=AuthorizeSecurityGroupIngress&GroupId={db}&{rule}"));
    let delete = |id: &str| bench.ec2(&format!("Action=DeleteSecurityGroup&GroupId={id}"));
    assert_eq!(code(&delete(&web)).1, "DependencyViolation");
    assert_eq!(delete(&db).status, 200);
    assert_eq!(delete(&web).status, 200);
    assert_eq!(code(&delete(&web)).1, "InvalidGroup.NotFound");
    let default = bench.ec2("Action=DescribeSecurityGroups&GroupName.1=default").text();
    assert_eq!(code(&delete(&between(&default, "<groupId>", "</groupId>"))).1, "CannotDelete");
}
