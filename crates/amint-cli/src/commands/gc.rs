//! `amint gc`: frees space.

use amint_types::format_bytes;

use crate::args::GcArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// Frees the space of removed and replaced images, and of work that was broken off.
pub(crate) fn run(args: &GcArgs, context: &Context) -> Result<ExitCode, Failure> {
    let summary = context.store()?.gc(args.dry_run, &context.cancel)?;
    if context.global.json {
        context.print_json(&summary)?;
    } else {
        let verb = if args.dry_run { "would free" } else { "freed" };
        context.say(&format!(
            "{verb} {}: {} blocks, {} leftovers of work broken off",
            format_bytes(summary.bytes_freed),
            summary.blocks_removed,
            summary.temporary_removed
        ));
    }
    Ok(ExitCode::Fine)
}
