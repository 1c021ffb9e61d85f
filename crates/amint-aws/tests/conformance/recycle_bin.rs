//! Rules of the recycle bin, and what lies in it.

use aws_sdk_rbin::types::{
    LockConfiguration, LockState, ResourceTag, ResourceType, RetentionPeriod, RetentionPeriodUnit,
    RuleStatus, Tag, UnlockDelay, UnlockDelayUnit,
};

use crate::ebs;
use crate::support::{Bench, DAY, REGION, refused};

pub(crate) const RULES: &[&str] = &[
    "rbin CreateRule",
    "rbin DeleteRule",
    "rbin GetRule",
    "rbin ListRules",
    "rbin ListTagsForResource",
    "rbin LockRule",
    "rbin TagResource",
    "rbin UnlockRule",
    "rbin UntagResource",
    "rbin UpdateRule",
];

pub(crate) const BIN: &[&str] = &[
    "ec2 ListImagesInRecycleBin",
    "ec2 ListSnapshotsInRecycleBin",
    "ec2 RestoreImageFromRecycleBin",
    "ec2 RestoreSnapshotFromRecycleBin",
];

fn days(count: i32) -> RetentionPeriod {
    let period = RetentionPeriod::builder().retention_period_value(count);
    period.retention_period_unit(RetentionPeriodUnit::Days).build().unwrap()
}

fn lock() -> LockConfiguration {
    let delay = UnlockDelay::builder().unlock_delay_value(7).unlock_delay_unit(UnlockDelayUnit::Days);
    LockConfiguration::builder().unlock_delay(delay.build().unwrap()).build()
}

#[test]
fn a_rule_is_led_through_its_life() {
    let bench = Bench::new();
    bench.run(RULES, async {
        let client = bench.rbin();
        let wanted =
            ResourceTag::builder().resource_tag_key("keep").resource_tag_value("yes").build().unwrap();
        let made = client
            .create_rule()
            .resource_type(ResourceType::Ec2Image)
            .retention_period(days(3))
            .description("images")
            .resource_tags(wanted)
            .tags(Tag::builder().key("a").value("b").build().unwrap())
            .send()
            .await
            .unwrap();
        let id = made.identifier().unwrap();
        assert_eq!((made.description(), made.status()), (Some("images"), Some(&RuleStatus::Pending)));
        assert_eq!(made.retention_period(), Some(&days(3)));
        assert_eq!((made.resource_type(), made.tags()[0].key()), (Some(&ResourceType::Ec2Image), "a"));
        assert_eq!(
            (made.resource_tags()[0].resource_tag_key(), made.resource_tags()[0].resource_tag_value()),
            ("keep", Some("yes"))
        );
        let arn = made.rule_arn().unwrap();
        bench.time.pass(600);
        let told = client.get_rule().identifier(id).send().await.unwrap();
        assert_eq!(
            (told.identifier(), told.rule_arn(), told.status()),
            (Some(id), Some(arn), Some(&RuleStatus::Available))
        );
        assert_eq!((told.description(), told.retention_period()), (Some("images"), Some(&days(3))));
        let updated = client
            .update_rule()
            .identifier(id)
            .retention_period(days(4))
            .description("more")
            .send()
            .await
            .unwrap();
        assert_eq!((updated.description(), updated.retention_period()), (Some("more"), Some(&days(4))));
        assert!(updated.rule_arn().is_some() && updated.status().is_some());
        for _ in 0..3 {
            client
                .create_rule()
                .resource_type(ResourceType::Ec2Image)
                .retention_period(days(1))
                .send()
                .await
                .unwrap();
        }
        let pages = client
            .list_rules()
            .resource_type(ResourceType::Ec2Image)
            .max_results(2)
            .into_paginator()
            .items()
            .send();
        let rules = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!(rules.len(), 4);
        let one = rules.iter().find(|rule| rule.identifier() == Some(id)).unwrap();
        assert_eq!(
            (one.description(), one.retention_period(), one.rule_arn()),
            (Some("more"), Some(&days(4)), Some(arn))
        );

        client
            .tag_resource()
            .resource_arn(arn)
            .tags(Tag::builder().key("c").value("d").build().unwrap())
            .send()
            .await
            .unwrap();
        client.untag_resource().resource_arn(arn).tag_keys("a").send().await.unwrap();
        let tags = client.list_tags_for_resource().resource_arn(arn).send().await.unwrap();
        assert_eq!((tags.tags().len(), tags.tags()[0].key(), tags.tags()[0].value()), (1, "c", "d"));

        let all = client
            .create_rule()
            .resource_type(ResourceType::EbsSnapshot)
            .retention_period(days(1))
            .send()
            .await
            .unwrap();
        bench.time.pass(600);
        let all = all.identifier().unwrap();
        let locked = client.lock_rule().identifier(all).lock_configuration(lock()).send().await.unwrap();
        assert_eq!(
            (locked.lock_state(), locked.lock_configuration()),
            (Some(&LockState::Locked), Some(&lock()))
        );
        assert_eq!(
            (locked.identifier(), locked.resource_type()),
            (Some(all), Some(&ResourceType::EbsSnapshot))
        );
        let conflict = client.delete_rule().identifier(all).send().await.unwrap_err().into_service_error();
        let aws_sdk_rbin::operation::delete_rule::DeleteRuleError::ConflictException(conflict) = conflict
        else {
            panic!("{conflict:?}");
        };
        assert_eq!(conflict.reason().map(|reason| reason.as_str()), Some("INVALID_RULE_STATE"));
        let unlocked = client.unlock_rule().identifier(all).send().await.unwrap();
        assert_eq!(unlocked.lock_state(), Some(&LockState::PendingUnlock));
        assert!(unlocked.lock_end_time().is_some());
        client.delete_rule().identifier(id).send().await.unwrap();
        assert_eq!(refused(client.get_rule().identifier(id).send().await), "ResourceNotFoundException");
        let wrong =
            client.create_rule().resource_type(ResourceType::Ec2Image).retention_period(days(0)).send().await;
        assert_eq!(refused(wrong), "ValidationException");
    });
}

#[test]
fn what_was_removed_is_had_back() {
    let bench = Bench::new();
    bench.run(BIN, async {
        let (client, rules) = (bench.ec2(), bench.rbin());
        for kind in [ResourceType::Ec2Image, ResourceType::EbsSnapshot] {
            rules.create_rule().resource_type(kind).retention_period(days(2)).send().await.unwrap();
        }
        let snapshot = ebs::snapshot(&bench, &[(0, 1)]).await;
        bench.time.pass(600);
        let source = client.describe_images().send().await.unwrap().images()[0].image_id.clone().unwrap();
        let copy = client
            .copy_image()
            .name("copy")
            .description("mine")
            .source_image_id(&source)
            .source_region(REGION);
        let image = copy.send().await.unwrap().image_id.unwrap();
        client.deregister_image().image_id(&image).send().await.unwrap();
        let listed = client.list_images_in_recycle_bin().send().await.unwrap();
        let one = &listed.images()[0];
        assert_eq!(
            (one.image_id(), one.name(), one.description()),
            (Some(&*image), Some("copy"), Some("mine"))
        );
        let (enters, exits) = (one.recycle_bin_enter_time().unwrap(), one.recycle_bin_exit_time().unwrap());
        assert_eq!(exits.secs() - enters.secs(), i64::try_from(2 * DAY).unwrap());
        assert_eq!(
            client.restore_image_from_recycle_bin().image_id(&image).send().await.unwrap().r#return(),
            Some(true)
        );
        client.describe_images().image_ids(&image).send().await.unwrap();

        client.delete_snapshot().snapshot_id(&snapshot).send().await.unwrap();
        let pages = client.list_snapshots_in_recycle_bin().into_paginator().items().send();
        let listed = pages.collect::<Result<Vec<_>, _>>().await.unwrap();
        assert_eq!((listed.len(), listed[0].snapshot_id()), (1, Some(&*snapshot)));
        assert!(listed[0].recycle_bin_enter_time().is_some() && listed[0].recycle_bin_exit_time().is_some());
        let restored =
            client.restore_snapshot_from_recycle_bin().snapshot_id(&snapshot).send().await.unwrap();
        assert_eq!((restored.snapshot_id(), restored.volume_size()), (Some(&*snapshot), Some(1)));
        assert_eq!((restored.progress(), restored.encrypted()), (Some("100%"), Some(false)));
        assert!(
            restored.start_time().is_some() && restored.state().is_some() && restored.owner_id().is_some()
        );
        let again = client.restore_snapshot_from_recycle_bin().snapshot_id(&snapshot).send().await;
        assert_eq!(refused(again), "InvalidSnapshot.NotFound");
    });
}
