//! `amint verify ami-…`: the blocks of a published image are those of the store.

use std::fmt::Write;
use std::time::Instant;

use amint_publish::calls::Purpose;
use amint_publish::{Published, ReadBack, find_published, read_back};
use amint_store::Manifest;
use amint_types::{BLOCK_BYTES, StepOutcome, Unit};

use crate::args::VerifyArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::publishing::regions;
use crate::ui::Palette;

/// Reads every block of the AMI's snapshot, and compares it with the store's.
pub(crate) fn run(args: &VerifyArgs, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    crate::aws::run(Purpose::Verify, async |connection| {
        let Some(name) = args.region.clone().or_else(|| connection.region()) else {
            return Err(Failure::new(ExitCode::Usage, "no region is named")
                .hint("give `--region`, or set AWS_REGION"));
        };
        regions([name.as_str()])?;
        let region = connection.in_region(&name);
        let found = find_published(&region, &args.image, &context.cancel).await?;
        let published = found.ok_or_else(|| {
            Failure::new(ExitCode::Input, format!("there is no image {} in {name}", args.image))
                .hint("another region: `--region`")
        })?;
        let Some(digest) = published.digest else {
            let message = format!("{} does not say which image of the store it is", args.image);
            return Err(Failure::new(ExitCode::Evidence, message)
                .hint("only what `amint publish` made has the tag amint:digest"));
        };
        let manifest = store.manifest(digest).map_err(|error| {
            Failure::new(ExitCode::Evidence, error)
                .hint("verify it where it was published from: the store has the digests of its blocks")
        })?;
        let sink = context.sink();
        let started = Instant::now();
        sink.step_started("read-back", &format!("Reading {}", published.snapshot_id), None, Unit::Bytes);
        let progress = |done: u64, total: u64| {
            sink.step_progress("read-back", done * BLOCK_BYTES, Some(total * BLOCK_BYTES), None);
        };
        let read = read_back(&region, &published.snapshot_id, &manifest, &progress, &context.cancel).await;
        let outcome = if read.is_ok() { StepOutcome::Done } else { StepOutcome::Failed };
        sink.step_finished("read-back", outcome, started.elapsed(), None);
        Ok(report(&name, &published, &manifest, &read?, context))
    })
}

fn report(
    region: &str,
    published: &Published,
    manifest: &Manifest,
    read: &ReadBack,
    context: &Context,
) -> ExitCode {
    context.finish();
    let is_same = read.is_same() && published.differences.is_empty();
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "region": region, "image": published, "blocks": read, "verified": is_same,
        }));
        return if is_same { ExitCode::Fine } else { ExitCode::Gate };
    }
    let palette = Palette::for_stdout();
    let mut text = format!("{}  {}  {}\n", published.image_id, published.name, manifest.digest());
    let good =
        |is_good: bool| if is_good { palette.green(palette.tick()) } else { palette.red(palette.cross()) };
    let told = if read.is_same() {
        format!("{} blocks of {} are the store's", read.blocks, published.snapshot_id)
    } else {
        let first: Vec<String> = read.first_different.iter().map(ToString::to_string).collect();
        let places = if first.is_empty() { String::new() } else { format!(" (first: {})", first.join(", ")) };
        format!("{} of {} blocks differ{places}, {} are missing", read.different, read.blocks, read.missing)
    };
    let _ = writeln!(text, "{} {:<10} {told}", good(read.is_same()), "blocks");
    if published.differences.is_empty() {
        let _ = writeln!(text, "{} {:<10} as amint makes images", good(true), "settings");
    }
    for difference in &published.differences {
        let _ = writeln!(text, "{} {:<10} {difference}", good(false), "settings");
    }
    context.print(&text);
    if is_same { ExitCode::Fine } else { ExitCode::Gate }
}
