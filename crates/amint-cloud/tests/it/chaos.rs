//! What goes wrong on purpose.

use std::time::{Duration, Instant};

use amint_cloud::{ChaosOptions, WorldOptions};

use crate::support::Bench;

fn bench(chaos: &str) -> Bench {
    let chaos: ChaosOptions = chaos.parse().unwrap();
    Bench::with(true, WorldOptions { chaos, ..WorldOptions::default() })
}

#[test]
fn every_service_says_in_its_own_words_that_there_are_too_many_calls() {
    let bench = bench("throttle=1");
    let ec2 = bench.ec2("Action=DescribeImages");
    assert_eq!(ec2.code(), (503, "RequestLimitExceeded".to_owned()));
    let sts = bench.send("POST", "/", "us-east-1/sts", "Action=GetCallerIdentity");
    assert_eq!(sts.code(), (400, "Throttling".to_owned()));
    let ebs = bench.ebs("/snapshots/snap-00000000/blocks");
    assert_eq!((ebs.status, ebs.header("x-amzn-errortype")), (400, "RequestThrottledException"));
}

#[test]
fn errors_come_before_and_after_the_effect_and_the_same_in_each_run() {
    let fates = || {
        let bench = bench("errors=0.6,seed=5");
        let id = loop {
            let answer = bench.ec2("Action=DescribeImages");
            if answer.status == 200 {
                break answer.one("imageId");
            }
        };
        let was_done = |key: &str| {
            let found = loop {
                let filter = format!("Filter.1.Name=tag-key&Filter.1.Value.1={key}");
                let answer = bench.ec2(&format!("Action=DescribeImages&{filter}"));
                if answer.status == 200 {
                    break answer;
                }
            };
            found.text().contains(&id)
        };
        let tag = |number: u32| {
            let key = format!("k{number}");
            let answer = bench.ec2(&format!("Action=CreateTags&ResourceId.1={id}&Tag.1.Key={key}"));
            (answer.status, was_done(&key))
        };
        (0..30).map(tag).collect::<Vec<_>>()
    };
    let all = fates();
    for fate in [(200, true), (500, false), (500, true)] {
        assert!(all.contains(&fate), "{fate:?} in {all:?}");
    }
    assert!(!all.contains(&(200, false)));
    assert_eq!(all, fates());
}

#[test]
fn what_was_made_is_told_after_a_while_and_can_be_changed_at_once() {
    let (bench, time) = Bench::timed_with("consistency=10s");
    let source = bench.image_id();
    let copy = bench.did(&format!("CopyImage&Name=copy-1&SourceImageId={source}&SourceRegion=us-east-1"));
    let id = copy.one("imageId");
    let shown = || bench.ec2(&format!("Action=DescribeImages&ImageId.1={id}"));
    assert_eq!(shown().code(), (400, "InvalidAMIID.NotFound".to_owned()));
    bench.did(&format!("CreateTags&ResourceId.1={id}&Tag.1.Key=a&Tag.1.Value=b"));
    time.pass(9);
    assert_eq!(shown().status, 400);
    assert_eq!(bench.image_id(), source);
    time.pass(1);
    assert_eq!(shown().all("key"), ["a"]);
    bench.did(&format!("DeregisterImage&ImageId={id}"));
    assert_eq!(shown().status, 200, "it is gone, and still told of");
    time.pass(10);
    assert_eq!(shown().code(), (400, "InvalidAMIID.NotFound".to_owned()));
}

#[test]
fn answers_take_as_long_as_told() {
    let bench = bench("latency=120ms");
    let start = Instant::now();
    assert_eq!(bench.ec2("Action=DescribeRegions").status, 200);
    assert!(start.elapsed() >= Duration::from_millis(120));
}
