//! What every service refuses in its own words: keys that are wrong, calls that are too many, and what breaks within.

use amint_cloud::WorldOptions;

use crate::support::{Bench, refused};

/// Asks every service something, and returns the code of its refusal and how often the SDK tried.
async fn ask_all(bench: &Bench) -> Vec<(&'static str, String, u32)> {
    let mut answers = Vec::new();
    macro_rules! ask {
        ($service:ident, $request:ident $(, $name:ident = $value:expr)*) => {
            let code = refused(bench.$service().$request()$(.$name($value))*.send().await);
            answers.push((stringify!($service), code, bench.witness.take_attempts()));
        };
    }
    ask!(autoscaling, describe_auto_scaling_groups);
    ask!(catalog, list_entities, catalog = "AWSMarketplace", entity_type = "AmiProduct");
    ask!(cloudtrail, lookup_events);
    ask!(ebs, start_snapshot, volume_size = 1);
    ask!(ec2, describe_images);
    ask!(iam, list_users);
    ask!(kms, list_keys);
    ask!(organizations, list_policies, filter = aws_sdk_organizations::types::PolicyType::TagPolicy);
    ask!(quotas, list_service_quotas, service_code = "ec2");
    ask!(rbin, list_rules, resource_type = aws_sdk_rbin::types::ResourceType::Ec2Image);
    ask!(ssm, describe_parameters);
    ask!(sts, get_caller_identity);
    answers
}

fn run(bench: &Bench) -> Vec<(&'static str, String, u32)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(ask_all(bench))
}

/// Fails unless each service said what it says, after so many tries.
fn assert_said(answers: &[(&'static str, String, u32)], tries: u32, expected: &[(&str, &str)]) {
    let said: Vec<(&str, &str, u32)> =
        answers.iter().map(|(service, code, count)| (*service, code.as_str(), *count)).collect();
    let expected: Vec<(&str, &str, u32)> =
        expected.iter().map(|(service, code)| (*service, *code, tries)).collect();
    assert_eq!(said, expected);
}

fn on_a_day(chaos: &str) -> Bench {
    Bench::with(|_| WorldOptions { chaos: chaos.parse().unwrap(), ..WorldOptions::default() }).trying()
}

#[test]
fn a_wrong_secret_is_refused_by_each_service_in_its_words() {
    let bench = Bench::new().trying();
    let id = bench.key_id().to_owned();
    let answers = run(&bench.signing(&id, "another secret"));
    let (query, json) = ("SignatureDoesNotMatch", "InvalidSignatureException");
    let expected = [
        ("autoscaling", query),
        ("catalog", json),
        ("cloudtrail", json),
        ("ebs", json),
        ("ec2", query),
        ("iam", query),
        ("kms", json),
        ("organizations", json),
        ("quotas", json),
        ("rbin", json),
        ("ssm", json),
        ("sts", query),
    ];
    assert_said(&answers, 1, &expected);
}

#[test]
fn an_unknown_key_is_refused_by_each_service_in_its_words() {
    let answers = run(&Bench::new().trying().signing("AKIAIOSFODNN7EXAMPLE", "secret"));
    let (query, json) = ("InvalidClientTokenId", "UnrecognizedClientException");
    let expected = [
        ("autoscaling", query),
        ("catalog", json),
        ("cloudtrail", json),
        ("ebs", json),
        ("ec2", "AuthFailure"),
        ("iam", query),
        ("kms", json),
        ("organizations", json),
        ("quotas", json),
        ("rbin", json),
        ("ssm", json),
        ("sts", query),
    ];
    assert_said(&answers, 1, &expected);
}

#[test]
fn the_sdk_tries_again_when_calls_were_too_many() {
    let answers = run(&on_a_day("throttle=100%"));
    let (query, json) = ("Throttling", "ThrottlingException");
    let expected = [
        ("autoscaling", query),
        ("catalog", json),
        ("cloudtrail", json),
        ("ebs", "RequestThrottledException"),
        ("ec2", "RequestLimitExceeded"),
        ("iam", query),
        ("kms", json),
        ("organizations", "TooManyRequestsException"),
        ("quotas", "TooManyRequestsException"),
        ("rbin", json),
        ("ssm", json),
        ("sts", query),
    ];
    assert_said(&answers, 3, &expected);
}

#[test]
fn the_sdk_tries_again_when_something_broke_within() {
    let answers = run(&on_a_day("errors=100%"));
    let expected = [
        ("autoscaling", "InternalFailure"),
        ("catalog", "InternalServiceException"),
        ("cloudtrail", "InternalFailure"),
        ("ebs", "InternalServerException"),
        ("ec2", "InternalError"),
        ("iam", "ServiceFailure"),
        ("kms", "KMSInternalException"),
        ("organizations", "ServiceException"),
        ("quotas", "ServiceException"),
        ("rbin", "InternalServerException"),
        ("ssm", "InternalServerError"),
        ("sts", "InternalFailure"),
    ];
    assert_said(&answers, 3, &expected);
}
