//! What a change set's look at its image came to, as an assessment.
//!
//! AWS's own names of controls are not published: these are the ids of its requirements. What takes a look at files is
//! told as not executed, for nobody looks at files here.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::delivery::{CONTROLS, INVALID_IMAGE};
use super::time;
use crate::records::{CatalogChange, ChangeOutcome, ChangeSet};

/// The framework that images are assessed by.
pub(super) const FRAMEWORK: &str = "AMISecurity@1.0";
const PREFIX: &str = "assessment-";
const ARN_PREFIX: &str = "arn:aws:aws-marketplace:us-east-1::AWSMarketplace/Assessment/";
/// Controls that a look at files would answer.
const OF_FILES: [&str; 5] = ["MP-G1", "MP-G4", "MP-G5", "MP-L1", "MP-L3"];

/// The assessment of a change set that adds a version, once it has ended.
pub(super) struct Assessment<'s> {
    set: &'s ChangeSet,
    change: &'s CatalogChange,
}

impl<'s> Assessment<'s> {
    /// Returns the assessment of a change set; none where there is no image, or nobody came to look at it.
    pub(super) fn of(set: &'s ChangeSet) -> Option<Self> {
        let has_ended = matches!(set.outcome, Some(ChangeOutcome::Succeeded | ChangeOutcome::Failed));
        let change = set.changes.iter().find(|change| change.kind == "AddDeliveryOptions")?;
        has_ended.then_some(Self { set, change })
    }

    /// Returns the id of the change set that an assessment's id or ARN is of.
    pub(super) fn change_set_id(identifier: &str) -> Option<&str> {
        identifier.strip_prefix(ARN_PREFIX).unwrap_or(identifier).strip_prefix(PREFIX)
    }

    pub(super) fn id(&self) -> String {
        format!("{PREFIX}{}", self.set.id)
    }

    pub(super) fn is_of(&self, entity_id: Option<&str>, change_set_id: Option<&str>) -> bool {
        entity_id.is_none_or(|id| self.change.entity_id.as_deref() == Some(id))
            && change_set_id.is_none_or(|id| self.set.id == id)
    }

    /// Tells all but the controls.
    pub(super) fn summary(&self, now: Timestamp) -> Value {
        let id = self.id();
        let has_failed = self.controls().iter().any(|control| control["ControlAssessmentResult"] == "FAIL");
        json!({
            "AssessmentArn": format!("{ARN_PREFIX}{id}"),
            "AssessmentId": id,
            "FrameworkId": FRAMEWORK,
            "AssessmentTargetSummary": { "EntityId": self.change.entity_id, "ChangeSetId": self.set.id },
            "AssessmentResult": if has_failed { "FAIL" } else { "PASS" },
            "CreatedAt": time(self.set.ends.min(now)),
        })
    }

    /// Tells the controls, sorted by their ids.
    pub(super) fn controls(&self) -> Vec<Value> {
        let options = &self.change.details["DeliveryOptions"][0]["Details"]["AmiDeliveryOptionDetails"];
        let image = &options["AmiSource"]["AmiId"];
        let mut controls: Vec<(&str, Value)> = CONTROLS
            .iter()
            .map(|(id, words)| {
                let errors = self.change.errors.iter().filter(|(code, told)| {
                    code == INVALID_IMAGE && words.iter().any(|words| told.contains(words))
                });
                let errors: Vec<Value> = errors
                    .map(|(code, told)| {
                        let scope = [json!({ "Name": "AMI_ID", "Value": image })];
                        json!({ "Code": code, "Message": told, "Scope": scope })
                    })
                    .collect();
                let result = if errors.is_empty() { "PASS" } else { "FAIL" };
                let control = json!({ "ControlId": id, "ControlAssessmentResult": result, "Errors": errors });
                (*id, control)
            })
            .collect();
        controls.extend(OF_FILES.map(|id| {
            let error =
                json!({ "Code": "NOT_EXECUTED", "Message": "No files are looked at here.", "Scope": [] });
            let result = "NOT_EXECUTED";
            (id, json!({ "ControlId": id, "ControlAssessmentResult": result, "Errors": [error] }))
        }));
        controls.sort_by_key(|(id, _)| *id);
        controls.into_iter().map(|(_, control)| control).collect()
    }
}
