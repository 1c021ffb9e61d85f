//! Tag policies of the organization, and quotas.

use serde_json::{Value, json};

use crate::support::{Answer, Bench};

fn ask(bench: &Bench, operation: &str, body: &Value) -> Answer {
    bench.target("us-east-1/organizations", &format!("AWSOrganizationsV20161128.{operation}"), body)
}

fn did(bench: &Bench, operation: &str, body: &Value) -> Value {
    let answer = ask(bench, operation, body);
    assert_eq!(answer.status, 200, "{operation} {body}: {}", answer.text());
    answer.json()
}

fn refused(bench: &Bench, operation: &str, body: &Value) -> String {
    let answer = ask(bench, operation, body);
    assert_eq!(answer.status, 400, "{operation} {body}: {}", answer.text());
    answer.header("x-amzn-errortype").to_owned()
}

fn create(bench: &Bench, name: &str, content: &Value) -> String {
    let body = json!({
        "Name": name, "Description": "tags", "Type": "TAG_POLICY", "Content": content.to_string(),
    });
    did(bench, "CreatePolicy", &body)["Policy"]["PolicySummary"]["Id"].as_str().unwrap().to_owned()
}

#[test]
fn what_holds_for_an_account_is_of_the_root_and_of_itself() {
    let bench = Bench::new(true);
    let asked = json!({ "PolicyType": "TAG_POLICY" });
    assert_eq!(refused(&bench, "DescribeEffectivePolicy", &asked), "EffectivePolicyNotFoundException");
    let all = json!({ "tags": { "CostCenter": {
        "tag_key": { "@@assign": "CostCenter" }, "tag_value": { "@@assign": ["100", "200"] },
    } } });
    let own = json!({ "tags": { "costcenter": {
        "tag_value": { "@@append": ["300"], "@@remove": ["100"] },
        "report_required_tag_for": { "@@assign": ["ec2:image"] },
    } } });
    let (root, account) = (create(&bench, "root", &all), create(&bench, "account", &own));
    let page = |token: Option<&Value>| {
        let mut body = json!({ "Filter": "TAG_POLICY", "MaxResults": 1 });
        if let Some(token) = token {
            body["NextToken"] = token.clone();
        }
        did(&bench, "ListPolicies", &body)
    };
    let first = page(None);
    let second = page(Some(&first["NextToken"]));
    assert_ne!(first["Policies"][0]["Id"], second["Policies"][0]["Id"]);
    assert!(second.get("NextToken").is_none(), "{second}");
    let too_many = json!({ "Filter": "TAG_POLICY", "MaxResults": 21 });
    assert_eq!(refused(&bench, "ListPolicies", &too_many), "InvalidInputException");
    did(&bench, "AttachPolicy", &json!({ "PolicyId": account, "TargetId": "123456789012" }));
    did(&bench, "AttachPolicy", &json!({ "PolicyId": root, "TargetId": "r-amnt" }));
    let told = did(&bench, "DescribeEffectivePolicy", &asked);
    let content: Value =
        serde_json::from_str(told["EffectivePolicy"]["PolicyContent"].as_str().unwrap()).unwrap();
    assert_eq!(
        content,
        json!({ "tags": { "costcenter": {
            "tag_key": "CostCenter", "tag_value": ["200", "300"], "report_required_tag_for": ["ec2:image"],
        } } })
    );
    let other = did(
        &bench,
        "DescribeEffectivePolicy",
        &json!({ "PolicyType": "TAG_POLICY", "TargetId": "111122223333" }),
    );
    assert!(other["EffectivePolicy"]["PolicyContent"].as_str().unwrap().contains("\"100\""));
    assert_eq!(refused(&bench, "DeletePolicy", &json!({ "PolicyId": root })), "PolicyInUseException");
    did(&bench, "DetachPolicy", &json!({ "PolicyId": root, "TargetId": "r-amnt" }));
    did(&bench, "DeletePolicy", &json!({ "PolicyId": root }));
    assert_eq!(refused(&bench, "DescribePolicy", &json!({ "PolicyId": root })), "PolicyNotFoundException");
}

#[test]
fn what_is_no_tag_policy_is_refused() {
    let bench = Bench::new(true);
    for content in [
        "no JSON",
        "{}",
        r#"{"tags": {"a": {"tag_key": "a"}}}"#,
        r#"{"tags": {"a": {"tag_key": {"@@assign": "b"}}}}"#,
        r#"{"tags": {"a": {"color": {"@@assign": "b"}}}}"#,
    ] {
        let body = json!({ "Name": "x", "Description": "", "Type": "TAG_POLICY", "Content": content });
        assert_eq!(refused(&bench, "CreatePolicy", &body), "MalformedPolicyDocumentException", "{content}");
    }
    let body = json!({ "Name": "x", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": "{}" });
    assert_eq!(refused(&bench, "CreatePolicy", &body), "InvalidInputException");
    let nobody = json!({ "PolicyId": "p-0", "TargetId": "ou-1" });
    assert_eq!(refused(&bench, "AttachPolicy", &nobody), "TargetNotFoundException");
}

#[test]
fn a_quota_is_aws_s_until_a_higher_one_is_asked_for() {
    let bench = Bench::new(true);
    let quotas = |region: &str, operation: &str, body: &Value| {
        let answer = bench.target(
            &format!("{region}/servicequotas"),
            &format!("ServiceQuotasV20190624.{operation}"),
            body,
        );
        (answer.status, answer.json())
    };
    let images = json!({ "ServiceCode": "ec2", "QuotaCode": "L-B665C33B" });
    let value = |region: &str, operation: &str| {
        let (status, told) = quotas(region, operation, &images);
        assert_eq!(status, 200, "{told}");
        told["Quota"]["Value"].as_f64().unwrap()
    };
    assert!((value("us-east-1", "GetServiceQuota") - 50_000.0).abs() < 0.1);
    let more = json!({ "ServiceCode": "ec2", "QuotaCode": "L-B665C33B", "DesiredValue": 60_000.0 });
    let (status, told) = quotas("us-east-1", "RequestServiceQuotaIncrease", &more);
    assert_eq!((status, told["RequestedQuota"]["Status"].as_str()), (200, Some("APPROVED")));
    assert!((value("us-east-1", "GetServiceQuota") - 60_000.0).abs() < 0.1);
    assert!((value("us-east-1", "GetAWSDefaultServiceQuota") - 50_000.0).abs() < 0.1);
    assert!((value("eu-west-1", "GetServiceQuota") - 50_000.0).abs() < 0.1, "quotas are of a region");
    assert_eq!(quotas("us-east-1", "RequestServiceQuotaIncrease", &images).0, 400);
    let (status, told) = quotas("us-east-1", "ListServiceQuotas", &json!({ "ServiceCode": "ebs" }));
    assert_eq!((status, told["Quotas"].as_array().unwrap().len()), (200, 2));
    let (_, first) =
        quotas("us-east-1", "ListServiceQuotas", &json!({ "ServiceCode": "ebs", "MaxResults": 1 }));
    let rest = json!({ "ServiceCode": "ebs", "MaxResults": 1, "NextToken": first["NextToken"] });
    let (_, second) = quotas("us-east-1", "ListServiceQuotas", &rest);
    assert_ne!(first["Quotas"][0]["QuotaCode"], second["Quotas"][0]["QuotaCode"]);
    assert!(second.get("NextToken").is_none(), "{second}");
    let unknown = json!({ "ServiceCode": "ec2", "QuotaCode": "L-0" });
    assert_eq!(quotas("us-east-1", "GetServiceQuota", &unknown).0, 400);
}
