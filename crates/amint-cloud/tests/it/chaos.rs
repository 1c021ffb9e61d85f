//! What goes wrong on purpose, and that a client which tries again comes to the right end.

use amint_cloud::WorldOptions;

use crate::support::{Bench, between};

fn bench(chaos: &str) -> Bench {
    Bench::with(true, WorldOptions { chaos: chaos.parse().unwrap(), ..WorldOptions::default() })
}

/// Asks until it is answered; returns the answer, and the codes of the failures before it.
fn insist(bench: &Bench, body: &str) -> (String, Vec<String>) {
    let mut failures = Vec::new();
    for _ in 0..200 {
        let answer = bench.ec2(body);
        if answer.status == 200 {
            return (answer.text(), failures);
        }
        let code = between(&answer.text(), "<Code>", "</Code>");
        let expected = match code.as_str() {
            "RequestLimitExceeded" => 503,
            "InternalError" => 500,
            other => panic!("{other}: {}", answer.text()),
        };
        assert_eq!(answer.status, expected);
        failures.push(code);
    }
    panic!("never answered: {failures:?}");
}

#[test]
fn a_client_that_tries_again_with_its_token_makes_one_image_and_no_more() {
    for seed in 0..20 {
        let bench = bench(&format!("throttle=0.3,errors=0.4,seed={seed}"));
        let (images, _) = insist(&bench, "Action=DescribeImages&Owner.1=self");
        let image = between(&images, "<imageId>", "</imageId>");
        let copy = format!(
            "Action=CopyImage&Name=copy&SourceRegion=us-east-1&SourceImageId={image}&ClientToken=once"
        );
        let made = between(&insist(&bench, &copy).0, "<imageId>", "</imageId>");
        let (images, _) =
            insist(&bench, "Action=DescribeImages&Owner.1=self&Filter.1.Name=name&Filter.1.Value.1=copy");
        assert_eq!(images.matches("<imageId>").count(), 1, "seed {seed}");
        assert_eq!(between(&images, "<imageId>", "</imageId>"), made, "seed {seed}");
    }
}

#[test]
fn requests_are_throttled_fail_and_lose_their_answers() {
    let bench = bench("throttle=0.3,errors=0.5,seed=3");
    let mut codes = Vec::new();
    for number in 0..20 {
        let body = format!("Action=CreateTags&ResourceId.1=IMAGE&Tag.1.Key=k{number}&Tag.1.Value=1");
        let (images, _) = insist(&bench, "Action=DescribeImages&Owner.1=self");
        let image = between(&images, "<imageId>", "</imageId>");
        codes.extend(insist(&bench, &body.replace("IMAGE", &image)).1);
    }
    for code in ["RequestLimitExceeded", "InternalError"] {
        assert!(codes.iter().any(|told| told == code), "{codes:?}");
    }
    // A request that failed may have been done: one whose answer is lost leaves its tag all the same.
    let lost = (0..400).any(|number| {
        let (images, _) = insist(&bench, "Action=DescribeImages&Owner.1=self");
        let image = between(&images, "<imageId>", "</imageId>");
        let body = format!("Action=CreateTags&ResourceId.1={image}&Tag.1.Key=last&Tag.1.Value={number}");
        let is_told = bench.ec2(&body).status == 200;
        let (images, _) = insist(&bench, "Action=DescribeImages&Owner.1=self");
        !is_told && images.contains(&format!("<key>last</key><value>{number}</value>"))
    });
    assert!(lost, "no answer was lost");
}

#[test]
fn what_is_new_is_described_after_a_while() {
    let (bench, time) = Bench::timed_with(WorldOptions {
        chaos: "consistency=600000,seed=1".parse().unwrap(),
        ..WorldOptions::default()
    });
    time.pass(86_400);
    let image = between(&bench.ec2("Action=DescribeImages").text(), "<imageId>", "</imageId>");
    let copy = format!("Action=CopyImage&Name=copy&SourceRegion=us-east-1&SourceImageId={image}");
    let made = between(&bench.ec2(&copy).text(), "<imageId>", "</imageId>");
    let asked = format!("Action=DescribeImages&ImageId.1={made}");
    let answer = bench.ec2(&asked);
    assert_eq!(between(&answer.text(), "<Code>", "</Code>"), "InvalidAMIID.NotFound");
    time.pass(600);
    assert_eq!(bench.ec2(&asked).status, 200);
}
