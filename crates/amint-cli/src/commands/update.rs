//! `amint update`: moves a lock to the newest packages, and shows what that brings.

use std::cmp::Ordering;

use amint_build::changelogs::name_cves;
use amint_build::locking::Versions;
use amint_debian::version::Version;
use amint_recipe::lock::{Lock, LockDiff, diff};

use crate::args::UpdateArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::supply::{Supply, lock_path, read_lock};

/// Shows what is new, and takes it unless only asked to look.
pub(crate) fn run(args: &UpdateArgs, context: &Context) -> Result<ExitCode, Failure> {
    let file = super::load_recipe(&args.recipe, context)?;
    let path = lock_path(&file);
    let Some(old) = read_lock(&file)? else {
        return Err(Failure::new(ExitCode::Input, format!("there is no {} to update", path.display()))
            .hint("run `amint lock` to write one"));
    };
    let supply = Supply::new(&args.source, context, &file)?;
    let lock = supply.lock(&file, Versions::Newest(Some(&old)), context)?;
    let mut changes = compare(&old, &lock);
    if changes.has_packages() {
        let sink = context.sink();
        name_cves(&mut changes, &file, &lock, &supply.client, &supply.mirrors, sink, &context.cancel)?;
    }
    context.finish();
    let is_newer = changes.has_packages();
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "lock": path, "changed": is_newer, "written": !args.check, "changes": changes,
        }));
    } else if changes.is_empty() {
        context.say("nothing is newer");
    } else {
        context.print(&changes.render());
    }
    if args.check {
        return Ok(if is_newer { ExitCode::Gate } else { ExitCode::Fine });
    }
    if old != lock {
        lock.save_atomically(&path)?;
        context.say(&format!("wrote {}", path.display()));
    }
    Ok(ExitCode::Fine)
}

/// Compares two locks by Debian's order of versions.
pub(crate) fn compare(old: &Lock, new: &Lock) -> LockDiff {
    diff(old, new, |left: &str, right: &str| compare_versions(left, right))
}

/// Orders versions as dpkg does; what is no version is ordered as text.
fn compare_versions(left: &str, right: &str) -> Ordering {
    match (left.parse::<Version>(), right.parse::<Version>()) {
        (Ok(left), Ok(right)) => left.cmp(&right),
        _ => left.cmp(right),
    }
}
