//! What AWS Marketplace itself said of an image, beside what a scan says.

use std::path::PathBuf;

use amint_types::assessment::{AssessmentReport, PlacedError};

use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::inspecting::read_json;

/// How many complaints are told.
const TOLD_MAX: usize = 20;

/// Reads the pages of one answer of AWS; none where no file is given.
pub(crate) fn read(paths: &[PathBuf]) -> Result<Option<AssessmentReport>, Failure> {
    let mut whole: Option<AssessmentReport> = None;
    for path in paths {
        let refuse = |why: String| {
            Failure::new(ExitCode::Input, format!("`{}` is no assessment: {why}", path.display()))
                .hint("`aws marketplace-catalog describe-assessment` writes one")
        };
        let page: AssessmentReport = read_json(path, &refuse)?;
        whole = Some(match whole {
            Some(whole) => whole.merge(&page),
            None => page,
        });
    }
    match whole {
        Some(AssessmentReport { next_token: Some(_), .. }) => {
            Err(Failure::new(ExitCode::Input, "the assessment has more pages than were given")
                .hint("give every page with an --assessment of its own, the last one last"))
        }
        whole => Ok(whole),
    }
}

/// Says in lines what AWS's assessment and a scan's differ in.
pub(crate) fn differences(ours: &AssessmentReport, theirs: &AssessmentReport) -> Vec<String> {
    let difference = ours.compare(theirs);
    let mut lines = vec![format!(
        "assessment of AWS: {} complaints are shared, {} are AWS's alone, {} this scan's alone",
        difference.shared,
        difference.only_second.len(),
        difference.only_first.len()
    )];
    let told = |one: &PlacedError| {
        let scopes: Vec<&str> = one.error.scope.iter().map(|scope| scope.value.as_str()).collect();
        format!("AWS alone: {} {} {} {}", one.control_id, one.error.code, scopes.join(" "), one.error.message)
    };
    lines.extend(difference.only_second.iter().take(TOLD_MAX).map(told));
    if difference.only_second.len() > TOLD_MAX {
        lines.push(format!("and {} more of AWS's", difference.only_second.len() - TOLD_MAX));
    }
    lines
}
