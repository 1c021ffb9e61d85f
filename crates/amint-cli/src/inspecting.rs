//! What `scan` and `diff` share: open a target, look into it, judge it.

use std::path::{Path, PathBuf};

use amint_inspect::image::{Image, ImageOptions};
use amint_inspect::{InspectOptions, Inspection, JudgeOptions, inspect, judge, parse_profiles};
use amint_scan::ScanRequest;
use amint_types::scan::Target;
use amint_types::{EventSink, ImageRef, NullSink, Severity};
use amint_vuln::vex::OpenVex;
use jiff::{SignedDuration, Timestamp};

use crate::advisories::open_database;
use crate::args::InspectArgs;
use crate::context::{Context, today};
use crate::exit_code::ExitCode;
use crate::failure::Failure;

/// The environment variable that sets the moment of a scan, so that its report can be made again.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// Looks into a target and judges it.
pub(crate) fn look_into(
    name: &str,
    args: &InspectArgs,
    gate: Severity,
    context: &Context,
) -> Result<Inspection, Failure> {
    let profiles = parse_profiles(&args.profiles).map_err(|error| Failure::new(ExitCode::Usage, error))?;
    let known = amint_inspect::analyzer_ids();
    if let Some(unknown) = args.skipped.iter().find(|skipped| !known.contains(&skipped.as_str())) {
        let hint = format!("analyzers: {}", known.join(", "));
        return Err(Failure::new(ExitCode::Usage, format!("no analyzer is called `{unknown}`")).hint(hint));
    }
    let statements = args.vex.iter().map(|path| read_vex(path)).collect::<Result<Vec<_>, _>>()?;
    let now = now()?;
    let (image, target, request) = open(name, args, context)?;
    let options = InspectOptions {
        now,
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        skipped: args.skipped.clone(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
    };
    // With `--json` the document alone is written: it is what programs ask for.
    let sink: &dyn EventSink = if context.global.json { &NullSink } else { context.sink() };
    let mut inspection = inspect(&image, target, &options, sink, &context.cancel)?;
    let database = if args.no_advisories { None } else { open_database(args.db.as_deref(), context)? };
    // An image of the store is asked what its recipe asks for; a profile that is named takes the place of those.
    let request = if profiles.is_empty() { request } else { ScanRequest { profiles, ..request } };
    let request = Some(request).filter(|request| !request.profiles.is_empty());
    let suites = crate::advisories::suites_of(&inspection);
    let options = JudgeOptions {
        gate,
        age_max: SignedDuration::from_hours(24 * i64::from(args.max_age)),
        with_advisories: !args.no_advisories,
        statements: &statements,
        rules: request.as_ref(),
        suites: suites.as_deref(),
    };
    judge(&mut inspection, database.as_ref(), &options, sink).map_err(|error| {
        Failure::new(ExitCode::Evidence, error).hint("build the database again: `amint db build`")
    })?;
    Ok(inspection)
}

fn now() -> Result<Timestamp, Failure> {
    let Ok(text) = std::env::var(SOURCE_DATE_EPOCH) else { return Ok(Timestamp::now()) };
    text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("{SOURCE_DATE_EPOCH} is no number of seconds: `{text}`"))
    })
}

fn read_vex(path: &Path) -> Result<OpenVex, Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, error))?;
    OpenVex::from_json(&bytes).map_err(|error| Failure::new(ExitCode::Input, error))
}

/// Opens a path, or else an image of the store.
fn open(name: &str, args: &InspectArgs, context: &Context) -> Result<(Image, Target, ScanRequest), Failure> {
    let options = ImageOptions { backing_files: args.backing_files.clone(), disk_index: 0 };
    let request = ScanRequest {
        profiles: Vec::new(),
        waivers: Vec::new(),
        today: today(),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
    };
    let path = PathBuf::from(name);
    if crate::images::is_path(name) || path.exists() {
        let image = Image::open(&path, &options)?;
        let target = target(name, &image, None);
        return Ok((image, target, request));
    }
    let reference: ImageRef = name.parse()?;
    let store = context.store()?;
    let record = store.resolve(&reference)?;
    let reader = std::sync::Arc::new(store.reader(&record)?);
    let image = Image::of_blocks(reader, "store")?;
    let request = match crate::images::stored_recipe(&store, &record)? {
        Some(file) => amint_build::scan_request(&file.recipe, request.today),
        None => request,
    };
    let target = target(&format!("{}:{}", record.name, record.version), &image, Some(record.digest));
    Ok((image, target, request))
}

fn target(name: &str, image: &Image, digest: Option<amint_types::Digest>) -> Target {
    Target { name: name.to_owned(), format: image.format.clone(), disk_bytes: image.disk_bytes, digest }
}
