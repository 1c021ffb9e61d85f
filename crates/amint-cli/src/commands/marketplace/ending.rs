//! The end of a change set, and what AWS found.

use std::fmt::Write;
use std::time::Instant;

use amint_aws::AwsCatalog;
use amint_publish::marketplace::{ChangeSetState, ChangeSetStatus, explain, follow, newest_assessment};
use amint_report::printable_line;
use amint_types::assessment::{AssessmentReport, AssessmentResult, ControlResult};
use amint_types::{StepOutcome, Unit};
use serde_json::json;

use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::ui::Palette;

/// How many complaints of an assessment are shown.
const SHOWN_MAX: usize = 20;

/// What AWS found in the image of a change set: nothing where there is no assessment, and why it could not be read.
pub(super) type Found = Result<Option<AssessmentReport>, String>;

/// Follows a change set to its end, and tells it.
pub(super) async fn end(
    catalog: &AwsCatalog,
    product_id: &str,
    id: &str,
    is_left: bool,
    context: &Context,
) -> Result<ExitCode, Failure> {
    if is_left {
        context.finish();
        if context.global.json {
            context.print_json(&json!({ "change_set": { "id": id } }))?;
        } else {
            context.print(&format!("{id} is on its way\n"));
        }
        return Ok(ExitCode::Fine);
    }
    let (sink, started) = (context.sink(), Instant::now());
    sink.step_started("change-set", &format!("Waiting for {id}"), None, Unit::Bytes);
    let progress = |status: ChangeSetStatus| sink.step_progress("change-set", 0, None, Some(status.as_str()));
    let state = follow(catalog, id, &progress, &context.cancel).await;
    let is_good = state.as_ref().is_ok_and(|state| state.status == ChangeSetStatus::Succeeded);
    let outcome = if is_good { StepOutcome::Done } else { StepOutcome::Failed };
    sink.step_finished("change-set", outcome, started.elapsed(), None);
    let state = state.map_err(|error| {
        Failure::from(error)
            .hint(format!("it goes on by itself: `amint marketplace status IMAGE --change-set {id}`"))
    })?;
    let found = found(catalog, product_id, &state, context).await;
    context.finish();
    tell(&state, &found, context)?;
    Ok(if is_good { ExitCode::Fine } else { ExitCode::Gate })
}

/// Asks for what AWS found in the image of a change set that failed.
pub(super) async fn found(
    catalog: &AwsCatalog,
    product_id: &str,
    state: &ChangeSetState,
    context: &Context,
) -> Found {
    if state.status != ChangeSetStatus::Failed {
        return Ok(None);
    }
    let newest = newest_assessment(catalog, product_id, Some(&state.id), &context.cancel).await;
    newest.map_err(|error| error.to_string())
}

pub(super) fn tell(state: &ChangeSetState, found: &Found, context: &Context) -> Result<(), Failure> {
    if context.global.json {
        let mut told = json!({ "change_set": state });
        match found {
            Ok(Some(report)) => told["assessment"] = json!(report),
            Ok(None) => {}
            Err(why) => told["assessment_unread"] = json!(why),
        }
        return context.print_json(&told);
    }
    let palette = Palette::for_stdout();
    let word = match state.status {
        ChangeSetStatus::Succeeded => palette.green(state.status.as_str()),
        ChangeSetStatus::Failed => palette.red(state.status.as_str()),
        _ => state.status.as_str().to_owned(),
    };
    let mut text = format!("{}  {word}  {}\n", state.id, printable_line(&state.name));
    for error in &state.errors {
        let _ = writeln!(text, "  {} {}", palette.red(&error.code), printable_line(&error.message));
        // For long results AWS gives the address of a page instead of words.
        if error.message.starts_with("https://") {
            let _ = writeln!(text, "    that address shows what AWS found: `curl` reads it");
        }
        let _ = writeln!(text, "    {} {}", palette.cyan("hint:"), explain(&error.code));
    }
    if state.is_fault_of_service {
        text += "  AWS itself failed: submit it again\n";
    }
    match found {
        Ok(Some(report)) => text += &assessment_text(report, palette),
        Ok(None) => {}
        Err(why) => {
            let _ = writeln!(text, "  {} {}", palette.yellow("assessment not read:"), printable_line(why));
        }
    }
    context.print(&text);
    Ok(())
}

/// Writes what an assessment complains about.
pub(super) fn assessment_text(report: &AssessmentReport, palette: Palette) -> String {
    let word = match report.assessment_result {
        AssessmentResult::Pass => palette.green("PASS"),
        AssessmentResult::Fail => palette.red("FAIL"),
    };
    let id = printable_line(report.assessment_id.as_deref().unwrap_or_default());
    let count = report.control_assessments.len();
    let mut text = format!("{id}  {word}  {count} controls of AWS Marketplace's own scan");
    if let Some(until) = &report.expires_at {
        let _ = write!(text, ", holds until {}", printable_line(until));
    }
    text.push('\n');
    let failed = report.control_assessments.iter();
    let failed = failed.filter(|control| control.control_assessment_result == ControlResult::Fail);
    let complaints: Vec<String> = failed
        .flat_map(|control| {
            control.errors.iter().map(|error| {
                let scopes: Vec<&str> = error.scope.iter().map(|scope| scope.value.as_str()).collect();
                let line =
                    format!("{} {} {} {}", control.control_id, error.code, scopes.join(" "), error.message);
                printable_line(&line)
            })
        })
        .collect();
    for complaint in complaints.iter().take(SHOWN_MAX) {
        let _ = writeln!(text, "  {complaint}");
    }
    if complaints.len() > SHOWN_MAX {
        let more = complaints.len() - SHOWN_MAX;
        let _ = writeln!(text, "  and {more} more: `--assessment FILE` writes all of them");
    }
    text
}
