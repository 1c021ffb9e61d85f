//! What AWS Marketplace itself found in images: its assessments, in the form that amint's own have.

use amint_publish::CloudError;
use amint_publish::calls;
use amint_publish::marketplace::REGION;
use amint_types::assessment::{
    AMI_SECURITY, AssessmentReport, AssessmentResult, AssessmentTarget, ControlAssessment, ControlError,
    ControlResult, ErrorScope,
};
use aws_sdk_marketplacecatalog::Client;
use aws_sdk_marketplacecatalog::operation::describe_assessment::DescribeAssessmentOutput;
use aws_sdk_marketplacecatalog::types::{
    AssessmentResult as TheirResult, AssessmentSummary, AssessmentTargetFilter, AssessmentTargetSummary,
    ControlAssessment as TheirControl, ControlAssessmentResult as TheirControlResult,
};

use crate::error::odd_answer;
use crate::marketplace::{CATALOG, PAGES_MAX, failed, needed};

/// The most entries that a page has.
const PAGE: i32 = 100;

/// Lists the assessments of a product, or of one of its change sets.
pub(crate) async fn list(
    catalog: &Client,
    product_id: &str,
    change_set_id: Option<&str>,
) -> Result<Vec<AssessmentReport>, CloudError> {
    let call = calls::LIST_ASSESSMENTS;
    let target = AssessmentTargetFilter::builder()
        .entity_id(product_id)
        .set_change_set_id(change_set_id.map(str::to_owned))
        .build();
    let (mut found, mut page) = (Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let request = catalog.list_assessments().catalog(CATALOG).assessment_target_filter(target.clone());
        let request = request.max_results(PAGE).set_next_token(page.take());
        let answer = request.send().await.map_err(failed(call))?;
        found.extend(answer.assessment_summary_list().iter().filter_map(summary));
        page = answer.next_token.filter(|token| !token.is_empty());
        if page.is_none() {
            return Ok(found);
        }
    }
    Err(odd_answer(call, REGION, "the list of assessments does not end"))
}

/// Reads an assessment, all pages of it.
pub(crate) async fn describe(catalog: &Client, id: &str) -> Result<AssessmentReport, CloudError> {
    let call = calls::DESCRIBE_ASSESSMENT;
    let mut whole: Option<AssessmentReport> = None;
    let mut page = None;
    for _ in 0..PAGES_MAX {
        let request = catalog.describe_assessment().catalog(CATALOG).assessment_identifier(id);
        let request = request.max_results(PAGE).set_next_token(page.take());
        let answer = request.send().await.map_err(failed(call))?;
        page = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
        let report = needed(call, "result that is known", report(answer))?;
        whole = Some(match whole {
            Some(whole) => whole.merge(&report),
            None => report,
        });
        if page.is_none() {
            break;
        }
    }
    if page.is_some() {
        return Err(odd_answer(call, REGION, "the assessment does not end"));
    }
    needed(call, "assessment", whole)
}

fn report(answer: DescribeAssessmentOutput) -> Option<AssessmentReport> {
    Some(AssessmentReport {
        assessment_result: result(answer.assessment_result()?)?,
        control_assessments: answer.control_assessments().iter().filter_map(control).collect(),
        assessment_target_summary: answer.assessment_target_summary().map(target),
        assessment_arn: answer.assessment_arn,
        assessment_id: answer.assessment_id,
        framework_id: answer.framework_id.unwrap_or_else(|| AMI_SECURITY.to_owned()),
        created_at: answer.created_at,
        expires_at: answer.expires_at,
        next_token: None,
    })
}

fn summary(summary: &AssessmentSummary) -> Option<AssessmentReport> {
    Some(AssessmentReport {
        assessment_arn: summary.assessment_arn().map(str::to_owned),
        assessment_id: Some(summary.assessment_id()?.to_owned()),
        framework_id: summary.framework_id().unwrap_or(AMI_SECURITY).to_owned(),
        assessment_target_summary: summary.assessment_target_summary().map(target),
        assessment_result: result(summary.assessment_result()?)?,
        created_at: summary.created_at().map(str::to_owned),
        expires_at: summary.expires_at().map(str::to_owned),
        control_assessments: Vec::new(),
        next_token: None,
    })
}

fn target(target: &AssessmentTargetSummary) -> AssessmentTarget {
    AssessmentTarget {
        entity_id: target.entity_id().map(str::to_owned),
        change_set_id: target.change_set_id().map(str::to_owned),
    }
}

fn result(result: &TheirResult) -> Option<AssessmentResult> {
    match result {
        TheirResult::Pass => Some(AssessmentResult::Pass),
        TheirResult::Fail => Some(AssessmentResult::Fail),
        _ => None,
    }
}

fn control(control: &TheirControl) -> Option<ControlAssessment> {
    let errors = control.errors().iter().map(|error| ControlError {
        code: error.code().unwrap_or_default().to_owned(),
        message: error.message().unwrap_or_default().to_owned(),
        scope: error
            .scope()
            .iter()
            .map(|scope| ErrorScope {
                name: scope.name().unwrap_or_default().to_owned(),
                value: scope.value().unwrap_or_default().to_owned(),
            })
            .collect(),
    });
    Some(ControlAssessment {
        control_id: control.control_id()?.to_owned(),
        control_assessment_result: match control.control_assessment_result() {
            Some(TheirControlResult::Pass) => ControlResult::Pass,
            Some(TheirControlResult::Fail) => ControlResult::Fail,
            Some(TheirControlResult::ExemptionPass) => ControlResult::ExemptionPass,
            // What is not known yet was not judged, as far as amint can tell.
            _ => ControlResult::NotExecuted,
        },
        errors: errors.collect(),
    })
}
