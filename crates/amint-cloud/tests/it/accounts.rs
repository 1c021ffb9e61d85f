//! Several accounts, roles between them, and what is shared.

use crate::support::{Answer, Bench};

const LOCAL: (&str, &str) = ("AKIAEXAMPLE", "");
/// Ids of keys that tell the accounts 111122223333 and 444455556666.
const OTHER: (&str, &str) = ("AKIARTX3GSDSQAAAAAAA", "");

fn sts(bench: &Bench, by: (&str, &str), body: &str) -> Answer {
    bench.query_by(by, "us-east-1/sts", body)
}

fn ec2(bench: &Bench, by: (&str, &str), body: &str) -> Answer {
    bench.query_by(by, "us-east-1/ec2", body)
}

/// Makes a role of the local account that another one may assume.
fn make_role(bench: &Bench, name: &str, principal: &str) {
    let policy = format!(
        r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{principal}"}}, "Action": "sts:AssumeRole"}}}}"#
    );
    let body = format!("CreateRole&RoleName={name}&AssumeRolePolicyDocument={policy}");
    assert_eq!(bench.query_by(LOCAL, "us-east-1/iam", &body).status, 200);
}

fn assume(bench: &Bench, by: (&str, &str), role: &str) -> Answer {
    sts(bench, by, &format!("AssumeRole&RoleArn=arn:aws:iam::{role}&RoleSessionName=build"))
}

#[test]
fn keys_tell_their_account_and_who_asks_is_told() {
    let bench = Bench::new(true);
    let who = sts(&bench, OTHER, "GetCallerIdentity");
    assert_eq!(
        (who.one("Account"), who.one("Arn")),
        ("111122223333".to_owned(), "arn:aws:iam::111122223333:root".to_owned())
    );
    assert_eq!(sts(&bench, LOCAL, "GetCallerIdentity").one("Account"), "123456789012");
    let key = |id: &str| sts(&bench, LOCAL, &format!("GetAccessKeyInfo&AccessKeyId={id}"));
    assert_eq!(key(OTHER.0).one("Account"), "111122223333");
    assert_eq!(key("ASIAQNZGKIQY56JQ7WML").one("Account"), "029608264753");
    assert_eq!(key("AKIA").code(), (400, "ValidationError".to_owned()));
}

#[test]
fn images_shared_with_an_account_are_usable_there_and_nowhere_else() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    let third = ("AKIAWO645SY5AAAAAAAA", "");
    let shown = |by| ec2(&bench, by, &format!("DescribeImages&ImageId.1={id}"));
    assert_eq!(shown(OTHER).code(), (400, "InvalidAMIID.NotFound".to_owned()));
    bench.did(&format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Add.1.UserId=111122223333"));
    assert_eq!(shown(OTHER).one("imageOwnerId"), "123456789012");
    assert_eq!(shown(third).status, 400);
    let own = |by| ec2(&bench, by, "DescribeImages&Owner.1=self").all("imageId");
    assert_eq!(own(OTHER), Vec::<String>::new(), "it is not theirs");
    let copy = format!("CopyImage&Name=theirs&SourceImageId={id}&SourceRegion=us-east-1");
    assert_eq!(ec2(&bench, third, &copy).code().1, "InvalidAMIID.NotFound");
    let delete = format!("DeregisterImage&ImageId={id}");
    assert_ne!(ec2(&bench, OTHER, &delete).status, 200);
    bench.did(&format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Remove.1.UserId=111122223333"));
    assert_eq!(shown(OTHER).status, 400);
}

#[test]
fn every_account_has_a_network_of_its_own() {
    let bench = Bench::new(true);
    let vpc = |by| ec2(&bench, by, "DescribeVpcs").one("vpcId");
    let group = |by| ec2(&bench, by, "DescribeSecurityGroups").one("groupName");
    assert_ne!(vpc(LOCAL), vpc(OTHER));
    assert_eq!((group(LOCAL), group(OTHER)), ("default".to_owned(), "default".to_owned()));
}

#[test]
fn a_role_gives_its_account_for_a_while_to_whom_it_trusts() {
    let (bench, time) = Bench::timed();
    make_role(&bench, "publisher", "111122223333");
    let role = "123456789012:role/publisher";
    let refused = assume(&bench, ("AKIAWO645SY5AAAAAAAA", ""), role);
    assert_eq!(refused.code(), (403, "AccessDenied".to_owned()));
    assert_eq!(assume(&bench, OTHER, "123456789012:role/none").code().1, "AccessDenied");
    let answer = assume(&bench, OTHER, role);
    assert_eq!(answer.one("Arn"), "arn:aws:sts::123456789012:assumed-role/publisher/build");
    let (key, token) = (answer.one("AccessKeyId"), answer.one("SessionToken"));
    assert!(key.starts_with("ASIA"));
    let session = (key.as_str(), token.as_str());
    let who = sts(&bench, session, "GetCallerIdentity");
    assert_eq!(
        (who.one("Account"), who.one("UserId")),
        ("123456789012".to_owned(), answer.one("AssumedRoleId"))
    );
    let images = |by| ec2(&bench, by, "DescribeImages&Owner.1=self");
    assert_eq!(images(session).all("imageId").len(), 1);
    for (by, code) in [((key.as_str(), ""), "AuthFailure"), ((key.as_str(), "other"), "AuthFailure")] {
        assert_eq!(images(by).code(), (401, code.to_owned()));
    }
    time.pass(3599);
    assert_eq!(images(session).status, 200);
    time.pass(1);
    assert_eq!(images(session).code(), (400, "RequestExpired".to_owned()));
    assert_eq!(sts(&bench, session, "GetCallerIdentity").code(), (403, "ExpiredToken".to_owned()));
}

#[test]
fn members_of_the_organization_let_the_local_account_in() {
    let bench = Bench::new(true);
    let answer = assume(&bench, LOCAL, "444455556666:role/OrganizationAccountAccessRole");
    let (key, token) = (answer.one("AccessKeyId"), answer.one("SessionToken"));
    let who = sts(&bench, (&key, &token), "GetCallerIdentity");
    assert_eq!(who.one("Account"), "444455556666");
    let refused = assume(&bench, OTHER, "444455556666:role/OrganizationAccountAccessRole");
    assert_eq!(refused.code().1, "AccessDenied");
    let long = "AssumeRole&RoleArn=arn:aws:iam::444455556666:role/OrganizationAccountAccessRole\
                &RoleSessionName=x1&DurationSeconds=7200";
    assert_eq!(sts(&bench, LOCAL, long).code().1, "ValidationError");
}
