//! What is removed and can be had back.

use serde_json::{Value, json};

use crate::support::{Answer, Bench, DAY, Time};

const RBIN: &str = "us-east-1/rbin";

fn create(bench: &Bench, body: &Value) -> Answer {
    bench.send("POST", "/rules", RBIN, &body.to_string())
}

/// Makes a rule that holds back from now on.
fn rule(bench: &Bench, time: &Time, kind: &str, days: u32, more: &Value) -> String {
    let mut body = json!({
        "ResourceType": kind,
        "RetentionPeriod": { "RetentionPeriodValue": days, "RetentionPeriodUnit": "DAYS" },
    });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let answer = create(bench, &body);
    assert_eq!(
        (answer.status, answer.json()["Status"].as_str()),
        (201, Some("pending")),
        "{}",
        answer.text()
    );
    time.pass(5);
    answer.json()["Identifier"].as_str().unwrap().to_owned()
}

fn days(count: u32) -> Value {
    json!({ "RetentionPeriodValue": count, "RetentionPeriodUnit": "DAYS" })
}

#[test]
fn an_image_and_its_snapshot_come_back_as_they_were() {
    let (bench, time) = Bench::timed();
    rule(&bench, &time, "EC2_IMAGE", 2, &json!({}));
    rule(&bench, &time, "EBS_SNAPSHOT", 2, &json!({}));
    let (image, snapshot) = (bench.image_id(), bench.snapshot_id());
    bench.did(&format!("ModifyImageAttribute&ImageId={image}&LaunchPermission.Add.1.UserId=111122223333"));
    bench.did(&format!("CreateTags&ResourceId.1={image}&Tag.1.Key=state&Tag.1.Value=kept"));
    let before = bench.did("DescribeImages").all("imagesSet");
    let end = bench.did(&format!("DeregisterImage&ImageId={image}&DeleteAssociatedSnapshots=true"));
    assert_eq!(end.one("returnCode"), "success");
    assert_eq!(bench.refused(&format!("DescribeImages&ImageId.1={image}")), "InvalidAMIID.NotFound");
    assert_eq!(bench.ebs(&format!("/snapshots/{snapshot}/blocks")).status, 404);
    let binned = bench.did(&format!("ListImagesInRecycleBin&ImageId.1={image}"));
    assert_eq!(binned.one("name"), "store/web-1.4-b1");
    assert_eq!(
        (binned.one("recycleBinEnterTime"), binned.one("recycleBinExitTime")),
        ("2027-01-15T08:00:10.000Z".to_owned(), "2027-01-17T08:00:10.000Z".to_owned())
    );
    assert_eq!(bench.did("ListSnapshotsInRecycleBin").one("snapshotId"), snapshot);

    let tag = |value: &str| {
        let body = format!(
            "CreateTags&ResourceId.1={image}&ResourceId.2={snapshot}&Tag.1.Key=state&Tag.1.Value={value}"
        );
        bench.did(&body);
    };
    tag("binned");
    let restore_image = format!("RestoreImageFromRecycleBin&ImageId={image}");
    let restore_snapshot = format!("RestoreSnapshotFromRecycleBin&SnapshotId={snapshot}");
    assert_eq!(bench.refused(&restore_image), "InvalidSnapshot.NotFound", "the snapshot comes first");
    assert_eq!(bench.ec2(&format!("Action={restore_snapshot}&DryRun=true")).code().0, 412);
    assert_eq!(bench.did(&restore_snapshot).one("status"), "completed");
    bench.did(&restore_image);
    for body in ["DescribeImages", "DescribeSnapshots"] {
        let tagged = bench.did(&format!("{body}&Filter.1.Name=tag:state&Filter.1.Value.1=binned"));
        assert!(tagged.text().contains(&snapshot), "tags can be changed in the bin: {body}");
    }
    tag("kept");
    assert_eq!(bench.did("DescribeImages").all("imagesSet"), before);
    let permissions =
        bench.did(&format!("DescribeImageAttribute&ImageId={image}&Attribute=launchPermission"));
    assert_eq!(permissions.one("userId"), "111122223333");
    assert_eq!(
        bench.ebs(&format!("/snapshots/{snapshot}/blocks")).json()["Blocks"].as_array().unwrap().len(),
        2
    );
    assert_eq!(bench.refused(&restore_image), "InvalidAMIID.NotFound");
}

#[test]
fn what_was_kept_long_enough_is_gone_with_its_blocks() {
    let (bench, time) = Bench::timed();
    let snapshot = bench.free_snapshot(&time);
    let other = bench.free_snapshot(&time);
    let id = rule(&bench, &time, "EBS_SNAPSHOT", 1, &json!({}));
    bench.did(&format!("DeleteSnapshot&SnapshotId={snapshot}"));
    // What lies in the bin keeps its time, whatever becomes of the rule.
    let update = json!({ "RetentionPeriod": days(9) }).to_string();
    assert_eq!(bench.send("PATCH", &format!("/rules/{id}"), RBIN, &update).status, 200);
    bench.did(&format!("DeleteSnapshot&SnapshotId={other}"));
    assert_eq!(bench.send("DELETE", &format!("/rules/{id}"), RBIN, "").status, 204);
    time.pass(DAY - 1);
    assert_eq!(bench.did("ListSnapshotsInRecycleBin").all("snapshotId").len(), 2);
    time.pass(1);
    assert_eq!(bench.did("ListSnapshotsInRecycleBin").one("snapshotId"), other);
    assert_eq!(
        bench.refused(&format!("RestoreSnapshotFromRecycleBin&SnapshotId={snapshot}")),
        "InvalidSnapshot.NotFound"
    );
    let pins = bench.store().pins().unwrap();
    assert_eq!(pins.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), [other.as_str()]);
}

#[test]
fn rules_hold_back_what_their_tags_say_and_the_longest_one_counts() {
    let (bench, time) = Bench::timed();
    let tag = |value: &str| json!([{ "ResourceTagKey": "keep", "ResourceTagValue": value }]);
    rule(&bench, &time, "EBS_SNAPSHOT", 3, &json!({ "ResourceTags": [{ "ResourceTagKey": "keep" }] }));
    rule(&bench, &time, "EBS_SNAPSHOT", 5, &json!({ "ResourceTags": tag("long") }));
    rule(&bench, &time, "EBS_SNAPSHOT", 1, &json!({ "ExcludeResourceTags": tag("never") }));
    let delete = |value: &str| {
        let id = bench.free_snapshot(&time);
        bench.did(&format!("CreateTags&ResourceId.1={id}&Tag.1.Key=keep&Tag.1.Value={value}"));
        bench.did(&format!("DeleteSnapshot&SnapshotId={id}"));
        id
    };
    let plain = bench.free_snapshot(&time);
    bench.did(&format!("DeleteSnapshot&SnapshotId={plain}"));
    let (short, long, never) = (delete("x"), delete("long"), delete("never"));
    let listed = || bench.did("ListSnapshotsInRecycleBin").all("snapshotId");
    for (passed, kept) in
        [(0, vec![&plain, &short, &long, &never]), (1, vec![&short, &long, &never]), (2, vec![&long])]
    {
        time.pass(passed * DAY);
        let mut kept: Vec<String> = kept.into_iter().cloned().collect();
        kept.sort();
        assert_eq!(listed(), kept);
    }
}

#[test]
fn a_locked_rule_is_left_alone_until_its_delay_is_over() {
    let (bench, time) = Bench::timed();
    let lock = json!({ "UnlockDelay": { "UnlockDelayValue": 7, "UnlockDelayUnit": "DAYS" } });
    let id = rule(&bench, &time, "EC2_IMAGE", 1, &json!({ "LockConfiguration": lock, "Description": "all" }));
    let path = format!("/rules/{id}");
    let send = |method: &str, path: &str, body: &str| bench.send(method, path, RBIN, body);
    let get = || send("GET", &path, "").json();
    assert_eq!((get()["Status"].as_str(), get()["LockState"].as_str()), (Some("available"), Some("locked")));
    let refused = send("DELETE", &path, "");
    assert_eq!((refused.status, refused.header("x-amzn-errortype")), (409, "ConflictException"));
    assert_eq!(refused.json()["Reason"], "INVALID_RULE_STATE");
    let unlocked = send("PATCH", &format!("{path}/unlock"), "").json();
    assert_eq!(unlocked["LockState"], "pending_unlock");
    time.pass(7 * DAY - 1);
    assert_eq!(send("PATCH", &path, "{\"Description\":\"x\"}").status, 409);
    time.pass(1);
    assert_eq!(get()["LockState"], "unlocked");
    assert_eq!(send("PATCH", &path, "{\"Description\":\"x\"}").json()["Description"], "x");
    let body = json!({ "LockConfiguration": lock }).to_string();
    assert_eq!(send("PATCH", &format!("{path}/lock"), &body).json()["LockState"], "locked");
}

#[test]
fn rules_are_listed_by_pages_and_tagged() {
    let (bench, time) = Bench::timed();
    let mut ids: Vec<String> = (1..=3)
        .map(|days| {
            rule(&bench, &time, "EC2_IMAGE", days, &json!({ "Tags": [{ "Key": "a", "Value": "b" }] }))
        })
        .collect();
    rule(&bench, &time, "EBS_SNAPSHOT", 1, &json!({}));
    ids.sort();
    let mut seen = Vec::new();
    let mut body = json!({ "ResourceType": "EC2_IMAGE", "MaxResults": 2 });
    loop {
        let page = bench.send("POST", "/list-rules", RBIN, &body.to_string()).json();
        seen.extend(
            page["Rules"]
                .as_array()
                .unwrap()
                .iter()
                .map(|rule| rule["Identifier"].as_str().unwrap().to_owned()),
        );
        let Some(token) = page.get("NextToken") else { break };
        body["NextToken"] = token.clone();
    }
    assert_eq!(seen, ids);
    let arn = format!("arn%3Aaws%3Arbin%3Aus-east-1%3A123456789012%3Arule%2F{}", ids[0]);
    let tags =
        |method: &str, more: &str, body: &str| bench.send(method, &format!("/tags/{arn}{more}"), RBIN, body);
    assert_eq!(tags("POST", "", "{\"Tags\":[{\"Key\":\"c\",\"Value\":\"d\"}]}").status, 201);
    assert_eq!(tags("DELETE", "?tagKeys=a", "").status, 204);
    assert_eq!(tags("GET", "", "").json(), json!({ "Tags": [{ "Key": "c", "Value": "d" }] }));
}

#[test]
fn wrong_rules_are_refused_with_their_reason() {
    let bench = Bench::new(true);
    for (body, words) in [
        (json!({ "ResourceType": "EC2_IMAGE" }), "RetentionPeriod"),
        (json!({ "ResourceType": "EC2_IMAGE", "RetentionPeriod": days(0) }), "3650"),
        (json!({ "ResourceType": "EBS_VOLUME", "RetentionPeriod": days(1) }), "not supported"),
        (json!({ "ResourceType": "S3", "RetentionPeriod": days(1) }), "S3"),
        (
            json!({
                "ResourceType": "EC2_IMAGE", "RetentionPeriod": days(1),
                "ResourceTags": [{ "ResourceTagKey": "a" }], "ExcludeResourceTags": [{ "ResourceTagKey": "b" }],
            }),
            "ExcludeResourceTags",
        ),
        (json!({ "ResourceType": "EC2_IMAGE", "RetentionPeriod": days(1), "Colour": "red" }), "Colour"),
    ] {
        let answer = create(&bench, &body);
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (400, "ValidationException"),
            "{body}"
        );
        assert!(answer.json()["Message"].as_str().unwrap().contains(words), "{}", answer.text());
    }
    let unknown = bench.send("GET", "/rules/aaaaaaaaaaa", RBIN, "");
    assert_eq!((unknown.status, unknown.json()["Reason"].as_str()), (404, Some("RULE_NOT_FOUND")));
    assert_eq!(bench.send("GET", "/other", RBIN, "").status, 404);
}

#[test]
fn the_bin_is_listed_by_pages() {
    let (bench, time) = Bench::timed();
    rule(&bench, &time, "EBS_SNAPSHOT", 1, &json!({}));
    let mut ids: Vec<String> = (0..7).map(|_| bench.free_snapshot(&time)).collect();
    for id in &ids {
        bench.did(&format!("DeleteSnapshot&SnapshotId={id}"));
    }
    ids.sort();
    let first = bench.did("ListSnapshotsInRecycleBin&MaxResults=5");
    let token = first.one("nextToken");
    let second = bench.did(&format!("ListSnapshotsInRecycleBin&MaxResults=5&NextToken={token}"));
    assert_eq!([first.all("snapshotId"), second.all("snapshotId")].concat(), ids);
    assert!(second.all("nextToken").is_empty());
    assert_eq!(bench.refused("ListSnapshotsInRecycleBin&MaxResults=4"), "InvalidParameterValue");
}
