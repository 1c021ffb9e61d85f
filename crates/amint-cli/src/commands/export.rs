//! `amint export`: writes an image to a file.

use amint_disk::export::{ExportOptions, Format, export_with};
use amint_types::{ImageRef, StepOutcome, Unit, format_bytes};
use std::time::Instant;

use crate::args::ExportArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Writes an image in the format asked for, every block checked against its digest on the way.
pub(crate) fn run(args: &ExportArgs, context: &Context) -> Result<ExitCode, Failure> {
    let reference: ImageRef = args.image.parse()?;
    let format = format(args)?;
    let store = context.store()?;
    let record = store.resolve(&reference)?;
    let reader = store.reader(&record)?;
    let sink = context.sink();
    let started = Instant::now();
    sink.step_started("export", "Exporting", Some(record.disk_bytes), Unit::Bytes);
    let progress = |done: u64, total: u64| sink.step_progress("export", done, Some(total), None);
    let options = ExportOptions { format, overwrite: args.force };
    let result = export_with(&reader, options, &args.file, &progress, &context.cancel);
    let outcome = if result.is_ok() { StepOutcome::Done } else { StepOutcome::Failed };
    let detail = result.as_ref().ok().map(|summary| format_bytes(summary.bytes));
    sink.step_finished("export", outcome, started.elapsed(), detail);
    let summary = result?;
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "file": args.file, "format": format.to_string(),
            "bytes": summary.bytes, "sha256": summary.sha256,
        }));
    } else {
        context.print(&format!("{}  {}\n", summary.sha256, args.file.display()));
    }
    Ok(ExitCode::Fine)
}

fn format(args: &ExportArgs) -> Result<Format, Failure> {
    let extension = args.file.extension().and_then(|extension| extension.to_str());
    let text = args.format.as_deref().or(extension).unwrap_or("raw");
    let text = if text == "img" { "raw" } else { text };
    text.parse().map_err(|error| {
        Failure::new(ExitCode::Usage, error).hint("give the format with `--format`: raw, qcow2, vmdk or vhd")
    })
}
