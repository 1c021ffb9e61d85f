//! `amint diff`: what differs between two images.

use amint_inspect::compare_files;
use amint_report::scan as reports;
use amint_types::Severity;
use amint_types::scan::ScanVerdict;

use crate::args::DiffArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::inspecting::{Judging, look_into};

/// Looks into both images and shows what is new, gone and changed; exits with 1 when anything is.
pub(crate) fn run(args: &DiffArgs, context: &Context) -> Result<ExitCode, Failure> {
    let judging = Judging::by(Severity::High);
    let old = look_into(&args.old, &args.inspect, &judging, context)?.inspection;
    let new = look_into(&args.new, &args.inspect, &judging, context)?.inspection;
    let files = compare_files(&old.index, &new.index, &context.cancel)?;
    context.finish();
    let (old, new) = (old.document, new.document);
    let mut difference = reports::difference(&old, &new);
    difference.files = Some(files);
    if context.global.json {
        context.print(&reports::difference_json(&difference));
    } else {
        context.print(&reports::difference_markdown(&difference));
    }
    let is_unread = |document: &amint_types::scan::ScanDocument| document.verdict == ScanVerdict::Unread;
    if is_unread(&old) || is_unread(&new) {
        for reason in old.reasons.iter().chain(&new.reasons) {
            context.say(&format!("not read: {reason}"));
        }
        return Ok(ExitCode::Input);
    }
    Ok(if difference.is_empty() { ExitCode::Fine } else { ExitCode::Gate })
}
