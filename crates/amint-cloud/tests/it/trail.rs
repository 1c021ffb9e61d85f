//! Records of calls.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use amint_cloud::WorldOptions;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{Answer, Bench};

fn look(bench: &Bench, body: &Value) -> Answer {
    let target = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents";
    bench.target("us-east-1/cloudtrail", target, body)
}

fn by(key: &str, value: &str) -> Value {
    json!({ "LookupAttributes": [{ "AttributeKey": key, "AttributeValue": value }] })
}

/// Returns the records that a look finds, the newest first.
fn records(bench: &Bench, body: &Value) -> Vec<Value> {
    let answer = look(bench, body).json();
    let events = answer["Events"].as_array().unwrap().iter();
    events.map(|event| serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap()).collect()
}

#[test]
fn a_call_has_a_record_as_aws_writes_it() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    bench.did(&format!("ModifyImageAttribute&ImageId={id}&LaunchPermission.Add.1.UserId=111122223333"));
    let records = records(&bench, &by("EventName", "ModifyImageAttribute"));
    let [record] = &records[..] else { panic!("{records:?}") };
    for (name, expected) in [
        ("eventSource", json!("ec2.amazonaws.com")),
        ("awsRegion", json!("us-east-1")),
        ("readOnly", json!(false)),
        ("eventType", json!("AwsApiCall")),
        ("managementEvent", json!(true)),
        ("recipientAccountId", json!("123456789012")),
        ("sourceIPAddress", json!("127.0.0.1")),
    ] {
        assert_eq!(record[name], expected, "{name}");
    }
    assert_eq!(record["userIdentity"]["type"], "Root");
    assert_eq!(record["userIdentity"]["accessKeyId"], "AKIAEXAMPLE");
    let shared = json!({ "add": { "items": [{ "userId": "111122223333" }] } });
    assert_eq!(record["requestParameters"]["launchPermission"], shared);
    assert_eq!(record["responseElements"]["_return"], true);
    assert_eq!(record["responseElements"]["requestId"], record["requestID"]);
    let reading = self::records(&bench, &by("EventName", "DescribeImages"));
    assert_eq!((&reading[0]["readOnly"], &reading[0]["responseElements"]), (&json!(true), &Value::Null));
}

#[test]
fn what_was_refused_is_written_down_with_its_code() {
    let bench = Bench::new(true);
    bench.refused("DeregisterImage&ImageId=ami-00000000");
    bench.send("POST", "/", "us-east-1/iam", "Action=GetRole&RoleName=none");
    let refused = records(&bench, &by("EventName", "DeregisterImage"));
    assert_eq!(refused[0]["errorCode"], "Client.InvalidAMIID.Unavailable");
    assert!(refused[0]["errorMessage"].as_str().unwrap().contains("ami-00000000"));
    assert_eq!(records(&bench, &by("EventName", "GetRole"))[0]["errorCode"], "NoSuchEntity");
}

#[test]
fn secrets_are_in_no_record() {
    let bench = Bench::new(true);
    bench.did("CreateKeyPair&KeyName=me&KeyType=ed25519");
    let run = "RunInstances&ImageId=ami-00000000&MinCount=1&MaxCount=1&UserData=c2VjcmV0IGRhdGE=";
    bench.ec2(&format!("Action={run}"));
    bench.ec2("Action=DescribeInstances&Filter.1.Name=user-data&Filter.1.Value.1=c2VjcmV0IGRhdGE=");
    let iam = |body: &str| bench.send("POST", "/", "us-east-1/iam", &format!("Action={body}"));
    iam("CreateUser&UserName=ci");
    let secret = iam("CreateAccessKey&UserName=ci").one("SecretAccessKey");
    let role = "arn:aws:iam::111122223333:role/OrganizationAccountAccessRole";
    let body = format!("Action=AssumeRole&RoleArn={role}&RoleSessionName=build");
    let token = bench.send("POST", "/", "us-east-1/sts", &body).one("SessionToken");
    let all = look(&bench, &json!({})).text();
    for hidden in ["c2VjcmV0IGRhdGE=", "PRIVATE KEY", &secret, &token] {
        assert!(!all.contains(hidden), "{hidden}");
    }
    assert!(all.matches("<sensitiveDataRemoved>").count() >= 3);
    let assumed = records(&bench, &by("EventName", "AssumeRole"));
    assert!(
        assumed[0]["responseElements"]["credentials"]["accessKeyId"].as_str().unwrap().starts_with("ASIA")
    );
}

#[test]
fn events_are_found_by_what_they_are_and_in_pages() {
    let bench = Bench::new(true);
    let id = bench.image_id();
    for number in 0..7 {
        bench.did(&format!("CreateTags&ResourceId.1={id}&Tag.1.Key=k{number}&Tag.1.Value=v"));
    }
    bench.send("POST", "/", "eu-west-1/ec2", "Action=DescribeRegions");
    for (body, count) in [
        (by("EventName", "CreateTags"), 7),
        (by("ResourceName", &id), 7),
        (by("ReadOnly", "false"), 7),
        (by("Username", "root"), 8),
        (by("EventName", "DescribeRegions"), 0),
    ] {
        let found = records(&bench, &body);
        let found: Vec<&Value> = found.iter().filter(|one| one["eventName"] != "LookupEvents").collect();
        assert_eq!(found.len(), count, "{body}");
    }
    let mut body = by("EventName", "CreateTags");
    body["MaxResults"] = 3.into();
    let mut keys = Vec::new();
    loop {
        let answer = look(&bench, &body).json();
        for event in answer["Events"].as_array().unwrap() {
            let record: Value = serde_json::from_str(event["CloudTrailEvent"].as_str().unwrap()).unwrap();
            keys.push(record["requestParameters"]["tagSet"]["items"][0]["key"].as_str().unwrap().to_owned());
        }
        match answer["NextToken"].as_str() {
            Some(token) => body["NextToken"] = token.into(),
            None => break,
        }
    }
    assert_eq!(keys, ["k6", "k5", "k4", "k3", "k2", "k1", "k0"], "the newest first");
    for (body, code) in [
        (json!({ "MaxResults": 51 }), "InvalidMaxResultsException"),
        (json!({ "NextToken": "x" }), "InvalidNextTokenException"),
        (json!({ "StartTime": 2, "EndTime": 1 }), "InvalidTimeRangeException"),
        (by("Colour", "red"), "InvalidLookupAttributesException"),
        (json!({ "Colour": "red" }), "ValidationException"),
    ] {
        let answer = look(&bench, &body);
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, code), "{body}");
        assert_eq!(answer.json()["__type"], code);
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn files_are_written_in_the_layout_of_aws_and_read_after_a_restart() {
    let folder = TempDir::new().unwrap();
    let (clock, time) = Bench::clock();
    let options = || WorldOptions {
        clock: clock.clone(),
        trail: Some(folder.path().to_owned()),
        ..WorldOptions::default()
    };
    let bench = Bench::with(true, options());
    bench.did("DescribeRegions");
    assert_eq!(files(folder.path()).len(), 1, "the journal only");
    time.pass(300);
    bench.did("DescribeVpcs");
    let written: Vec<PathBuf> = files(&folder.path().join("AWSLogs"));
    let [path] = &written[..] else { panic!("{written:?}") };
    let relative = path.strip_prefix(folder.path()).unwrap().to_str().unwrap();
    let start =
        "AWSLogs/123456789012/CloudTrail/us-east-1/2027/01/15/123456789012_CloudTrail_us-east-1_20270115T";
    assert!(relative.starts_with(start) && relative.ends_with(".json.gz"), "{relative}");
    let mut text = String::new();
    GzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    let document: Value = serde_json::from_str(&text).unwrap();
    let names: Vec<&Value> =
        document["Records"].as_array().unwrap().iter().map(|record| &record["eventName"]).collect();
    assert_eq!(names, ["DescribeRegions", "DescribeVpcs"]);
    bench.did("DescribeSubnets");
    // As after a kill: what is in no file yet stands in the journal.
    let again = Bench::with(true, options());
    let found = records(&again, &json!({}));
    let names: Vec<&Value> = found.iter().map(|record| &record["eventName"]).collect();
    assert_eq!(names, ["DescribeSubnets", "DescribeVpcs", "DescribeRegions"]);
}
