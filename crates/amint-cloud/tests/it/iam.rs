//! Users, roles, instance profiles and policies.

use crate::support::{Answer, Bench};

const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": []}"#;

fn iam(bench: &Bench, body: &str) -> Answer {
    bench.send("POST", "/", "us-east-1/iam", &format!("Version=2010-05-08&Action={body}"))
}

fn did(bench: &Bench, body: &str) -> Answer {
    let answer = iam(bench, body);
    assert_eq!(answer.status, 200, "{body}: {}", answer.text());
    answer
}

#[test]
fn a_role_goes_only_when_nothing_has_it() {
    let bench = Bench::new(true);
    let create = format!("CreateRole&RoleName=builder&AssumeRolePolicyDocument={POLICY}");
    let arn = did(&bench, &create).one("Arn");
    assert_eq!(arn, "arn:aws:iam::123456789012:role/builder");
    assert_eq!(iam(&bench, &create).code(), (409, "EntityAlreadyExists".to_owned()));
    let policy = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore";
    did(&bench, &format!("AttachRolePolicy&RoleName=builder&PolicyArn={policy}"));
    did(&bench, &format!("PutRolePolicy&RoleName=builder&PolicyName=own&PolicyDocument={POLICY}"));
    did(&bench, "CreateInstanceProfile&InstanceProfileName=p");
    did(&bench, "AddRoleToInstanceProfile&InstanceProfileName=p&RoleName=builder");
    let second = iam(&bench, "AddRoleToInstanceProfile&InstanceProfileName=p&RoleName=builder");
    assert_eq!(second.code(), (409, "LimitExceeded".to_owned()));
    let shown = did(&bench, "GetInstanceProfile&InstanceProfileName=p");
    assert_eq!((shown.one("RoleName"), shown.all("Arn").len()), ("builder".to_owned(), 2));
    assert_eq!(did(&bench, "ListAttachedRolePolicies&RoleName=builder").one("PolicyArn"), policy);
    let document = did(&bench, "GetRolePolicy&RoleName=builder&PolicyName=own").one("PolicyDocument");
    assert!(document.starts_with("%7B%22Version%22"), "{document}");
    for undo in [
        "RemoveRoleFromInstanceProfile&InstanceProfileName=p&RoleName=builder",
        &format!("DetachRolePolicy&RoleName=builder&PolicyArn={policy}"),
        "DeleteRolePolicy&RoleName=builder&PolicyName=own",
    ] {
        assert_eq!(iam(&bench, "DeleteRole&RoleName=builder").code(), (409, "DeleteConflict".to_owned()));
        did(&bench, undo);
    }
    did(&bench, "DeleteRole&RoleName=builder");
    assert_eq!(iam(&bench, "GetRole&RoleName=builder").code(), (404, "NoSuchEntity".to_owned()));
    did(&bench, "DeleteInstanceProfile&InstanceProfileName=p");
}

#[test]
fn a_user_signs_with_keys_that_can_be_switched_off() {
    let bench = Bench::new(true);
    did(&bench, "CreateUser&UserName=ci&Path=/build/");
    let key = did(&bench, "CreateAccessKey&UserName=ci").one("AccessKeyId");
    let who = || bench.query_by((&key, ""), "us-east-1/sts", "GetCallerIdentity");
    assert_eq!(who().one("Arn"), "arn:aws:iam::123456789012:user/build/ci");
    let own = bench.query_by((&key, ""), "us-east-1/iam", "GetUser");
    assert_eq!(own.one("UserName"), "ci");
    let listed = did(&bench, "ListAccessKeys&UserName=ci");
    assert!(listed.one("Status") == "Active" && !listed.text().contains("Secret"));
    did(&bench, &format!("UpdateAccessKey&UserName=ci&AccessKeyId={key}&Status=Inactive"));
    assert!(who().text().contains(":root"), "an open endpoint takes a key for its account's");
    assert_eq!(iam(&bench, "DeleteUser&UserName=ci").code().1, "DeleteConflict");
    did(&bench, &format!("DeleteAccessKey&UserName=ci&AccessKeyId={key}"));
    did(&bench, "DeleteUser&UserName=ci");
    assert_eq!(did(&bench, "GetUser").one("UserName"), "root");
}

#[test]
fn what_cannot_be_is_refused() {
    let bench = Bench::new(true);
    let role = |policy: &str| format!("CreateRole&RoleName=r&AssumeRolePolicyDocument={policy}");
    did(&bench, &role(POLICY));
    for (body, code) in [
        (role("text").replace("=r&", "=s&"), (400, "MalformedPolicyDocument")),
        (role("{}").replace("=r&", "=s&"), (400, "MalformedPolicyDocument")),
        ("GetRole&RoleName=a/b".to_owned(), (400, "ValidationError")),
        ("GetRole&RoleName=none".to_owned(), (404, "NoSuchEntity")),
        (
            "AttachRolePolicy&RoleName=r&PolicyArn=arn:aws:iam::aws:policy/None".to_owned(),
            (404, "NoSuchEntity"),
        ),
        ("ListRoles&MaxItems=0".to_owned(), (400, "ValidationError")),
        ("ListRoles&Colour=red".to_owned(), (400, "UnknownParameter")),
        ("SimulatePrincipalPolicy&PolicySourceArn=x".to_owned(), (400, "InvalidAction")),
    ] {
        assert_eq!(iam(&bench, &body).code(), (code.0, code.1.to_owned()), "{body}");
    }
}

#[test]
fn lists_come_in_pages() {
    let bench = Bench::new(true);
    for name in ["a", "b", "c"] {
        did(&bench, &format!("CreateUser&UserName={name}"));
    }
    let first = did(&bench, "ListUsers&MaxItems=2");
    assert_eq!((first.all("UserName").len(), first.one("IsTruncated")), (2, "true".to_owned()));
    let rest = did(&bench, &format!("ListUsers&MaxItems=2&Marker={}", first.one("Marker")));
    assert_eq!((rest.one("UserName"), rest.one("IsTruncated")), ("c".to_owned(), "false".to_owned()));
}
