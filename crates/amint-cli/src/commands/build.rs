//! `amint build`: from a recipe to a hardened, boot-tested image in the store.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_archive::evict_packages;
use amint_build::layers::LayerCache;
use amint_build::{BuildRequest, Built, namespace};
use amint_disk::raw::RawDisk;
use amint_provenance::SigningKey;
use amint_recipe::RecipeFile;
use amint_recipe::lock::Lock;
use amint_store::{PutRequest, Store};
use amint_types::report::{BootReport, BuildReport};
use amint_types::{BlockSource, Digest, StepOutcome, Unit, format_bytes};
use jiff::Timestamp;

use crate::args::BuildArgs;
use crate::context::{Context, today};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::images::{BOOT_REPORT, BUILD_REPORT, RECIPE, boot_spec, promises, report_path, write_report};
use crate::present;
use crate::provenance::{self, LOCK, ORIGIN};
use crate::supply::{Supply, layer_cache, lock_for_build, lock_for_plan, package_cache};
use crate::times::Times;
use crate::ui::Palette;

/// Builds an image.
pub(crate) fn run(args: &BuildArgs, context: &Context) -> Result<ExitCode, Failure> {
    let file = super::check::load(&args.recipe, context)?;
    if args.plan {
        return plan(args, context, &file);
    }
    // Tools are looked for before an hour of work, not after.
    for tool in ["bwrap", "unshare"] {
        amint_build::find_program(tool)?;
    }
    if !args.no_test && !args.check {
        amint_build::find_program("qemu-system-x86_64")?;
    }
    let store = context.store()?;
    if !namespace::is_inside() {
        return Err(namespace::enter().into());
    }
    let key = provenance::signing_key(args, context)?;
    let supply = Supply::new(&args.source, context, &file)?;
    let lock = lock_for_build(&supply, &file, args.lock, context)?;
    let cache = LayerCache::new(&layer_cache(&context.home()?));
    let input =
        Input { file: &file, lock: &lock, supply: &supply, cache: (!args.no_cache).then_some(&cache) };
    let work = Work::new(args, &store)?;
    let result = if args.check {
        super::build_check::run(args, context, &input, work.path())
    } else {
        build_one(args, context, &input, &store, &key, work.path())
    };
    let is_failed = !matches!(result, Ok(ExitCode::Fine));
    limit_caches(args, context, &lock, &cache);
    // What the user broke off is cleaned up, as the message says; `--keep` is for failures.
    if args.keep && is_failed && !context.cancel.is_cancelled() {
        context.sink().info(&format!("the work folder is kept: {}", work.keep().display()));
    } else {
        work.remove()?;
    }
    result
}

/// Shows what a build would do.
fn plan(args: &BuildArgs, context: &Context, file: &RecipeFile) -> Result<ExitCode, Failure> {
    let supply = Supply::new(&args.source, context, file)?;
    let cache = LayerCache::new(&layer_cache(&context.home()?));
    let (lock, is_new) = lock_for_plan(&supply, file, args.lock, context)?;
    let cache = (!args.no_cache).then_some(&cache);
    super::build_plan::run(args, context, &Input { file, lock: &lock, supply: &supply, cache }, is_new)
}

/// Keeps the caches within their limit; a build that is done does not fail because of them.
fn limit_caches(args: &BuildArgs, context: &Context, lock: &Lock, cache: &LayerCache) {
    let bytes_max = args.cache_limit.saturating_mul(amint_types::GIB);
    // Layers are what saves most time: they may take three quarters.
    let result = cache.evict(bytes_max / 4 * 3).and_then(|_| {
        let keep: HashSet<Digest> = lock.packages.iter().map(|package| package.sha256).collect();
        let folder = package_cache(&context.home().map_err(|failure| io::Error::other(failure.error))?);
        evict_packages(&folder, bytes_max / 4, &keep)
    });
    if let Err(error) = result {
        context.sink().warn(&format!("the caches could not be kept within their limit: {error}"), None);
    }
}

/// What an image is made from.
pub(super) struct Input<'a> {
    pub(super) file: &'a RecipeFile,
    pub(super) lock: &'a Lock,
    pub(super) supply: &'a Supply,
    pub(super) cache: Option<&'a LayerCache>,
}

fn build_one(
    args: &BuildArgs,
    context: &Context,
    input: &Input<'_>,
    store: &Store,
    key: &SigningKey,
    work: &Path,
) -> Result<ExitCode, Failure> {
    let started_at = Timestamp::now();
    let file = input.file;
    let built = build(args, context, input, work)?;
    let Some((disk, summary)) = &built.disk else {
        return Ok(refuse(context, file, &built));
    };
    // The tree has served: its space is better used by the boot test.
    fs::remove_dir_all(&built.tree).map_err(|error| Failure::file(&built.tree, error))?;
    let source = RawDisk::open(disk).map_err(|error| Failure::new(ExitCode::Defect, error))?;
    let mut boots = Vec::new();
    if !args.no_test {
        let mut spec =
            boot_spec(Some(file), disk.clone(), source.disk_bytes(), args.boot.into(), work, context)?;
        spec.promises = promises(built.scan.clone(), file.recipe.harden.gate);
        let boot = amint_guest::boot_test(&spec, context.sink(), &context.cancel)?;
        let is_passed = boot.is_passed();
        boots.push(boot);
        if !is_passed {
            return Ok(refuse_boot(args, context, &boots, disk));
        }
    }
    let image = &file.recipe.image;
    let now = Timestamp::now();
    let started = Instant::now();
    let sink = context.sink();
    sink.step_started("store", "Storing the blocks", Some(source.disk_bytes()), Unit::Bytes);
    let request = PutRequest {
        name: image.name.clone(),
        version: image.version.clone(),
        architecture: image.architecture,
        created_at: now,
        documents: vec![
            (RECIPE.to_owned(), file.text.clone().into_bytes()),
            (LOCK.to_owned(), input.lock.to_toml().into_bytes()),
            (ORIGIN.to_owned(), origin(file)?),
        ],
    };
    let progress = |done: u64, total: u64| sink.step_progress("store", done, Some(total), None);
    let stored = match store.put(&request, &source, &progress, &context.cancel) {
        Ok(stored) => stored,
        Err(error) => {
            sink.step_finished("store", StepOutcome::Failed, started.elapsed(), None);
            return Err(error.into());
        }
    };
    let detail =
        format!("{} new, {} blocks were there", format_bytes(stored.bytes_written), stored.blocks_reused);
    sink.step_finished("store", StepOutcome::Done, started.elapsed(), Some(detail));
    let report = BuildReport {
        format_version: 1,
        name: image.name.clone(),
        version: image.version.clone(),
        architecture: image.architecture,
        base: built.base.clone(),
        description: image.description.clone(),
        gate: file.recipe.harden.gate,
        digest: stored.record.digest,
        disk_bytes: stored.record.disk_bytes,
        used_bytes: stored.record.used_bytes,
        partitions: summary.partitions.clone(),
        packages: built.packages,
        recipe_digest: Digest::of(file.text.as_bytes()),
        source_epoch: built.source_epoch,
        built_at: now,
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        steps: context.step_times(),
        scan: built.scan,
        boots,
    };
    let text = amint_report::json(&report);
    store.put_document(&stored.record, BUILD_REPORT, text.as_bytes())?;
    for boot in &report.boots {
        let text = serde_json::to_vec(boot).map_err(|error| Failure::new(ExitCode::Defect, error))?;
        store.put_document(&stored.record, &format!("{BOOT_REPORT}-{}", boot.firmware.as_str()), &text)?;
    }
    provenance::attach(args, store, &stored.record, input.lock, &report, started_at, key)?;
    let home = context.home()?;
    // Only estimates of later plans depend on it.
    if let Err(error) = Times::read(&home).remember(&home, &image.name.to_string(), &report.steps) {
        sink.warn(&format!("the times of this build could not be kept: {error}"), None);
    }
    let page = report_path(&home, &report);
    write_report(&report, &page)?;
    context.finish();
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "digest": report.digest, "report_file": page,
            "peak_memory_bytes": peak_memory_bytes(), "report": report,
        }));
    } else {
        context.say(&present::summary(&report, Some(&page), Palette::for_stderr()));
    }
    Ok(ExitCode::Fine)
}

/// Builds once, in `work`.
pub(super) fn build(
    args: &BuildArgs,
    context: &Context,
    input: &Input<'_>,
    work: &Path,
) -> Result<Built, Failure> {
    let request = request_of(args, input, work);
    Ok(amint_build::build(&request, context.sink(), &context.cancel)?)
}

/// Returns where the recipe lies, for a later rebuild on this machine.
fn origin(file: &RecipeFile) -> Result<Vec<u8>, Failure> {
    use std::os::unix::ffi::OsStrExt;
    let path = std::path::absolute(&file.path).map_err(|error| Failure::file(&file.path, error))?;
    Ok(path.as_os_str().as_bytes().to_vec())
}

/// Puts together what a build needs.
pub(super) fn request_of<'a>(args: &BuildArgs, input: &Input<'a>, work: &'a Path) -> BuildRequest<'a> {
    BuildRequest {
        recipe: input.file,
        mirrors: input.supply.mirrors.clone(),
        work,
        today: today(),
        source_epoch: args.source_date_epoch,
        lock: input.lock,
        client: &input.supply.client,
        cache: input.cache,
    }
}

/// Tells which rules stopped the image.
fn refuse(context: &Context, file: &RecipeFile, built: &Built) -> ExitCode {
    context.finish();
    let gate = file.recipe.harden.gate;
    if context.global.json {
        context.print_result(
            &serde_json::json!({ "event": "result", "refused_by": "rules", "scan": built.scan }),
        );
    } else {
        context.say(&present::blocking(&built.scan, gate, Palette::for_stderr()));
    }
    ExitCode::Gate
}

/// Tells which checks of the boot test failed.
fn refuse_boot(args: &BuildArgs, context: &Context, boots: &[BootReport], disk: &Path) -> ExitCode {
    context.finish();
    if context.global.json {
        context.print_result(
            &serde_json::json!({ "event": "result", "refused_by": "boot test", "boots": boots }),
        );
    } else {
        for boot in boots {
            context.say(&present::boot_checks(boot, Palette::for_stderr()));
        }
        if args.keep {
            context.say(&format!("look around with: amint shell {}", disk.display()));
        } else {
            context.say("the image was not stored; `--keep` keeps its disk for `amint shell`");
        }
    }
    ExitCode::Gate
}

/// The highest memory use of this process so far (`VmHWM` of `proc(5)`), in bytes.
fn peak_memory_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kib * 1024)
}

/// The private folder of one build.
enum Work {
    InStore(amint_store::Temporary),
    Elsewhere(tempfile::TempDir),
}

impl Work {
    fn new(args: &BuildArgs, store: &Store) -> Result<Self, Failure> {
        match &args.tmpdir {
            None => Ok(Self::InStore(store.temporary()?)),
            Some(folder) => tempfile::Builder::new()
                .prefix("amint-")
                .tempdir_in(folder)
                .map(Self::Elsewhere)
                .map_err(|error| Failure::file(folder, error)),
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::InStore(folder) => folder.path(),
            Self::Elsewhere(folder) => folder.path(),
        }
    }

    fn keep(self) -> PathBuf {
        match self {
            Self::InStore(folder) => folder.keep(),
            Self::Elsewhere(folder) => folder.keep(),
        }
    }

    fn remove(self) -> Result<(), Failure> {
        let path = self.path().to_owned();
        match self {
            Self::InStore(folder) => folder.remove().map_err(Failure::from),
            Self::Elsewhere(folder) => folder.close().map_err(|error| Failure::file(&path, error)),
        }
    }
}
