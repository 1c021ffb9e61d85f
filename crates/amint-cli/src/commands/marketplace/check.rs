//! `amint marketplace check`: all that stands in the way of a version, at once.

use amint_inspect::blocking_reason;
use amint_publish::ApplyError;
use amint_publish::calls::Purpose;
use amint_publish::marketplace::Flaw;
use amint_scan::Profile;
use amint_types::Severity;
use amint_types::scan::{ScanDocument, ScanFinding, ScanVerdict};

use super::ask::{ask, unasked};
use super::parts::{self, Part};
use super::sold::Sold;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::inspecting::{Judging, report_on};
use crate::marketplace_args::MarketplaceCheckArgs;

/// How many findings of an image are shown.
const SHOWN_MAX: usize = 20;

pub(super) fn run(args: &MarketplaceCheckArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    let gate: Severity = args.gate.parse().map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let judging = Judging { gate, baseline: None, profile: Some(Profile::Marketplace) };
    let document = report_on(&args.image, &args.inspect, &judging, args.fresh, context)?;
    let mut parts = vec![image_part(&args.image, &document)];
    parts.extend(if args.offline {
        unasked(&sold, "AWS was not asked")
    } else {
        online(&sold, args, context)?
    });
    context.finish();
    let code = if parts.iter().any(Part::is_refused) {
        ExitCode::Gate
    } else if parts.iter().any(|part| part.unchecked.is_some()) {
        ExitCode::Evidence
    } else {
        ExitCode::Fine
    };
    parts::tell(&sold.subject(), document.scanned_at, &parts, context)?;
    Ok(code)
}

/// Asks AWS. Who has no credentials gets the rest of the check.
fn online(sold: &Sold, args: &MarketplaceCheckArgs, context: &Context) -> Result<Vec<Part>, Failure> {
    crate::aws::run(Purpose::Sell, async |connection| {
        match ask(sold, args.ami.as_deref(), &connection, context).await {
            Ok(asked) => Ok(asked.parts),
            Err(ApplyError::Cloud(error)) => Ok(unasked(sold, &error.to_string())),
            Err(error) => Err(error.into()),
        }
    })
}

/// Tells what was found in an image, and what could not be read or judged of it: neither hides the other.
fn image_part(name: &str, document: &ScanDocument) -> Part {
    let found = blocking_reason(document);
    let mut flaws: Vec<Flaw> = document.blocking().take(SHOWN_MAX).map(|one| flaw(name, one)).collect();
    let count = document.blocking().count();
    if let Some(more) = count.checked_sub(SHOWN_MAX).filter(|more| *more > 0) {
        let hint = format!("`amint scan {name} --profile marketplace --all` shows each finding");
        flaws.push(refused(format!("and {more} more"), hint));
    }
    let others: Vec<&str> = document
        .reasons
        .iter()
        .filter(|reason| found.as_ref() != Some(*reason))
        .map(String::as_str)
        .collect();
    let is_judged = matches!(document.verdict, ScanVerdict::Pass | ScanVerdict::Fail) && others.is_empty();
    let unchecked = (!is_judged).then(|| others.join("; "));
    Part { name: "image", flaws, unchecked }
}

fn flaw(name: &str, finding: &ScanFinding) -> Flaw {
    let place = match &finding.package {
        Some(package) => format!("{package} {}", finding.version.as_deref().unwrap_or_default()),
        None => finding.path.clone(),
    };
    let message = format!("{}, {}: {} ({place})", finding.rule, finding.severity, finding.title);
    let hint = finding
        .fix
        .clone()
        .unwrap_or_else(|| format!("`amint scan {name} --profile marketplace` shows it in full"));
    refused(message, hint)
}

fn refused(message: String, hint: String) -> Flaw {
    Flaw { code: "SCAN_ERROR", message, hint, is_refused: true, page: None }
}
