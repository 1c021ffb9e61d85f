//! Assessments are read and written in the form of AWS Marketplace's Catalog API.

use amint_report::scan::assessment_json;
use amint_types::assessment::{AssessmentReport, AssessmentResult, ControlResult};
use serde_json::Value;

/// An answer of `DescribeAssessment`, in its documented form, with a field that amint does not know.
const ANSWER: &str = r#"{
  "AssessmentArn": "arn:aws:aws-marketplace:us-east-1:111122223333:AWSMarketplace/Assessment/a-1",
  "AssessmentId": "a-1",
  "FrameworkId": "AMISecurity@1.0",
  "AssessmentTargetSummary": { "EntityId": "prod-1", "ChangeSetId": "c-1" },
  "FrameworkSummary": { "AMISecuritySummary": { "DeliveryOptionId": "do-1" } },
  "AssessmentResult": "FAIL",
  "CreatedAt": "2026-11-20T00:00:00Z",
  "ExpiresAt": "2026-12-20T00:00:00Z",
  "ControlAssessments": [
    { "ControlId": "one", "ControlAssessmentResult": "EXEMPTION_PASS" },
    { "ControlId": "two", "ControlAssessmentResult": "NOT_EXECUTED" },
    { "ControlId": "three", "ControlAssessmentResult": "FAIL", "Errors": [
      { "Code": "KEY", "Message": "a key", "Scope": [{ "Name": "FILE_PATH", "Value": "/root/.ssh/authorized_keys" }] }
    ] }
  ],
  "NextToken": "more"
}"#;

#[test]
fn an_answer_of_aws_is_read_and_written_again_with_all_that_amint_knows() {
    let report: AssessmentReport = serde_json::from_str(ANSWER).unwrap();
    assert_eq!(report.assessment_result, AssessmentResult::Fail);
    assert_eq!(report.control_assessments[0].control_assessment_result, ControlResult::ExemptionPass);
    let mut expected: Value = serde_json::from_str(ANSWER).unwrap();
    expected.as_object_mut().unwrap().remove("FrameworkSummary");
    assert_eq!(serde_json::from_str::<Value>(&assessment_json(&report)).unwrap(), expected);
}

#[test]
fn pages_of_one_answer_are_joined() {
    let first: AssessmentReport = serde_json::from_str(ANSWER).unwrap();
    let second = ANSWER.replace("\"one\"", "\"four\"").replace(",\n  \"NextToken\": \"more\"", "");
    let joined = first.merge(&serde_json::from_str(&second).unwrap());
    let ids: Vec<&str> = joined.control_assessments.iter().map(|one| one.control_id.as_str()).collect();
    assert_eq!(ids, ["four", "one", "three", "two"]);
    assert_eq!(joined.next_token, None);
    assert_eq!(joined.control_assessments[2].errors.len(), 1, "the same error is told once");
}
