//! What an assessment of AWS Marketplace says: the answer of its operation `DescribeAssessment`.
//!
//! Names and forms are those of the AWS Marketplace Catalog API, version 2018-09-17, so that amint's own result and
//! AWS's can be read, merged and compared by the same programs. Which controls AWS has is not published; amint's are
//! called by the ids of its own list of requirements.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The framework that judges AMIs.
pub const AMI_SECURITY: &str = "AMISecurity@1.0";

/// How an assessment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum AssessmentResult {
    /// No control failed.
    Pass,
    /// A control failed, or nothing can be said.
    Fail,
}

/// How a control ended; a later one weighs more when two results are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ControlResult {
    /// Nobody looked; the errors tell why.
    NotExecuted,
    /// As it should be.
    Pass,
    /// Not as it should be, and accepted.
    ExemptionPass,
    /// Not as it should be.
    Fail,
}

/// Where an error lies: `FILE_PATH`, `PACKAGE_NAME`, `AMI_ID`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorScope {
    /// What is named.
    pub name: String,
    /// Its name.
    pub value: String,
}

/// One thing that a control complains about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ControlError {
    /// Which: amint writes the rule's or the advisory's id.
    pub code: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// Where.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub scope: Vec<ErrorScope>,
}

/// One control and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ControlAssessment {
    /// Which control.
    pub control_id: String,
    /// How it ended.
    pub control_assessment_result: ControlResult,
    /// What is wrong, or why nobody looked.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub errors: Vec<ControlError>,
}

/// What was assessed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssessmentTarget {
    /// The product.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub entity_id: Option<String>,
    /// The change set that asked for it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub change_set_id: Option<String>,
}

/// An assessment of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssessmentReport {
    /// The assessment's address, where AWS made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assessment_arn: Option<String>,
    /// The assessment's id: AWS's, or of amint the image's digest or name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assessment_id: Option<String>,
    /// By what was judged: [`AMI_SECURITY`].
    pub framework_id: String,
    /// What was assessed, where AWS knows it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub assessment_target_summary: Option<AssessmentTarget>,
    /// How it ended.
    pub assessment_result: AssessmentResult,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub created_at: Option<String>,
    /// Until when it holds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub expires_at: Option<String>,
    /// Every control, by id.
    #[serde(default)]
    pub control_assessments: Vec<ControlAssessment>,
    /// Set when AWS has more controls to tell.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub next_token: Option<String>,
}

/// One error and the control that it is of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct PlacedError {
    /// The control.
    pub control_id: String,
    /// The error.
    pub error: ControlError,
}

/// What two assessments of one image differ in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct AssessmentDifference {
    /// Controls of one name whose results differ: the name, the first one's result, the second one's.
    pub results: Vec<(String, ControlResult, ControlResult)>,
    /// Complaints of the first alone.
    pub only_first: Vec<PlacedError>,
    /// Complaints of the second alone.
    pub only_second: Vec<PlacedError>,
    /// How many complaints of the second are about a file or package that the first complains about too.
    pub shared: usize,
}

impl AssessmentReport {
    /// Joins another report of the same image: of each control the worse result counts, with the errors of both.
    ///
    /// The head (address, id, dates) stays this report's. Pages of one answer of AWS are joined the same way.
    #[must_use]
    pub fn merge(mut self, other: &Self) -> Self {
        let mut controls: BTreeMap<String, ControlAssessment> = BTreeMap::new();
        let both = self.control_assessments.drain(..).chain(other.control_assessments.iter().cloned());
        for control in both {
            let Some(known) = controls.get_mut(&control.control_id) else {
                controls.insert(control.control_id.clone(), control);
                continue;
            };
            let (old, new) = (known.control_assessment_result, control.control_assessment_result);
            // Why one did not look says nothing once the other did.
            if new == ControlResult::NotExecuted && old != ControlResult::NotExecuted {
                continue;
            }
            if old == ControlResult::NotExecuted && new != ControlResult::NotExecuted {
                known.errors.clear();
            }
            known.control_assessment_result = old.max(new);
            known.errors.extend(control.errors);
            known.errors.sort();
            known.errors.dedup();
        }
        self.assessment_result = self.assessment_result.max(other.assessment_result);
        self.control_assessments = controls.into_values().collect();
        self.next_token.clone_from(&other.next_token);
        self
    }

    /// Compares with a second report of the same image.
    ///
    /// The names of controls need not be the same: a complaint is shared when both complain about the same file or
    /// package.
    pub fn compare(&self, second: &Self) -> AssessmentDifference {
        let results = self
            .control_assessments
            .iter()
            .filter_map(|ours| {
                let theirs =
                    second.control_assessments.iter().find(|one| one.control_id == ours.control_id)?;
                let (ours_is, theirs_is) = (ours.control_assessment_result, theirs.control_assessment_result);
                (ours_is != theirs_is).then(|| (ours.control_id.clone(), ours_is, theirs_is))
            })
            .collect();
        let (first, second) = (self.complaints(), second.complaints());
        let without = |these: &[PlacedError], those: &[PlacedError]| -> Vec<PlacedError> {
            let is_alone = |one: &&PlacedError| !those.iter().any(|other| is_same(&one.error, &other.error));
            these.iter().filter(is_alone).cloned().collect()
        };
        let only_second = without(&second, &first);
        AssessmentDifference {
            results,
            only_first: without(&first, &second),
            shared: second.len() - only_second.len(),
            only_second,
        }
    }

    /// The errors of controls that failed.
    fn complaints(&self) -> Vec<PlacedError> {
        let failed = self
            .control_assessments
            .iter()
            .filter(|control| control.control_assessment_result == ControlResult::Fail);
        let mut complaints: Vec<PlacedError> = failed
            .flat_map(|control| {
                let placed = |error: &ControlError| PlacedError {
                    control_id: control.control_id.clone(),
                    error: error.clone(),
                };
                control.errors.iter().map(placed)
            })
            .collect();
        complaints.sort();
        complaints
    }
}

/// Tells whether two errors are about the same file or package, or where neither names one, of the same code.
fn is_same(left: &ControlError, right: &ControlError) -> bool {
    let places = |error: &ControlError| -> Vec<ErrorScope> {
        let is_place = |scope: &&ErrorScope| matches!(scope.name.as_str(), "FILE_PATH" | "PACKAGE_NAME");
        error.scope.iter().filter(is_place).cloned().collect()
    };
    let (left_places, right_places) = (places(left), places(right));
    if left_places.is_empty() && right_places.is_empty() {
        return left.code == right.code;
    }
    // A package's file is its package manager's database: then the package tells.
    let by = |name: &str| {
        let value = |places: &[ErrorScope]| {
            places.iter().find(|scope| scope.name == name).map(|scope| scope.value.clone())
        };
        value(&left_places).zip(value(&right_places)).map(|(left, right)| left == right)
    };
    by("PACKAGE_NAME").or_else(|| by("FILE_PATH")).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, scope: &[(&str, &str)]) -> ControlError {
        let scope = scope
            .iter()
            .map(|(name, value)| ErrorScope { name: (*name).to_owned(), value: (*value).to_owned() })
            .collect();
        ControlError { code: code.to_owned(), message: "bad".to_owned(), scope }
    }

    fn report(controls: Vec<(&str, ControlResult, Vec<ControlError>)>) -> AssessmentReport {
        let is_failed = controls.iter().any(|(_, result, _)| *result == ControlResult::Fail);
        AssessmentReport {
            assessment_arn: None,
            assessment_id: None,
            framework_id: AMI_SECURITY.to_owned(),
            assessment_target_summary: None,
            assessment_result: if is_failed { AssessmentResult::Fail } else { AssessmentResult::Pass },
            created_at: None,
            expires_at: None,
            control_assessments: controls
                .into_iter()
                .map(|(id, result, errors)| ControlAssessment {
                    control_id: id.to_owned(),
                    control_assessment_result: result,
                    errors,
                })
                .collect(),
            next_token: None,
        }
    }

    #[test]
    fn the_worse_result_of_a_control_counts_and_who_did_not_look_says_nothing() {
        let ours = report(vec![
            ("A", ControlResult::Pass, vec![]),
            ("B", ControlResult::NotExecuted, vec![error("NOT_IN_FILES", &[])]),
            ("C", ControlResult::Fail, vec![error("x", &[])]),
        ]);
        let theirs = report(vec![
            ("A", ControlResult::Fail, vec![error("y", &[])]),
            ("B", ControlResult::Pass, vec![]),
            ("C", ControlResult::NotExecuted, vec![error("later", &[])]),
            ("D", ControlResult::ExemptionPass, vec![]),
        ]);
        let merged = ours.clone().merge(&theirs);
        let results: Vec<(&str, ControlResult, usize)> = merged
            .control_assessments
            .iter()
            .map(|one| (one.control_id.as_str(), one.control_assessment_result, one.errors.len()))
            .collect();
        let expected = [
            ("A", ControlResult::Fail, 1),
            ("B", ControlResult::Pass, 0),
            ("C", ControlResult::Fail, 1),
            ("D", ControlResult::ExemptionPass, 0),
        ];
        assert_eq!(results, expected);
        assert_eq!(merged.assessment_result, AssessmentResult::Fail);
        assert_eq!(merged.clone().merge(&theirs), merged, "merging again changes nothing");
    }

    #[test]
    fn complaints_about_one_file_or_package_are_shared_whatever_the_controls_are_called() {
        let status = ("FILE_PATH", "/var/lib/dpkg/status");
        let ours = report(vec![
            (
                "MP-L3",
                ControlResult::Fail,
                vec![error("SSH-008", &[("FILE_PATH", "/root/.ssh/authorized_keys")])],
            ),
            ("MP-G1", ControlResult::Fail, vec![error("CVE-1", &[status, ("PACKAGE_NAME", "curl")])]),
            ("MP-L1", ControlResult::Pass, vec![]),
        ]);
        let theirs = report(vec![
            ("KEYS", ControlResult::Fail, vec![error("K", &[("FILE_PATH", "/root/.ssh/authorized_keys")])]),
            ("CVE", ControlResult::Fail, vec![error("CVE-2", &[status, ("PACKAGE_NAME", "openssl")])]),
            ("MP-L1", ControlResult::Fail, vec![]),
        ]);
        let difference = ours.compare(&theirs);
        assert_eq!(difference.shared, 1);
        assert_eq!(difference.only_first[0].error.code, "CVE-1");
        assert_eq!(difference.only_second[0].error.code, "CVE-2");
        assert_eq!(difference.results, [("MP-L1".to_owned(), ControlResult::Pass, ControlResult::Fail)]);
        assert_eq!(ours.compare(&ours).only_second, []);
    }
}
