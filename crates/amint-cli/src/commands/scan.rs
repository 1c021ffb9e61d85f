//! `amint scan`: looks into any image, and judges what it finds.

use std::io::Write;
use std::path::Path;

use amint_inspect::Inspection;
use amint_report::scan as reports;
use amint_scan::Profile;
use amint_types::Severity;
use amint_types::assessment::{AssessmentReport, AssessmentResult};
use amint_types::scan::{ScanDocument, ScanVerdict};

use crate::args::{SbomFormat, ScanArgs, ScanFormat};
use crate::assessment;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::fix_plan;
use crate::inspecting::{Judging, Looked, look_into, read_report};
use crate::present_scan;
use crate::ui::Palette;

/// Looks into an image, judges it and writes the report.
pub(crate) fn run(args: &ScanArgs, context: &Context) -> Result<ExitCode, Failure> {
    let gate: Severity = args.gate.parse().map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let baseline = args.against.as_deref().map(read_report).transpose()?;
    let profile = (args.format == ScanFormat::Marketplace).then_some(Profile::Marketplace);
    let judging = Judging { gate, baseline: baseline.as_ref(), profile };
    let Looked { inspection, request, recipe } = look_into(&args.target, &args.inspect, &judging, context)?;
    if let Some(path) = &args.source_offer {
        write(path, &source_offer(&inspection, args.source_url.as_deref())?)?;
    }
    let document = inspection.document;
    context.finish();
    let theirs = assessment::read(&args.assessment)?;
    let text = if args.fix_plan {
        let plan = amint_scan::fix_plan(&document.findings);
        fix_plan::text(&plan, &request, recipe.as_ref().map(|file| &file.recipe))
    } else {
        text(args, &document, theirs.as_ref(), context)?
    };
    match &args.output {
        Some(path) => write(path, &text)?,
        None => context.print(&text),
    }
    if let Some(path) = &args.write_vex {
        write_vex(path, &document)?;
    }
    let is_machine_form =
        args.fix_plan || args.sbom.is_some() || args.format != ScanFormat::Text || context.global.json;
    if is_machine_form || args.output.is_some() {
        for reason in &document.reasons {
            context.say(&format!("{}: {reason}", document.verdict.as_str()));
        }
        for warning in &document.warnings {
            context.say(&format!("warning: {warning}"));
        }
    }
    let verdict = exit_code(document.verdict);
    let Some(theirs) = theirs else { return Ok(verdict) };
    for line in assessment::differences(&amint_scan::assess(&document), &theirs) {
        context.say(&line);
    }
    // What AWS refuses is refused, whatever this scan says.
    let is_refused = theirs.assessment_result == AssessmentResult::Fail && verdict == ExitCode::Fine;
    Ok(if is_refused { ExitCode::Gate } else { verdict })
}

fn text(
    args: &ScanArgs,
    document: &ScanDocument,
    theirs: Option<&AssessmentReport>,
    context: &Context,
) -> Result<String, Failure> {
    if let Some(sbom) = args.sbom {
        return Ok(match sbom {
            SbomFormat::Cyclonedx => reports::cyclonedx(document),
            SbomFormat::Spdx => reports::spdx(document),
        });
    }
    if context.global.json {
        return Ok(reports::scan_json(document));
    }
    Ok(match args.format {
        ScanFormat::Text => {
            let palette = if args.output.is_some() { Palette::plain() } else { Palette::for_stdout() };
            present_scan::text(document, args.all, palette)
        }
        ScanFormat::Json => reports::scan_json(document),
        ScanFormat::Sarif => reports::sarif(document),
        ScanFormat::Junit => reports::junit(document),
        ScanFormat::Marketplace => {
            let ours = amint_scan::assess(document);
            reports::assessment_json(
                &theirs.map_or_else(|| ours.clone(), |theirs| ours.clone().merge(theirs)),
            )
        }
        ScanFormat::Html => reports::html(document).map_err(|error| Failure::new(ExitCode::Defect, error))?,
    })
}

/// Replaces a file at once, so that no reader sees half of it. A device or a pipe is written to, and stays what it is.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let opened = std::fs::OpenOptions::new().write(true).open(path);
        let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
        return written.map_err(|error| Failure::file(path, error));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(|error| Failure::file(folder, error))?;
    file.write_all(text.as_bytes()).map_err(|error| Failure::file(path, error))?;
    file.persist(path).map_err(|error| Failure::file(path, error.error))?;
    Ok(())
}

/// Lists the sources that copyleft licences ask to be offered.
fn source_offer(inspection: &Inspection, template: Option<&str>) -> Result<String, Failure> {
    let manifest = inspection.source_manifest().map_err(|error| Failure::new(ExitCode::Input, error))?;
    let manifest = match template {
        Some(template) => manifest.found_at(template),
        None => manifest,
    };
    Ok(manifest.to_json())
}

/// States what amint itself found not to apply.
fn write_vex(path: &Path, document: &ScanDocument) -> Result<(), Failure> {
    let id = format!("urn:amint:vex:{}", amint_types::Digest::of(document.target.name.as_bytes()));
    let statements = amint_vuln::vex::statements_of(&document.findings, &id, "amint", document.scanned_at);
    write(path, &String::from_utf8_lossy(&statements.to_json()))
}

pub(crate) fn exit_code(verdict: ScanVerdict) -> ExitCode {
    match verdict {
        ScanVerdict::Pass => ExitCode::Fine,
        ScanVerdict::Fail => ExitCode::Gate,
        ScanVerdict::Stale => ExitCode::Evidence,
        _ => ExitCode::Input,
    }
}
