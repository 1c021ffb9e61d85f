//! Users, roles, profiles and policies, and who somebody is.

use std::time::Duration;

use aws_sdk_iam::client::Waiters;
use aws_sdk_iam::types::{StatusType, Tag};

use crate::support::{ACCOUNT, Bench, OTHER_ACCOUNT, refused};

pub(crate) const USERS: &[&str] = &[
    "iam CreateAccessKey",
    "iam CreateUser",
    "iam DeleteAccessKey",
    "iam DeleteUser",
    "iam GetUser",
    "iam ListAccessKeys",
    "iam ListAccountAliases",
    "iam ListUsers",
    "iam UpdateAccessKey",
    "sts GetAccessKeyInfo",
    "sts GetCallerIdentity",
];

pub(crate) const ROLES: &[&str] = &[
    "iam AddRoleToInstanceProfile",
    "iam AttachRolePolicy",
    "iam CreateInstanceProfile",
    "iam CreatePolicy",
    "iam CreateRole",
    "iam DeleteInstanceProfile",
    "iam DeletePolicy",
    "iam DeleteRole",
    "iam DeleteRolePolicy",
    "iam DetachRolePolicy",
    "iam GetInstanceProfile",
    "iam GetPolicy",
    "iam GetPolicyVersion",
    "iam GetRole",
    "iam GetRolePolicy",
    "iam ListAttachedRolePolicies",
    "iam ListInstanceProfiles",
    "iam ListInstanceProfilesForRole",
    "iam ListRolePolicies",
    "iam ListRoles",
    "iam PutRolePolicy",
    "iam RemoveRoleFromInstanceProfile",
    "iam UpdateAssumeRolePolicy",
    "sts AssumeRole",
];

const LONG: Duration = Duration::from_hours(1);
const POLICY: &str = r#"{"Version": "2012-10-17", "Statement": []}"#;

fn tag() -> Tag {
    Tag::builder().key("team").value("web").build().unwrap()
}

#[test]
fn a_user_has_keys_that_are_switched_off_and_deleted() {
    let bench = Bench::new();
    bench.run(USERS, async {
        let client = bench.iam();
        let made = client.create_user().user_name("ci").path("/build/").tags(tag()).send().await.unwrap();
        let user = made.user().unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:user/build/ci");
        assert_eq!((user.user_name(), user.path(), user.arn()), ("ci", "/build/", &*arn));
        assert_eq!(refused(client.create_user().user_name("ci").send().await), "EntityAlreadyExists");
        client.wait_until_user_exists().user_name("ci").wait(LONG).await.unwrap();
        let key = client.create_access_key().user_name("ci").send().await.unwrap().access_key.unwrap();
        assert_eq!((key.user_name(), key.status()), ("ci", &StatusType::Active));
        assert_eq!(key.secret_access_key().len(), 40);
        assert!(key.create_date().is_some());
        let sts = bench.sts_of(&bench.by(key.access_key_id(), key.secret_access_key(), None));
        let who = sts.get_caller_identity().send().await.unwrap();
        assert_eq!(
            (who.account(), who.arn(), who.user_id()),
            (Some(ACCOUNT), Some(&*arn), Some(user.user_id()))
        );
        let info = bench.sts().get_access_key_info().access_key_id(key.access_key_id()).send().await.unwrap();
        assert_eq!(info.account(), Some(ACCOUNT));
        assert_eq!(
            refused(bench.sts().get_access_key_info().access_key_id("AKIA").send().await),
            "ValidationError"
        );
        let other =
            bench.sts_of(&bench.of_account(OTHER_ACCOUNT)).get_caller_identity().send().await.unwrap();
        assert_eq!(other.arn(), Some(&*format!("arn:aws:iam::{OTHER_ACCOUNT}:root")));

        let pages = client.list_access_keys().user_name("ci").into_paginator().items().send();
        let keys = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((keys[0].access_key_id(), keys[0].user_name()), (Some(key.access_key_id()), Some("ci")));
        let update = client.update_access_key().user_name("ci").access_key_id(key.access_key_id());
        update.status(StatusType::Inactive).send().await.unwrap();
        let inactive = refused(sts.get_caller_identity().send().await);
        assert_eq!(inactive, "InvalidClientTokenId");
        assert_eq!(refused(client.delete_user().user_name("ci").send().await), "DeleteConflict");
        client.delete_access_key().user_name("ci").access_key_id(key.access_key_id()).send().await.unwrap();
        for name in ["a", "b", "c"] {
            client.create_user().user_name(name).send().await.unwrap();
        }
        let pages = client.list_users().max_items(2).into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 4);
        assert_eq!(
            client.get_user().user_name("ci").send().await.unwrap().user().map(|one| one.arn()),
            Some(&*arn)
        );
        let told = client.get_user().user_name("ci").send().await.unwrap();
        assert_eq!(told.user().map(|one| one.tags()), Some(&[tag()][..]));
        client.delete_user().user_name("ci").send().await.unwrap();
        assert_eq!(refused(client.get_user().user_name("ci").send().await), "NoSuchEntity");
        client.list_account_aliases().send().await.unwrap();
        let forged = bench.sts_of(&bench.by(bench.key_id(), "another secret", None));
        assert_eq!(refused(forged.get_caller_identity().send().await), "SignatureDoesNotMatch");
    });
}

#[test]
fn a_role_has_policies_and_a_profile_and_is_assumed() {
    let bench = Bench::new();
    bench.run(ROLES, async {
        let client = bench.iam();
        let create = || {
            let create = client.create_role().role_name("builder").description("builds").max_session_duration(7200);
            create.assume_role_policy_document(POLICY).tags(tag())
        };
        let made = create().send().await.unwrap();
        let role = made.role().unwrap();
        let arn = format!("arn:aws:iam::{ACCOUNT}:role/builder");
        assert_eq!((role.role_name(), role.arn(), role.path()), ("builder", &*arn, "/"));
        assert_eq!((role.description(), role.max_session_duration()), (Some("builds"), Some(7200)));
        assert_eq!(refused(create().send().await), "EntityAlreadyExists");
        client.wait_until_role_exists().role_name("builder").wait(LONG).await.unwrap();
        assert_eq!(refused(create().role_name("r").assume_role_policy_document("{").send().await), "MalformedPolicyDocument");
        let policy = client.create_policy().policy_name("images")
            .tags(tag()).policy_document(POLICY).description("d").send().await.unwrap();
        let policy = policy.policy().unwrap();
        let policy_arn = policy.arn().unwrap();
        assert_eq!((policy.policy_name(), policy.default_version_id()), (Some("images"), Some("v1")));
        client.wait_until_policy_exists().policy_arn(policy_arn).wait(LONG).await.unwrap();
        client.attach_role_policy().role_name("builder").policy_arn(policy_arn).send().await.unwrap();
        let told = client.get_policy().policy_arn(policy_arn).send().await.unwrap().policy.unwrap();
        assert_eq!((told.attachment_count(), told.is_attachable(), told.description()), (Some(1), true, Some("d")));
        assert_eq!(told.tags(), [tag()]);
        assert!(told.create_date().is_some() && told.update_date().is_some());
        let version = client.get_policy_version().policy_arn(policy_arn).version_id("v1").send().await.unwrap().policy_version.unwrap();
        assert_eq!((version.version_id(), version.is_default_version()), (Some("v1"), true));
        assert!(version.document().is_some_and(|text| text.starts_with("%7B%22Version%22")));
        assert_eq!(refused(client.delete_policy().policy_arn(policy_arn).send().await), "DeleteConflict");
        let pages = client.list_attached_role_policies().role_name("builder").into_paginator().items().send();
        let attached = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((attached[0].policy_name(), attached[0].policy_arn()), (Some("images"), Some(policy_arn)));
        client.put_role_policy().role_name("builder").policy_name("own").policy_document(POLICY).send().await.unwrap();
        let own = client.get_role_policy().role_name("builder").policy_name("own").send().await.unwrap();
        assert_eq!((own.role_name(), own.policy_name()), ("builder", "own"));
        let pages = client.list_role_policies().role_name("builder").into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap(), ["own"]);

        let profile = client.create_instance_profile().instance_profile_name("p").tags(tag()).send().await.unwrap();
        assert_eq!(profile.instance_profile().map(|one| one.instance_profile_name()), Some("p"));
        client.add_role_to_instance_profile().instance_profile_name("p").role_name("builder").send().await.unwrap();
        let told = client.get_instance_profile().instance_profile_name("p").send().await.unwrap().instance_profile.unwrap();
        assert_eq!((told.roles()[0].role_name(), told.arn()), ("builder", &*format!("arn:aws:iam::{ACCOUNT}:instance-profile/p")));
        client.wait_until_instance_profile_exists().instance_profile_name("p").wait(LONG).await.unwrap();
        assert_eq!(told.tags(), [tag()]);
        let pages = client.list_instance_profiles().into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 1);
        let pages = client.list_instance_profiles_for_role().role_name("builder").into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap().len(), 1);
        let pages = client.list_roles().into_paginator().items().send();
        let roles = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert!(roles.iter().any(|one| one.arn() == arn));

        let trust = format!(r#"{{"Statement": {{"Effect": "Allow", "Principal": {{"AWS": "{OTHER_ACCOUNT}"}}, "Action": "sts:AssumeRole"}}}}"#);
        client.update_assume_role_policy().role_name("builder").policy_document(trust).send().await.unwrap();
        let told = client.get_role().role_name("builder").send().await.unwrap().role.unwrap();
        assert_eq!(told.tags(), [tag()]);
        assert!(told.assume_role_policy_document().is_some_and(|text| text.contains(OTHER_ACCOUNT)));
        let assume = |sts: aws_sdk_sts::Client| sts.assume_role().role_arn(&arn).role_session_name("build").duration_seconds(3600).send();
        let assumed = assume(bench.sts_of(&bench.of_account(OTHER_ACCOUNT))).await.unwrap();
        let user = assumed.assumed_role_user().unwrap();
        assert_eq!(user.arn(), format!("arn:aws:sts::{ACCOUNT}:assumed-role/builder/build"));
        let session = assumed.credentials().unwrap();
        let config = bench.by(session.access_key_id(), session.secret_access_key(), Some(session.session_token()));
        let who = bench.sts_of(&config).get_caller_identity().send().await.unwrap();
        assert_eq!((who.account(), who.arn(), who.user_id()), (Some(ACCOUNT), Some(user.arn()), Some(user.assumed_role_id())));
        assert_eq!(refused(assume(bench.sts_of(&bench.of_account("444455556666"))).await), "AccessDenied");
        bench.time.pass(3600);
        assert_eq!(refused(bench.sts_of(&config).get_caller_identity().send().await), "ExpiredToken");
        let ended = bench.ec2_of(&config).describe_images().send().await;
        assert_eq!(refused(ended), "RequestExpired");

        assert_eq!(refused(client.delete_role().role_name("builder").send().await), "DeleteConflict");
        client.remove_role_from_instance_profile().instance_profile_name("p").role_name("builder").send().await.unwrap();
        client.detach_role_policy().role_name("builder").policy_arn(policy_arn).send().await.unwrap();
        client.delete_role_policy().role_name("builder").policy_name("own").send().await.unwrap();
        client.delete_role().role_name("builder").send().await.unwrap();
        client.delete_policy().policy_arn(policy_arn).send().await.unwrap();
        client.delete_instance_profile().instance_profile_name("p").send().await.unwrap();
        assert_eq!(refused(client.get_role().role_name("builder").send().await), "NoSuchEntity");
    });
}
