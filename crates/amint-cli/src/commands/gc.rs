//! `amint gc`: frees space.

use std::collections::HashSet;

use amint_archive::evict_packages;
use amint_build::layers::LayerCache;
use amint_types::format_bytes;

use crate::args::GcArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::kept_scan;
use crate::supply::{layer_cache, package_cache};

/// Frees the space of removed and replaced images, and of work that was broken off.
pub(crate) fn run(args: &GcArgs, context: &Context) -> Result<ExitCode, Failure> {
    let summary = context.store()?.gc(args.dry_run, &context.cancel)?;
    if args.cache && !args.dry_run {
        empty_caches(context)?;
    }
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

/// Removes what later builds would only have to make or fetch again.
fn empty_caches(context: &Context) -> Result<(), Failure> {
    let home = context.home()?;
    let layers = layer_cache(&home);
    let freed = LayerCache::new(&layers).evict(0).map_err(|error| Failure::file(&layers, error))?;
    let packages = package_cache(&home);
    let evicted =
        evict_packages(&packages, 0, &HashSet::new()).map_err(|error| Failure::file(&packages, error))?;
    let scans = kept_scan::forget(&home).map_err(|error| Failure::file(&home, error))?;
    context.say(&format!("freed {} of the caches", format_bytes(freed + evicted.bytes + scans)));
    Ok(())
}
