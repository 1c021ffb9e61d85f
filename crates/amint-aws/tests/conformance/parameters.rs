//! Parameters of Systems Manager, keys of the Key Management Service, and the record of all calls.

use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use aws_sdk_kms::types::{GrantOperation, KeyManagerType, KeySpec, KeyState, KeyUsageType};
use aws_sdk_ssm::operation::get_parameter::GetParameterError;
use aws_sdk_ssm::types::{ParameterStringFilter, ParameterTier, ParameterType, ResourceTypeForTagging, Tag};

use crate::support::{ACCOUNT, Bench, DAY, OTHER_ACCOUNT, REGION, refused};

pub(crate) const PARAMETERS: &[&str] = &[
    "ssm AddTagsToResource",
    "ssm DeleteParameter",
    "ssm DeleteParameters",
    "ssm DescribeParameters",
    "ssm GetParameter",
    "ssm GetParameterHistory",
    "ssm GetParameters",
    "ssm GetParametersByPath",
    "ssm LabelParameterVersion",
    "ssm ListTagsForResource",
    "ssm PutParameter",
    "ssm RemoveTagsFromResource",
    "ssm UnlabelParameterVersion",
];

pub(crate) const KEYS: &[&str] = &[
    "kms CancelKeyDeletion",
    "kms CreateAlias",
    "kms CreateGrant",
    "kms CreateKey",
    "kms DeleteAlias",
    "kms DescribeKey",
    "kms DisableKey",
    "kms EnableKey",
    "kms GetKeyPolicy",
    "kms ListAliases",
    "kms ListGrants",
    "kms ListKeyPolicies",
    "kms ListKeys",
    "kms PutKeyPolicy",
    "kms RetireGrant",
    "kms RevokeGrant",
    "kms ScheduleKeyDeletion",
    "kms UpdateAlias",
];

pub(crate) const TRAIL: &[&str] = &["cloudtrail LookupEvents"];

#[test]
fn parameters_have_versions_labels_and_paths() {
    let bench = Bench::new();
    bench.run(PARAMETERS, async {
        let client = bench.ssm();
        let put = |name: &str, value: &str| {
            client.put_parameter().name(name).value(value).r#type(ParameterType::String)
        };
        let tag = Tag::builder().key("a").value("b").build().unwrap();
        let first = put("/web/ami", "one").description("d").tags(tag).send().await.unwrap();
        assert_eq!((first.version(), first.tier()), (1, Some(&ParameterTier::Standard)));
        assert_eq!(refused(put("/web/ami", "two").send().await), "ParameterAlreadyExists");
        assert_eq!(put("/web/ami", "two").overwrite(true).send().await.unwrap().version(), 2);
        let label = client
            .label_parameter_version()
            .name("/web/ami")
            .parameter_version(1)
            .labels("stable")
            .labels("1st")
            .send()
            .await
            .unwrap();
        assert_eq!((label.parameter_version(), label.invalid_labels()), (1, &["1st".to_owned()][..]));
        let told = client
            .get_parameter()
            .name("/web/ami:stable")
            .with_decryption(true)
            .send()
            .await
            .unwrap()
            .parameter
            .unwrap();
        assert_eq!((told.name(), told.value(), told.version()), (Some("/web/ami"), Some("one"), 1));
        assert_eq!((told.selector(), told.r#type()), (Some(":stable"), Some(&ParameterType::String)));
        assert_eq!(
            (told.arn(), told.data_type()),
            (Some(&*format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/web/ami")), Some("text"))
        );
        assert!(told.last_modified_date().is_some());
        let some = client.get_parameters().names("/web/ami").names("/none").send().await.unwrap();
        assert_eq!(
            (some.parameters()[0].value(), some.invalid_parameters()),
            (Some("two"), &["/none".to_owned()][..])
        );
        let pages = client.get_parameter_history().name("/web/ami").max_results(1).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let history: Vec<_> = pages.iter().flat_map(|page| page.parameters()).collect();
        assert_eq!(
            (history[0].version(), history[0].labels(), history[0].description()),
            (1, &["stable".to_owned()][..], Some("d"))
        );
        assert_eq!(
            (history[1].version(), history[1].value(), history[1].tier()),
            (2, Some("two"), Some(&ParameterTier::Standard))
        );
        assert!(history[0].last_modified_user().is_some() && history[0].last_modified_date().is_some());
        let label = client
            .unlabel_parameter_version()
            .name("/web/ami")
            .parameter_version(1)
            .labels("stable")
            .send()
            .await
            .unwrap();
        assert_eq!(label.removed_labels(), ["stable"]);
        for name in ["/web/a/1", "/web/a/2", "/web/b"] {
            put(name, "x").send().await.unwrap();
        }
        let pages = client
            .get_parameters_by_path()
            .path("/web")
            .recursive(true)
            .max_results(2)
            .into_paginator()
            .send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(pages.iter().map(|page| page.parameters().len()).collect::<Vec<_>>(), [2, 2]);
        let filter = ParameterStringFilter::builder()
            .key("Name")
            .option("BeginsWith")
            .values("/web/ami")
            .build()
            .unwrap();
        let pages = client.describe_parameters().parameter_filters(filter).into_paginator().send();
        let pages = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let described: Vec<_> = pages.iter().flat_map(|page| page.parameters()).collect();
        assert_eq!(
            (described[0].name(), described[0].version(), described[0].description()),
            (Some("/web/ami"), 2, None)
        );
        assert_eq!(
            (described[0].tier(), described[0].data_type()),
            (Some(&ParameterTier::Standard), Some("text"))
        );

        let kind = ResourceTypeForTagging::Parameter;
        let tag = Tag::builder().key("c").value("d").build().unwrap();
        client
            .add_tags_to_resource()
            .resource_type(kind.clone())
            .resource_id("/web/ami")
            .tags(tag)
            .send()
            .await
            .unwrap();
        client
            .remove_tags_from_resource()
            .resource_type(kind.clone())
            .resource_id("/web/ami")
            .tag_keys("a")
            .send()
            .await
            .unwrap();
        let tags =
            client.list_tags_for_resource().resource_type(kind).resource_id("/web/ami").send().await.unwrap();
        assert_eq!(
            (tags.tag_list().len(), tags.tag_list()[0].key(), tags.tag_list()[0].value()),
            (1, "c", "d")
        );
        let image = bench.ec2().describe_images().send().await.unwrap().images()[0].image_id.clone();
        let public =
            client.get_parameter().name("/aws/service/amint/web/x86_64/latest").send().await.unwrap();
        assert_eq!(public.parameter().and_then(|one| one.value()), image.as_deref());

        client.delete_parameter().name("/web/b").send().await.unwrap();
        let gone = client.delete_parameters().names("/web/ami").names("/none").send().await.unwrap();
        assert_eq!(
            (gone.deleted_parameters(), gone.invalid_parameters()),
            (&["/web/ami".to_owned()][..], &["/none".to_owned()][..])
        );
        let none = client.get_parameter().name("/web/ami").send().await;
        assert!(matches!(none.unwrap_err().into_service_error(), GetParameterError::ParameterNotFound(_)));
        let none = client.get_parameter().name("/web/a/1:9").send().await;
        assert_eq!(refused(none), "ParameterVersionNotFound");
        let secret = put("/secret", "x").r#type(ParameterType::SecureString).send().await;
        assert_eq!(refused(secret), "UnsupportedParameterType");
    });
}

#[test]
fn a_key_has_aliases_a_policy_and_grants_until_it_goes() {
    let bench = Bench::new();
    bench.run(KEYS, async {
        let client = bench.kms();
        let tag = aws_sdk_kms::types::Tag::builder().tag_key("a").tag_value("b").build().unwrap();
        let made = client.create_key().description("images").tags(tag).send().await.unwrap();
        let metadata = made.key_metadata().unwrap();
        let (id, arn) = (metadata.key_id(), metadata.arn().unwrap());
        assert_eq!(
            (metadata.description(), metadata.enabled(), metadata.aws_account_id()),
            (Some("images"), true, Some(ACCOUNT))
        );
        assert_eq!(
            (metadata.key_state(), metadata.key_manager()),
            (Some(&KeyState::Enabled), Some(&KeyManagerType::Customer))
        );
        assert_eq!(
            (metadata.key_spec(), metadata.key_usage()),
            (Some(&KeySpec::SymmetricDefault), Some(&KeyUsageType::EncryptDecrypt))
        );
        assert!(metadata.creation_date().is_some() && metadata.multi_region() == Some(false));
        client.create_alias().alias_name("alias/images").target_key_id(id).send().await.unwrap();
        let again = client.create_alias().alias_name("alias/images").target_key_id(id).send().await;
        assert_eq!(refused(again), "AlreadyExistsException");
        let described = client.describe_key().key_id("alias/images").send().await.unwrap();
        assert_eq!(described.key_metadata().and_then(|one| one.arn()), Some(arn));
        let second = client.create_key().send().await.unwrap().key_metadata.unwrap();
        client.update_alias().alias_name("alias/images").target_key_id(second.key_id()).send().await.unwrap();
        let pages = client.list_aliases().key_id(second.key_id()).into_paginator().items().send();
        let aliases = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(
            (aliases[0].alias_name(), aliases[0].target_key_id()),
            (Some("alias/images"), Some(second.key_id()))
        );
        assert!(aliases[0].alias_arn().is_some());
        client.delete_alias().alias_name("alias/images").send().await.unwrap();
        assert_eq!(refused(client.describe_key().key_id("alias/images").send().await), "NotFoundException");
        let pages = client.list_keys().limit(1).into_paginator().items().send();
        let keys = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert!(keys.len() == 3 && keys.iter().any(|one| one.key_arn() == Some(arn)));

        let policy = r#"{"Statement": []}"#;
        client.put_key_policy().key_id(id).policy_name("default").policy(policy).send().await.unwrap();
        let told = client.get_key_policy().key_id(id).policy_name("default").send().await.unwrap();
        assert_eq!((told.policy(), told.policy_name()), (Some(policy), Some("default")));
        let pages = client.list_key_policies().key_id(id).into_paginator().items().send();
        assert_eq!(pages.collect::<Result<Vec<_>, _>>().await.unwrap(), ["default"]);
        let wrong = client.put_key_policy().key_id(id).policy_name("default").policy("x").send().await;
        assert_eq!(refused(wrong), "MalformedPolicyDocumentException");
        let grantee = format!("arn:aws:iam::{OTHER_ACCOUNT}:root");
        let grant = |name: &str| {
            let grant = client
                .create_grant()
                .key_id(id)
                .name(name)
                .grantee_principal(&grantee)
                .retiring_principal(&grantee);
            grant.operations(GrantOperation::Decrypt).operations(GrantOperation::CreateGrant).send()
        };
        let (first, other) = (grant("one").await.unwrap(), grant("two").await.unwrap());
        assert!(first.grant_token().is_some());
        let pages = client.list_grants().key_id(id).limit(1).into_paginator().items().send();
        let grants = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        let one = grants.iter().find(|one| one.name() == Some("one")).unwrap();
        assert_eq!(
            (one.grant_id(), one.grantee_principal(), one.key_id()),
            (first.grant_id(), Some(&*grantee), Some(arn))
        );
        assert_eq!((one.operations().len(), one.retiring_principal()), (2, Some(&*grantee)));
        assert!(one.creation_date().is_some() && one.issuing_account().is_some());
        client.revoke_grant().key_id(id).grant_id(first.grant_id().unwrap()).send().await.unwrap();
        client.retire_grant().key_id(arn).grant_id(other.grant_id().unwrap()).send().await.unwrap();
        let again = client.revoke_grant().key_id(id).grant_id(first.grant_id().unwrap()).send().await;
        assert_eq!(refused(again), "NotFoundException");

        client.disable_key().key_id(id).send().await.unwrap();
        client.enable_key().key_id(id).send().await.unwrap();
        let scheduled =
            client.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.unwrap();
        assert_eq!(
            (scheduled.key_id(), scheduled.key_state()),
            (Some(arn), Some(&KeyState::PendingDeletion))
        );
        assert_eq!(scheduled.pending_window_in_days(), Some(7));
        assert!(scheduled.deletion_date().is_some());
        let described = client.describe_key().key_id(id).send().await.unwrap();
        assert!(described.key_metadata().is_some_and(|one| one.deletion_date().is_some()));
        assert_eq!(refused(client.enable_key().key_id(id).send().await), "KMSInvalidStateException");
        assert_eq!(client.cancel_key_deletion().key_id(id).send().await.unwrap().key_id(), Some(arn));
        client.schedule_key_deletion().key_id(id).pending_window_in_days(7).send().await.unwrap();
        bench.time.pass(7 * DAY);
        assert_eq!(refused(client.describe_key().key_id(id).send().await), "NotFoundException");
    });
}

#[test]
fn every_call_has_a_record() {
    let bench = Bench::new();
    bench.run(TRAIL, async {
        let (client, ec2) = (bench.cloudtrail(), bench.ec2());
        let image = ec2.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        for number in 0..3 {
            let tag = aws_sdk_ec2::types::Tag::builder().key(format!("k{number}")).value("v").build();
            ec2.create_tags().resources(&image).tags(tag).send().await.unwrap();
        }
        let attribute = LookupAttribute::builder()
            .attribute_key(LookupAttributeKey::EventName)
            .attribute_value("CreateTags");
        let pages = client
            .lookup_events()
            .lookup_attributes(attribute.build().unwrap())
            .max_results(2)
            .into_paginator()
            .items()
            .send();
        let events = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(events.len(), 3);
        let event = &events[0];
        assert_eq!(
            (event.event_name(), event.event_source(), event.read_only()),
            (Some("CreateTags"), Some("ec2.amazonaws.com"), Some("false"))
        );
        assert_eq!((event.username(), event.access_key_id()), (Some("root"), Some(bench.key_id())));
        assert!(event.event_id().is_some() && event.event_time().is_some());
        assert!(event.resources().iter().any(|one| one.resource_name() == Some(&*image)));
        assert!(event.cloud_trail_event().is_some_and(|text| text.contains("\"key\":\"k2\"")));
        // Times of JSON have fractions.
        let between = |start: DateTime, end: DateTime| client.lookup_events().start_time(start).end_time(end);
        let time = |seconds: i64| DateTime::from_millis(seconds * 1000 + 250);
        let now = DateTime::from(std::time::SystemTime::now()).secs();
        let all = between(time(now - 60), time(now + 60)).send().await.unwrap();
        assert!(!all.events().is_empty());
        assert!(between(time(now - 120), time(now - 60)).send().await.unwrap().events().is_empty());
        let turned = between(time(now), time(now - 60)).send().await;
        assert_eq!(refused(turned), "InvalidTimeRangeException");
        assert_eq!(
            refused(client.lookup_events().max_results(51).send().await),
            "InvalidMaxResultsException"
        );
        assert_eq!(refused(client.lookup_events().next_token("x").send().await), "InvalidNextTokenException");
    });
}
