//! `amint gc --cloud`: what unfinished runs of `amint publish` left in AWS.

use amint_aws::Connection;
use amint_publish::calls::Purpose;
use amint_publish::{Journal, Litter, find_litter, remove_litter};
use amint_store::Store;
use jiff::{Timestamp, ToSpan};

use crate::args::GcArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::publishing::{publish_folder, regions};
use crate::ui::{Palette, Table};

/// Finds it in every region, shows it, removes it.
pub(crate) fn run(args: &GcArgs, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let now = Timestamp::now();
    let before = now
        .checked_sub(i64::from(args.older_than).hours())
        .map_err(|error| Failure::new(ExitCode::Usage, error))?;
    crate::aws::run(Purpose::Collect, async |connection| {
        let names = names(args, &store, &connection)?;
        let mut found: Vec<Litter> = Vec::new();
        for name in &names {
            found.extend(find_litter(&connection.in_region(name), before, &context.cancel).await?);
        }
        let mut removed = 0;
        if !args.dry_run {
            for name in &names {
                let here: Vec<Litter> = found.iter().filter(|one| one.region == *name).cloned().collect();
                removed += remove_litter(&connection.in_region(name), &here, &store, &context.cancel).await?;
                for one in &here {
                    Journal::open(&publish_folder(context)?, &one.snapshot_id)
                        .and_then(Journal::remove)
                        .map_err(|error| Failure::new(ExitCode::Environment, error))?;
                }
            }
        }
        if context.global.json {
            context.print_json(&serde_json::json!({
                "regions": names, "snapshots": found, "removed": removed, "dry_run": args.dry_run,
            }))?;
            return Ok(ExitCode::Fine);
        }
        show(&found, context);
        let verb = if args.dry_run { "would remove" } else { "removed" };
        let count = if args.dry_run { found.len() as u64 } else { removed };
        context.say(&format!("{verb} {count} snapshots in {}", names.join(", ")));
        Ok(ExitCode::Fine)
    })
}

fn show(found: &[Litter], context: &Context) {
    if found.is_empty() {
        return;
    }
    let mut table = Table::new(["REGION", "SNAPSHOT", "IMAGE", "BEGUN (UTC)", "STATE", "GIB"]).right([5]);
    for one in found {
        table.row([
            one.region.as_str(),
            &one.snapshot_id,
            one.image.as_deref().unwrap_or("-"),
            &one.started.strftime("%Y-%m-%d %H:%M").to_string(),
            if one.is_pending { "unfinished" } else { "unused" },
            &one.volume_gib.to_string(),
        ]);
    }
    context.print(&table.render(Palette::for_stdout()));
}

/// Returns the regions to look in: those that the operation log names are where anything can have been left.
fn names(args: &GcArgs, store: &Store, connection: &Connection) -> Result<Vec<String>, Failure> {
    let mut names = args.regions.clone();
    if names.is_empty() {
        let operations = store.operations(None)?;
        let published = operations.iter().filter(|operation| operation.kind.starts_with("publish-"));
        let regions = published.filter_map(|operation| operation.intent.get("region")?.as_str());
        names.extend(regions.map(str::to_owned));
        names.extend(connection.region());
        names.sort();
    }
    if names.is_empty() {
        return Err(
            Failure::new(ExitCode::Usage, "no region is named").hint("give `--region`, or set AWS_REGION")
        );
    }
    regions(names.iter().map(String::as_str))
}
