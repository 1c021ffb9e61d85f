//! `amint publish`: from the store to AMIs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;
use std::{fs, io};

use amint_aws::{AwsRegion, Connection};
use amint_publish::calls::Purpose;
use amint_publish::{
    Action, Applied, ApplyError, Batch, ChannelPlan, Copies, Plan, Protection, RegionEvent, Settings, Tags,
    Wanted, apply_all, cost, expected_seconds, of_copy, plan_all, plan_copies,
};
use amint_recipe::{DeregistrationProtection, Recipe};
use amint_store::{ImageRecord, Manifest, Store};
use amint_types::{ImageRef, StepOutcome, Unit, channel_parameter, format_bytes};
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::channels::Channels;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::stored_recipe;
use crate::present_publish;
use crate::publish_args::{CopyChoice, PublishArgs};
use crate::publishing::{
    account_of_role, accounts, default_parameter, key_of, meant_regions, publish_folder, regions,
};
use crate::ui::{Palette, Table};

/// The version of written plans.
const FORMAT_VERSION: u32 = 1;
/// The largest written plan that is read.
const PLAN_BYTES_MAX: u64 = 16 << 20;

/// What is asked for, whole: what the command line, the recipe and the environment say together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    image: String,
    regions: Vec<String>,
    name: Option<String>,
    tags: Tags,
    accounts: Vec<String>,
    /// Roles in other accounts that get copies.
    #[serde(default)]
    copy_to: BTreeSet<String>,
    #[serde(default)]
    organizations: BTreeSet<String>,
    #[serde(default)]
    keys: BTreeMap<String, String>,
    deprecate_at: Option<Timestamp>,
    #[serde(default)]
    watermarks: BTreeSet<String>,
    #[serde(default)]
    protection: Option<ProtectionKind>,
    copies: CopyKind,
    #[serde(default)]
    channels: Vec<String>,
    /// The path of the channels' parameters.
    #[serde(default)]
    parameter: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CopyKind {
    Auto,
    Always,
    Never,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ProtectionKind {
    WithoutCooldown,
    WithCooldown,
}

/// A written plan.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    format_version: u32,
    asked: Asked,
    plans: Value,
}

/// Plans, and does it unless only the plan is wanted.
pub(crate) fn run(args: &PublishArgs, context: &Context) -> Result<ExitCode, Failure> {
    let store = context.store()?;
    let reference: ImageRef = args.image.parse()?;
    let record = store.resolve(&reference)?;
    let recipe = stored_recipe(&store, &record)?;
    let written = args.apply.as_deref().map(read_plan).transpose()?;
    crate::aws::run(Purpose::Publish, async |connection| {
        let asked = match &written {
            Some(written) => written.asked.clone(),
            None => asked(args, &record, recipe.as_ref().map(|file| &file.recipe), &connection)?,
        };
        if asked.image != record.reference().to_string() {
            let message = format!("the plan is for {}, not for {}", asked.image, record.reference());
            return Err(Failure::new(ExitCode::Usage, message));
        }
        let wanted = wanted(&asked, &record)?;
        let work = Work { context, store: &store, record: &record, wanted: &wanted, connection: &connection };
        work.run(args, &asked, written.as_ref()).await
    })
}

/// Puts together what is asked for.
fn asked(
    args: &PublishArgs,
    record: &ImageRecord,
    recipe: Option<&Recipe>,
    connection: &Connection,
) -> Result<Asked, Failure> {
    let publish = recipe.map(|recipe| &recipe.publish);
    let mut tags = publish.map(|publish| publish.tags.clone()).unwrap_or_default();
    for pair in &args.tags {
        let (key, value) = tag(pair)?;
        tags.insert(key, value);
    }
    let (mut accounts, organizations) = accounts(recipe, &args.share_with)?;
    let of_recipe = publish.iter().flat_map(|publish| &publish.copy_to);
    let copy_to: BTreeSet<String> = of_recipe.chain(&args.copy_to).cloned().collect();
    for role in &copy_to {
        // What is copied has to be shared first.
        accounts.insert(account_of_role(role)?);
    }
    let mut keys = publish.map(|publish| publish.keys.clone()).unwrap_or_default();
    for pair in &args.keys {
        let (region, key) = key_of(pair)?;
        keys.insert(region, key);
    }
    let days = args.deprecate_after.or_else(|| publish.and_then(|publish| publish.deprecate_after_days));
    Ok(Asked {
        image: record.reference().to_string(),
        regions: meant_regions(&args.regions, recipe, connection.region())?,
        name: args.name.clone(),
        tags,
        accounts: accounts.into_iter().collect(),
        copy_to,
        organizations,
        keys,
        deprecate_at: days.map(|days| deprecation(record, days)).transpose()?,
        watermarks: publish.map(|publish| publish.watermarks.iter().cloned().collect()).unwrap_or_default(),
        protection: publish.and_then(|publish| publish.deregistration_protection).map(|one| match one {
            DeregistrationProtection::WithoutCooldown => ProtectionKind::WithoutCooldown,
            DeregistrationProtection::WithCooldown => ProtectionKind::WithCooldown,
        }),
        copies: match args.copies {
            CopyChoice::Auto => CopyKind::Auto,
            CopyChoice::Always => CopyKind::Always,
            CopyChoice::Never => CopyKind::Never,
        },
        channels: publish.map(|publish| publish.channels.clone()).unwrap_or_default(),
        parameter: publish.and_then(|publish| publish.parameter.clone()),
    })
}

fn tag(pair: &str) -> Result<(String, String), Failure> {
    let fail = |why: &str| Err(Failure::new(ExitCode::Usage, format!("the tag `{pair}` {why}")));
    let Some((key, value)) = pair.split_once('=') else { return fail("is not KEY=VALUE") };
    let lower = key.to_ascii_lowercase();
    if lower.starts_with("aws:") || lower.starts_with("amint:") || lower == "name" {
        return fail("is one that AWS or amint sets");
    }
    if !(1..=128).contains(&key.chars().count()) || value.chars().count() > 256 {
        return fail("is longer than 128 characters for the key, or 256 for the value");
    }
    Ok((key.to_owned(), value.to_owned()))
}

/// Counts from the build, so that publishing again changes nothing.
fn deprecation(record: &ImageRecord, days: u32) -> Result<Timestamp, Failure> {
    let hours = (i64::from(days) * 24).hours();
    let at = record.created_at.checked_add(hours).map_err(|error| Failure::new(ExitCode::Usage, error))?;
    // The service knows minutes.
    let at = Timestamp::from_second(at.as_second().div_euclid(60) * 60)
        .map_err(|error| Failure::new(ExitCode::Usage, error))?;
    if at <= Timestamp::now() {
        let message = format!("{days} days after its build, {} is deprecated already", record.reference());
        return Err(Failure::new(ExitCode::Usage, message).hint("build it again, or give it more days"));
    }
    Ok(at)
}

fn wanted(asked: &Asked, record: &ImageRecord) -> Result<Wanted, Failure> {
    let mut wanted = Wanted::of(record, &asked.tags);
    if let Some(name) = &asked.name {
        wanted.rename(name)?;
    }
    wanted.settings = Settings {
        accounts: asked.accounts.iter().cloned().collect(),
        organizations: asked.organizations.clone(),
        keys: asked.keys.clone(),
        deprecate_at: asked.deprecate_at,
        watermarks: asked.watermarks.clone(),
        protection: asked.protection.map(|one| match one {
            ProtectionKind::WithoutCooldown => Protection::WithoutCooldown,
            ProtectionKind::WithCooldown => Protection::WithCooldown,
        }),
    };
    Ok(wanted)
}

fn read_plan(path: &Path) -> Result<Written, Failure> {
    let fail = |error: io::Error| Failure::file(path, error);
    let length = fs::metadata(path).map_err(fail)?.len();
    if length > PLAN_BYTES_MAX {
        return Err(fail(io::Error::new(io::ErrorKind::InvalidData, "it is too large for a plan")));
    }
    let bytes = fs::read(path).map_err(fail)?;
    let written: Written = serde_json::from_slice(&bytes).map_err(|error| fail(error.into()))?;
    if written.format_version != FORMAT_VERSION {
        let message = format!("its format is {}, this amint knows {FORMAT_VERSION}", written.format_version);
        return Err(fail(io::Error::new(io::ErrorKind::InvalidData, message)));
    }
    regions(written.asked.regions.iter().map(String::as_str))?;
    Ok(written)
}

/// Another account that gets copies.
struct Elsewhere {
    regions: Vec<AwsRegion>,
    plans: Vec<Plan>,
}

struct Work<'a> {
    context: &'a Context,
    store: &'a Store,
    record: &'a ImageRecord,
    wanted: &'a Wanted,
    connection: &'a Connection,
}

impl Work<'_> {
    async fn run(
        &self,
        args: &PublishArgs,
        asked: &Asked,
        written: Option<&Written>,
    ) -> Result<ExitCode, Failure> {
        let regions: Vec<AwsRegion> =
            asked.regions.iter().map(|name| self.connection.in_region(name)).collect();
        let manifest = self.store.manifest(self.record.digest)?;
        let known = |digest| self.store.manifest(digest).ok();
        let copies = match asked.copies {
            CopyKind::Auto => Copies::Auto,
            CopyKind::Always => Copies::Always,
            CopyKind::Never => Copies::Never,
        };
        let plans = plan_all(&regions, self.wanted, &manifest, &known, copies, &self.context.cancel).await?;
        let copies_of = self.elsewhere(asked, &manifest, &plans).await?;
        let channels = self.channels(asked)?;
        let previews = channels.preview(&regions, &plans).await?;
        let value = serde_json::to_value(&plans).map_err(|error| Failure::new(ExitCode::Defect, error))?;
        if written.is_some_and(|written| written.plans != value) {
            self.context.say(&present_publish::plan(self.wanted, &plans, None, Palette::for_stderr()));
            let message = "the regions have changed since the plan was written";
            return Err(
                Failure::new(ExitCode::Gate, message).hint("look at the new plan, and write it again")
            );
        }
        if let Some(path) = &args.out {
            let plan = Written { format_version: FORMAT_VERSION, asked: asked.clone(), plans: value };
            let text =
                serde_json::to_string_pretty(&plan).map_err(|error| Failure::new(ExitCode::Defect, error))?;
            fs::write(path, text + "\n").map_err(|error| Failure::file(path, error))?;
        }
        let is_refused = plans.iter().any(|plan| !plan.problems().is_empty())
            || previews.iter().any(|plan| !plan.problems().is_empty())
            || copies_of.iter().flat_map(|one| &one.plans).any(|plan| !plan.problems().is_empty());
        let code = if is_refused { ExitCode::Gate } else { ExitCode::Fine };
        if args.plan {
            self.show(&plans, &copies_of, &previews)?;
            return Ok(code);
        }
        if is_refused {
            self.context.say(&self.text(&plans, &copies_of, &previews, Palette::for_stderr())?);
            return Ok(self.refuse(&plans, &previews));
        }
        let is_nothing = plans.iter().all(Plan::is_nothing)
            && copies_of.iter().flat_map(|one| &one.plans).all(Plan::is_nothing)
            && previews.iter().all(ChannelPlan::is_nothing);
        if !is_nothing {
            self.context.say(&self.text(&plans, &copies_of, &previews, Palette::for_stderr())?);
        }
        let folder = publish_folder(self.context)?;
        let batch = Batch {
            regions: &regions,
            plans: &plans,
            wanted: self.wanted,
            record: self.record,
            store: self.store,
            folder: &folder,
        };
        let progress = Progress { context: self.context, started: Mutex::default() };
        let results =
            apply_all(&batch, &|plan, event| progress.tell(plan, event), &self.context.cancel).await;
        let (mut plans, mut results) = (plans, results);
        let went = if results.iter().all(Result::is_ok) {
            self.copy_elsewhere(asked, &manifest, &progress, &mut plans, &mut results).await
        } else {
            Ok(())
        };
        let promoted = match went {
            Ok(()) if results.iter().all(Result::is_ok) => channels.promote(&regions).await,
            // Some region lacks the image: channels stay where they are everywhere.
            Ok(()) => Ok(Vec::new()),
            Err(failure) => Err(failure),
        };
        self.end(&plans, results, promoted)
    }

    fn channels(&self, asked: &Asked) -> Result<Channels<'_>, Failure> {
        let path = asked.parameter.clone().unwrap_or_else(|| default_parameter(&self.record.name));
        let named = asked.channels.iter().map(|channel| channel_parameter(&path, channel));
        Ok(Channels {
            context: self.context,
            store: self.store,
            subject: &self.wanted.subject,
            digest: self.record.digest,
            parameters: named
                .collect::<Result<_, _>>()
                .map_err(|error| Failure::new(ExitCode::Usage, error))?,
            takes_over: false,
        })
    }

    /// Goes into the accounts that get copies, and plans what they need.
    async fn elsewhere(
        &self,
        asked: &Asked,
        manifest: &Manifest,
        plans: &[Plan],
    ) -> Result<Vec<Elsewhere>, Failure> {
        let there = |plan: &Plan| Some((plan.region.clone(), plan.image_id()?.to_owned()));
        let sources: BTreeMap<String, String> = plans.iter().filter_map(there).collect();
        let mut found = Vec::new();
        for role in &asked.copy_to {
            let connection = self.connection.assume(role);
            let regions: Vec<AwsRegion> =
                asked.regions.iter().map(|name| connection.in_region(name)).collect();
            let plans = plan_copies(&regions, self.wanted, manifest, &sources, &self.context.cancel).await?;
            found.push(Elsewhere { regions, plans });
        }
        Ok(found)
    }

    /// Gives other accounts their copies, once every region has the image; adds what came of it.
    async fn copy_elsewhere(
        &self,
        asked: &Asked,
        manifest: &Manifest,
        progress: &Progress<'_>,
        plans: &mut Vec<Plan>,
        results: &mut Vec<Result<Applied, ApplyError>>,
    ) -> Result<(), Failure> {
        let folder = publish_folder(self.context)?;
        let images = plans.iter().zip(results.iter());
        let made: Vec<Plan> = images
            .filter_map(|(plan, result)| {
                let (image_id, snapshot_id) = result.as_ref().ok().map(|one| (one.image_id.clone(), None))?;
                Some(Plan { action: Action::Nothing { image_id, snapshot_id }, ..plan.clone() })
            })
            .collect();
        let wanted = of_copy(self.wanted);
        for Elsewhere { regions, plans: copies } in self.elsewhere(asked, manifest, &made).await? {
            let batch = Batch {
                regions: &regions,
                plans: &copies,
                wanted: &wanted,
                record: self.record,
                store: self.store,
                folder: &folder,
            };
            let ended =
                apply_all(&batch, &|plan, event| progress.tell(plan, event), &self.context.cancel).await;
            plans.extend(copies);
            results.extend(ended);
        }
        Ok(())
    }

    fn text(
        &self,
        plans: &[Plan],
        copies: &[Elsewhere],
        previews: &[ChannelPlan],
        palette: Palette,
    ) -> Result<String, Failure> {
        let seconds = expected_seconds(self.store, plans)?;
        let mut text = present_publish::plan(self.wanted, plans, seconds, palette);
        for one in copies {
            text += &present_publish::plan(self.wanted, &one.plans, None, palette);
        }
        Ok(text + &present_publish::channels(previews, palette))
    }

    fn show(&self, plans: &[Plan], copies: &[Elsewhere], previews: &[ChannelPlan]) -> Result<(), Failure> {
        if self.context.global.json {
            let bytes: u64 = plans.iter().map(Plan::bytes).sum();
            let requests: u64 = plans.iter().map(Plan::requests).sum();
            let everywhere = || plans.iter().chain(copies.iter().flat_map(|one| &one.plans));
            return self.context.print_json(&serde_json::json!({
                "image": self.record.reference().to_string(), "name": self.wanted.name, "plans": plans,
                "copies": copies.iter().map(|one| &one.plans).collect::<Vec<_>>(),
                "channels": previews, "bytes": bytes, "requests": requests, "cost": cost(everywhere()),
                "seconds": expected_seconds(self.store, plans)?, "notes": notes(everywhere()),
            }));
        }
        self.context.print(&self.text(plans, copies, previews, Palette::for_stdout())?);
        Ok(())
    }

    fn refuse(&self, plans: &[Plan], previews: &[ChannelPlan]) -> ExitCode {
        if self.context.global.json {
            self.context.print_result(&serde_json::json!({
                "event": "result", "refused_by": "plan", "plans": plans, "channels": previews,
            }));
        }
        ExitCode::Gate
    }

    /// Tells what became of each region.
    fn end(
        &self,
        plans: &[Plan],
        results: Vec<Result<Applied, ApplyError>>,
        promoted: Result<Vec<ChannelPlan>, Failure>,
    ) -> Result<ExitCode, Failure> {
        self.context.finish();
        let (promoted, unmoved) = match promoted {
            Ok(promoted) => (promoted, None),
            Err(failure) => (Vec::new(), Some(failure)),
        };
        let mut failures: Vec<(&str, ApplyError)> = Vec::new();
        // The own account first, then the others.
        let own = plans.first().map(|plan| plan.account.as_str()).unwrap_or_default();
        let mut done: BTreeMap<(bool, &str, &str), Applied> = BTreeMap::new();
        for (plan, result) in plans.iter().zip(results) {
            match result {
                Ok(applied) => drop(done.insert((plan.account != own, &plan.account, &plan.region), applied)),
                Err(error) => failures.push((&plan.region, error)),
            }
        }
        if self.context.global.json {
            let images: Vec<Value> = done
                .iter()
                .map(|((_, account, region), applied)| {
                    serde_json::json!({
                        "account": account, "region": region, "image_id": applied.image_id, "snapshot_id": applied.snapshot_id,
                        "blocks_sent": applied.blocks_sent, "is_changed": applied.is_changed,
                    })
                })
                .collect();
            let failed: Vec<Value> = failures
                .iter()
                .map(|(region, error)| serde_json::json!({ "region": region, "error": error.to_string() }))
                .collect();
            self.context.print_result(&serde_json::json!({
                "event": "result", "image": self.record.reference().to_string(), "name": self.wanted.name,
                "digest": self.record.digest, "images": images, "failed": failed, "channels": promoted,
                "notes": notes(plans),
                "requests": self.connection.sent(),
            }));
        } else if !done.is_empty() {
            let mut table = Table::new(["REGION", "IMAGE", "SNAPSHOT", "SENT"]).right([3]);
            for ((is_other, account, region), applied) in &done {
                let place = if *is_other { format!("{region} of {account}") } else { (*region).to_owned() };
                let bytes = applied.blocks_sent * amint_types::BLOCK_BYTES;
                let sent = if applied.is_changed { format_bytes(bytes) } else { "nothing".to_owned() };
                table.row([
                    place.as_str(),
                    applied.image_id.as_str(),
                    applied.snapshot_id.as_str(),
                    sent.as_str(),
                ]);
            }
            let channels = present_publish::channels(&promoted, Palette::for_stdout());
            self.context.print(&(table.render(Palette::for_stdout()) + &channels));
        }
        // Who stopped it knows that some of it is not done.
        let stopped = failures.iter().position(|(_, error)| matches!(error, ApplyError::Cancelled(_)));
        if let Some(index) = stopped {
            return Err(failures.swap_remove(index).1.into());
        }
        let count = failures.len();
        let Some((_, error)) = failures.into_iter().next() else {
            return match unmoved {
                None => Ok(ExitCode::Fine),
                Some(mut failure) => {
                    // The images are there.
                    if failure.code != ExitCode::Interrupted {
                        failure.code = ExitCode::Partly;
                    }
                    Err(failure)
                }
            };
        };
        let mut failure = Failure::from(error);
        if !done.is_empty() {
            failure.code = ExitCode::Partly;
        }
        if count > 1 {
            self.context.sink().warn(&format!("{count} regions failed; this is the first"), None);
        }
        Err(failure)
    }
}

/// Returns what could not be looked at beforehand, each once.
fn notes<'p>(plans: impl IntoIterator<Item = &'p Plan>) -> BTreeSet<&'p String> {
    plans.into_iter().flat_map(|plan| &plan.notes).collect()
}

/// Tells events of regions as steps.
struct Progress<'a> {
    context: &'a Context,
    started: Mutex<HashMap<String, Instant>>,
}

impl Progress<'_> {
    fn tell(&self, plan: &Plan, event: RegionEvent<'_>) {
        if plan.is_nothing() {
            return;
        }
        let (sink, step) = (self.context.sink(), format!("publish-{}-{}", plan.account, plan.region));
        let mut started = self.started.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match event {
            RegionEvent::Started => {
                started.insert(step.clone(), Instant::now());
                let (verb, total) = match &plan.action {
                    Action::Upload(upload) => ("Sending blocks to", Some(upload.bytes)),
                    Action::Copy(_) => ("Copying to", None),
                    _ => ("Publishing in", None),
                };
                sink.step_started(&step, &format!("{verb} {}", plan.region), total, Unit::Bytes);
            }
            RegionEvent::Sent { done, total } => {
                let bytes = |blocks: u64| blocks * amint_types::BLOCK_BYTES;
                let doing = (done == total).then_some("making the image");
                sink.step_progress(&step, bytes(done), Some(bytes(total)), doing);
            }
            RegionEvent::Ended(result) => {
                let elapsed = started.get(&step).map(Instant::elapsed).unwrap_or_default();
                let (outcome, detail) = match result {
                    Ok(applied) => (StepOutcome::Done, Some(applied.image_id.clone())),
                    Err(error) => (StepOutcome::Failed, Some(error.to_string())),
                };
                sink.step_finished(&step, outcome, elapsed, detail);
            }
            _ => {}
        }
    }
}
