//! `amint test`: boots an image as EC2 would, and checks it.

use crate::args::TestArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::{BOOT_REPORT, boot_spec, lay_down, promises, report_path, stored_report, write_report};
use crate::present;
use crate::ui::Palette;

/// Boots an image and runs every check; the result of a stored image is stored with it.
pub(crate) fn run(args: &TestArgs, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let work = store.temporary()?;
    let on_disk = lay_down(&args.image, args.guest.recipe.as_deref(), &store, work.path(), context)?;
    let firmware = args.guest.boot.into();
    let mut spec =
        boot_spec(on_disk.recipe.as_ref(), on_disk.path, on_disk.bytes, firmware, work.path(), context)?;
    spec.memory_mib = args.guest.memory;
    spec.second_boot = !args.once;
    spec.keep = args.keep;
    spec.probe = args.probe;
    if let Some(record) = &on_disk.record
        && let Some(build) = stored_report(&store, record)?
    {
        spec.promises = promises(build.scan, build.gate);
    }
    let result = amint_guest::boot_test(&spec, context.sink(), &context.cancel);
    context.finish();
    let is_interrupted = context.cancel.is_cancelled();
    if args.keep && !is_interrupted && !result.as_ref().is_ok_and(amint_types::report::BootReport::is_passed)
    {
        context.say(&format!("overlay, console log and key are kept in {}", work.keep().display()));
    } else {
        work.remove()?;
    }
    let report = result?;
    if let Some(record) = &on_disk.record {
        let text = serde_json::to_vec(&report).map_err(|error| Failure::new(ExitCode::Defect, error))?;
        store.put_document(record, &format!("{BOOT_REPORT}-{}", report.firmware.as_str()), &text)?;
        if let Some(build) = stored_report(&store, record)? {
            write_report(&build, &report_path(&context.home()?, &build))?;
        }
    }
    if context.global.json {
        context.print_result(
            &serde_json::json!({ "event": "result", "passed": report.is_passed(), "boot": report }),
        );
    } else {
        context.print(&present::boot_checks(&report, Palette::for_stdout()));
    }
    Ok(if report.is_passed() { ExitCode::Fine } else { ExitCode::Gate })
}
