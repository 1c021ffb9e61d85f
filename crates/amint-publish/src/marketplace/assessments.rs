//! What AWS Marketplace itself found in an image.

use amint_types::Cancel;
use amint_types::assessment::AssessmentReport;

use super::catalog::Catalog;
use crate::apply::ApplyError;
use crate::retry::{Patience, again};

/// Returns the newest assessment of a product, or of those the newest that a change set asked for, with all its controls;
/// none where AWS has none.
///
/// # Errors
/// Fails when AWS refuses or fails, or the user stops it.
pub async fn newest_assessment<C: Catalog>(
    catalog: &C,
    product_id: &str,
    change_set_id: Option<&str>,
    cancel: &Cancel,
) -> Result<Option<AssessmentReport>, ApplyError> {
    let ask = || catalog.assessments(product_id, change_set_id);
    let known = again(Patience::Settled, cancel, ask).await?;
    // Times are of one form, so that their texts sort as they do.
    let newest = known.into_iter().max_by(|one, other| one.created_at.cmp(&other.created_at));
    let Some(id) = newest.and_then(|report| report.assessment_id) else { return Ok(None) };
    Ok(again(Patience::Young, cancel, || catalog.assessment(&id)).await?)
}

#[cfg(test)]
mod tests {
    use amint_types::assessment::{
        AMI_SECURITY, AssessmentResult, AssessmentTarget, ControlAssessment, ControlResult,
    };

    use super::super::testing::FakeCatalog;
    use super::*;

    fn report(id: &str, change_set: &str, day: u32) -> AssessmentReport {
        let control = ControlAssessment {
            control_id: "control".to_owned(),
            control_assessment_result: ControlResult::Fail,
            errors: Vec::new(),
        };
        let target =
            AssessmentTarget { change_set_id: Some(change_set.to_owned()), ..AssessmentTarget::default() };
        AssessmentReport {
            assessment_arn: None,
            assessment_id: Some(id.to_owned()),
            framework_id: AMI_SECURITY.to_owned(),
            assessment_target_summary: Some(target),
            assessment_result: AssessmentResult::Fail,
            created_at: Some(format!("2026-11-{day:02}T00:00:00Z")),
            expires_at: None,
            control_assessments: vec![control],
            next_token: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_newest_one_is_told_with_its_controls() {
        let assessments = vec![report("b", "set-1", 20), report("a", "set-2", 25), report("c", "set-3", 3)];
        let catalog = FakeCatalog { assessments, ..FakeCatalog::default() };
        let cancel = Cancel::new();
        let newest = newest_assessment(&catalog, "prod-1", None, &cancel).await.unwrap().unwrap();
        assert_eq!((newest.assessment_id.as_deref(), newest.control_assessments.len()), (Some("a"), 1));
        let of_set = newest_assessment(&catalog, "prod-1", Some("set-3"), &cancel).await.unwrap().unwrap();
        assert_eq!(of_set.assessment_id.as_deref(), Some("c"));
        assert_eq!(newest_assessment(&catalog, "prod-1", Some("set-9"), &cancel).await.unwrap(), None);
    }
}
