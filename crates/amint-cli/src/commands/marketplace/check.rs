//! `amint marketplace check`: all that stands in the way of a version, at once.

use amint_publish::ApplyError;
use amint_publish::calls::Purpose;
use amint_publish::marketplace::Flaw;
use amint_scan::Profile;
use amint_types::Severity;
use amint_types::scan::{ScanDocument, ScanVerdict};

use super::ask::{ask, unasked};
use super::parts::{self, Part};
use super::sold::Sold;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::inspecting::{Judging, Looked, look_into};
use crate::marketplace_args::MarketplaceCheckArgs;

pub(super) fn run(args: &MarketplaceCheckArgs, context: &Context) -> Result<ExitCode, Failure> {
    let sold = Sold::open(&args.image, context)?;
    let gate: Severity = args.gate.parse().map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let judging = Judging { gate, baseline: None, profile: Some(Profile::Marketplace) };
    let Looked { inspection, .. } = look_into(&args.image, &args.inspect, &judging, context)?;
    let mut parts = vec![image_part(&args.image, &inspection.document)];
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
    parts::tell(&sold.subject(), &parts, context)?;
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

fn image_part(name: &str, document: &ScanDocument) -> Part {
    let reasons = document.reasons.join("; ");
    match document.verdict {
        ScanVerdict::Pass => Part::of("image", Vec::new()),
        ScanVerdict::Fail => {
            let hint = format!("`amint scan {name} --profile marketplace` shows each finding");
            Part::of(
                "image",
                vec![Flaw { code: "SCAN_ERROR", message: reasons, hint, is_refused: true, page: None }],
            )
        }
        _ => Part::unchecked("image", reasons),
    }
}
