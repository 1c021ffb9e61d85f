//! Several accounts, and roles in them. Signatures are tried by AWS's own library elsewhere: here the key's id tells who asks.

use amint_cloud::AccessKey;

use crate::support::{Answer, Bench, between};

/// Asks with a key of another account, or of a session.
fn ask(bench: &Bench, id: &str, token: Option<&str>, service: &str, body: &str) -> Answer {
    let version = if service == "sts" { "2011-06-15" } else { "2016-11-15" };
    let header = token.map(|token| format!("X-Amz-Security-Token: {token}\r\n")).unwrap_or_default();
    let scope = format!("{id}|us-east-1/{service}");
    bench.send_with("POST", "/", &scope, &header, format!("Version={version}&{body}").as_bytes())
}

fn key_of(account: u64) -> String {
    AccessKey::from_secret_text("AKIAEXAMPLE secret").unwrap().of_account(account).id().to_owned()
}

#[test]
fn an_image_is_another_accounts_only_while_it_is_shared_with_it() {
    let bench = Bench::new(true);
    let other = |body: &str| ask(&bench, &key_of(111_122_223_333), None, "ec2", body);
    let image = between(&bench.ec2("Action=DescribeImages").text(), "<imageId>", "</imageId>");
    let asked = format!("Action=DescribeImages&ImageId.1={image}");
    assert_eq!(other(&asked).code(), (400, "InvalidAMIID.NotFound".to_owned()));
    let share = |action: &str| {
        bench.did(&format!(
            "ModifyImageAttribute&ImageId={image}&LaunchPermission.{action}.1.UserId=111122223333"
        ));
    };
    share("Add");
    assert_eq!(other(&asked).one("imageOwnerId"), "123456789012");
    let own = other(&format!("Action=CopyImage&Name=own&SourceRegion=us-east-1&SourceImageId={image}"));
    let own = own.one("imageId");
    share("Remove");
    assert_eq!(other(&asked).status, 400);
    assert_eq!(other("Action=DescribeImages&Owner.1=self").all("imageId"), [own.as_str()]);
    assert!(!bench.ec2("Action=DescribeImages&Owner.1=self").text().contains(&own));
    let groups = |answer: Answer| answer.all("groupId");
    let (ours, theirs) =
        (groups(bench.ec2("Action=DescribeSecurityGroups")), groups(other("Action=DescribeSecurityGroups")));
    assert!(!ours.is_empty() && !theirs.is_empty() && ours[0] != theirs[0], "{ours:?} {theirs:?}");
}

#[test]
fn a_role_is_taken_on_with_its_token_and_until_it_expires() {
    let (bench, time) = Bench::timed();
    let take = |arn: &str| {
        let body = format!("Action=AssumeRole&RoleArn={arn}&RoleSessionName=build&DurationSeconds=900");
        ask(&bench, "AKIAEXAMPLE", None, "sts", &body)
    };
    let granted = take("arn:aws:iam::444455556666:role/ci/publisher");
    let (id, token) = (granted.one("AccessKeyId"), granted.one("SessionToken"));
    let identity = |token: Option<&str>| ask(&bench, &id, token, "sts", "Action=GetCallerIdentity");
    let told = identity(Some(&token));
    assert_eq!(told.one("Arn"), "arn:aws:sts::444455556666:assumed-role/publisher/build");
    assert_eq!(told.one("Account"), "444455556666");
    let account =
        ask(&bench, "AKIAEXAMPLE", None, "sts", &format!("Action=GetAccessKeyInfo&AccessKeyId={id}"));
    assert_eq!(account.one("Account"), "444455556666");
    assert_eq!(identity(None).code(), (403, "InvalidClientTokenId".to_owned()));
    assert_eq!(identity(Some("wrong")).code(), (403, "InvalidClientTokenId".to_owned()));
    time.pass(901);
    assert_eq!(identity(Some(&token)).code(), (403, "ExpiredToken".to_owned()));
    for arn in ["arn:aws:iam::44:role/x", "arn:aws:iam::444455556666:user/x", "x"] {
        assert_eq!(take(arn).code(), (400, "ValidationError".to_owned()), "{arn}");
    }
}
