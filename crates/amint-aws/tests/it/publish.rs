//! From the store to images, and back.

use std::collections::BTreeSet;

use amint_publish::calls::{CALLS, Purpose};
use amint_publish::{
    Action, ApplyError, CloudErrorClass, Copies, Parameters, Plan, Promotion, Protection, Region, Tags,
    Wanted, find_litter, find_published, observe, plan_promotion, plan_undo, promote_all, read_back,
    remove_litter,
};
use amint_types::Cancel;

use crate::support::{Bench, Run, content};

const HOME: &str = "us-east-1";
const AWAY: &str = "eu-west-1";

/// Asserts that the image's snapshot has the very blocks, and that the image is what it should be.
async fn assert_same(
    bench: &Bench,
    run: &Run,
    index: usize,
    region: &str,
    record: &amint_store::ImageRecord,
) {
    let connection = bench.connect(Purpose::Verify).await;
    let (region, cancel) = (connection.in_region(region), Cancel::new());
    let applied = run.applied(index);
    let published = find_published(&region, &applied.image_id, &cancel).await.unwrap().unwrap();
    assert_eq!(published.snapshot_id, applied.snapshot_id);
    assert_eq!((published.digest, published.differences), (Some(record.digest), vec![]));
    let manifest = bench.store.manifest(record.digest).unwrap();
    let found = read_back(&region, &applied.snapshot_id, &manifest, &|_, _| {}, &cancel).await.unwrap();
    assert!(found.is_same() && found.blocks > 0, "{found:?}");
    let listed = CALLS.iter().filter(|call| call.is_for(Purpose::Verify)).map(|call| call.action);
    let listed: BTreeSet<_> = listed.filter(|action| *action != "sts:GetCallerIdentity").collect();
    assert_eq!(
        connection.sent().into_keys().collect::<BTreeSet<_>>(),
        listed,
        "all that is allowed is needed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_time_nothing_changes_and_of_the_next_version_only_what_differs_is_sent() {
    let bench = Bench::new();
    let old = content(120);
    let record = bench.put("1.0.0", old.clone());
    let wanted = Wanted::of(&record, &Tags::new());
    let first = bench.publish(&record, &wanted, &[HOME], Copies::Auto).await;
    assert_eq!(first.applied(0).blocks_sent, 103);
    assert_same(&bench, &first, 0, HOME, &record).await;

    let second = bench.publish(&record, &wanted, &[HOME], Copies::Auto).await;
    assert_eq!(second.applied(0).image_id, first.applied(0).image_id);
    assert_eq!(second.changes(), BTreeSet::new(), "a second publish makes no request that changes anything");
    assert!(second.plans[0].is_nothing());

    // A file changed: its content, its inode, and a block that is free now.
    let mut new = old;
    (new[9], new[40], new[70]) = (9_000, 40_000, 0);
    let record = bench.put("1.1.0", new);
    let wanted = Wanted::of(&record, &Tags::new());
    let third = bench.publish(&record, &wanted, &[HOME], Copies::Auto).await;
    let sent = third.applied(0).blocks_sent;
    assert!((1..=3).contains(&sent) && sent * 100 < 103 * 5, "{sent} of 103 blocks is under 5 %");
    assert_same(&bench, &third, 0, HOME, &record).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn regions_are_published_to_at_once_shared_and_dated() {
    let bench = Bench::new();
    let record = bench.put("1.0.0", content(20));
    let team = Tags::from([("team".to_owned(), "web & \"mail\"".to_owned())]);
    let mut wanted = Wanted::of(&record, &team);
    wanted.settings.accounts = ["111122223333".to_owned(), "444455556666".to_owned()].into();
    wanted.settings.deprecate_at = Some("2035-01-02T03:04:00Z".parse().unwrap());
    wanted.settings.watermarks = ["golden".to_owned()].into();
    wanted.settings.protection = Some(Protection::WithCooldown);
    let run = bench.publish(&record, &wanted, &[HOME, AWAY], Copies::Always).await;
    assert!(matches!(run.plans[1].action, Action::Copy(_)), "{:?}", run.plans);
    let connection = bench.connect(Purpose::Publish).await;
    for (index, name) in [HOME, AWAY].into_iter().enumerate() {
        assert_same(&bench, &run, index, name, &record).await;
        let (region, applied) = (connection.in_region(name), run.applied(index));
        assert_eq!(region.image_accounts(&applied.image_id).await.unwrap(), wanted.settings.accounts);
        assert_eq!(region.snapshot_accounts(&applied.snapshot_id).await.unwrap(), wanted.settings.accounts);
        let image = region.image(&applied.image_id).await.unwrap().unwrap();
        assert_eq!(image.deprecated_at, wanted.settings.deprecate_at);
        assert_eq!(image.protection, wanted.settings.protection);
        assert_eq!(image.watermarks.iter().map(String::as_str).collect::<Vec<_>>(), ["123456789012:golden"]);
        let snapshot = region.snapshot(&applied.snapshot_id).await.unwrap().unwrap();
        assert_eq!((&image.tags, &snapshot.tags), (&wanted.tags, &wanted.tags));
    }
    let again = bench.publish(&record, &wanted, &[HOME, AWAY], Copies::Always).await;
    assert_eq!(again.changes(), BTreeSet::new());

    // What is allowed for publishing is needed, but for the taking back of what came out wrong.
    let mut sent: BTreeSet<&str> = run.sent.into_keys().chain(again.sent.into_keys()).collect();
    sent.extend(["ec2:DeleteSnapshot", "ec2:DeregisterImage"]);
    let listed = CALLS.iter().filter(|call| call.is_for(Purpose::Publish)).map(|call| call.action);
    // Channels, keys and other accounts are for those who ask for them: below, and in the tests of the command.
    let asked_for =
        |action: &&str| !["ssm:", "kms:", "sts:AssumeRole"].iter().any(|start| action.starts_with(start));
    assert_eq!(sent, listed.filter(asked_for).collect());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_organization_s_tag_policy_refuses_a_plan_before_anything_is_made() {
    let bench = Bench::new();
    let organizations = aws_sdk_organizations::Client::new(&bench.sdk_config());
    let content = r#"{"tags": {"team": {
        "tag_key": {"@@assign": "Team"}, "tag_value": {"@@assign": ["web*"]},
        "report_required_tag_for": {"@@assign": ["ec2:image", "ec2:snapshot"]}
    }}}"#;
    let policy = organizations.create_policy().name("tags").description("").content(content);
    let policy = policy.r#type(aws_sdk_organizations::types::PolicyType::TagPolicy).send().await.unwrap();
    let id = policy.policy.unwrap().policy_summary.unwrap().id.unwrap();
    organizations.attach_policy().policy_id(id).target_id("r-amnt").send().await.unwrap();
    let record = bench.put("1.0.0", vec![1]);
    let tagged = |key: &str, value: &str| Wanted::of(&record, &[(key.to_owned(), value.to_owned())].into());
    let refused = bench.publish(&record, &tagged("team", "data"), &[HOME, AWAY], Copies::Never).await;
    let messages: Vec<&str> =
        refused.plans.iter().flat_map(Plan::problems).map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        ["the tag policy writes the tag `team` as `Team`", "the tag policy wants the tag `Team`"]
    );
    let right = bench.publish(&record, &tagged("Team", "web-shop"), &[HOME], Copies::Never).await;
    assert_eq!(right.applied(0).blocks_sent, 1);
    assert!(right.plans[0].notes.is_empty(), "{:?}", right.plans);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_follows_the_image_and_what_that_needs_is_allowed() {
    let (bench, cancel) = (Bench::new(), Cancel::new());
    let name = "/golden/web/stable";
    let mut images = Vec::new();
    let mut blocks = content(20);
    for version in ["1.0.0", "1.1.0"] {
        blocks[2] += 100;
        let record = bench.put(version, blocks.clone());
        let run = bench.publish(&record, &Wanted::of(&record, &Tags::new()), &[HOME], Copies::Auto).await;
        images.push((record, run.applied(0).image_id.clone()));
    }
    let connection = bench.connect(Purpose::Promote).await;
    let regions = [connection.in_region(HOME)];
    for (record, image_id) in &images {
        let subject = record.reference().to_string();
        let promotion =
            Promotion { subject: &subject, digest: record.digest, parameter: name, takes_over: false };
        let plan = plan_promotion(&regions[0], &promotion, &cancel).await.unwrap();
        let promoted = promote_all(&regions, &[plan], &subject, &bench.store, &cancel).await.unwrap();
        assert!(promoted.failed.is_none(), "{promoted:?}");
        assert_eq!(regions[0].parameter(name).await.unwrap().unwrap().value, *image_id);
    }
    let undo = plan_undo(&regions[0], name, &cancel).await.unwrap();
    promote_all(&regions, &[undo], "web", &bench.store, &cancel).await.unwrap();
    assert_eq!(regions[0].parameter(name).await.unwrap().unwrap().value, images[0].1);
    // As when another region refuses a channel that is new here.
    regions[0].delete_parameter(name).await.unwrap();
    assert_eq!(regions[0].parameter(name).await.unwrap(), None);
    let sent: BTreeSet<&str> = connection.sent().into_keys().chain(["sts:GetCallerIdentity"]).collect();
    let listed = CALLS.iter().filter(|call| call.is_for(Purpose::Promote)).map(|call| call.action);
    assert_eq!(sent, listed.collect(), "all that is allowed is needed");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_image_uses_is_found_and_removed() {
    let bench = Bench::new();
    let record = bench.put("1.0.0", content(6));
    let wanted = Wanted::of(&record, &Tags::new());
    let run = bench.publish(&record, &wanted, &[HOME], Copies::Never).await;
    let connection = bench.connect(Purpose::Collect).await;
    let (region, cancel) = (connection.in_region(HOME), Cancel::new());
    let later = "2100-01-01T00:00:00Z".parse().unwrap();
    assert_eq!(find_litter(&region, later, &cancel).await.unwrap(), [], "an image uses it");
    region.deregister_image(&run.applied(0).image_id).await.unwrap();
    assert_eq!(find_litter(&region, "2020-01-01T00:00:00Z".parse().unwrap(), &cancel).await.unwrap(), []);
    let litter = find_litter(&region, later, &cancel).await.unwrap();
    assert_eq!(litter.len(), 1);
    assert_eq!(litter[0].snapshot_id, run.applied(0).snapshot_id);
    assert_eq!(remove_litter(&region, &litter, &bench.store, &cancel).await.unwrap(), 1);
    assert_eq!(find_litter(&region, later, &cancel).await.unwrap(), []);
    let listed = CALLS.iter().filter(|call| call.is_for(Purpose::Collect)).map(|call| call.action);
    let listed: BTreeSet<_> = listed.filter(|action| *action != "sts:GetCallerIdentity").collect();
    assert_eq!(connection.sent().into_keys().collect::<BTreeSet<_>>(), listed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_refused_at_once_and_a_request_off_the_list_is_not_sent() {
    let bench = Bench::new();
    let record = bench.put("1.0.0", content(2));
    let wanted = Wanted::of(&record, &Tags::new());
    let connection = bench.connect_with("wrong").await;
    let error = observe(&connection.in_region(HOME), &wanted, &Cancel::new()).await.unwrap_err();
    let ApplyError::Cloud(error) = error else { panic!("{error}") };
    assert_eq!(
        (error.class, error.code.as_deref()),
        (CloudErrorClass::Denied, Some("SignatureDoesNotMatch"))
    );
    assert_eq!(connection.sent().values().sum::<u64>(), 1, "it is not tried again");
    assert!(error.request_id.is_some(), "{error}");

    let verifying = bench.connect(Purpose::Verify).await;
    let error = verifying.in_region(HOME).delete_snapshot("snap-0123456789abcdef0").await.unwrap_err();
    assert!(error.message.contains("not among the requests"), "{error}");
    assert!(verifying.sent().is_empty());
}
