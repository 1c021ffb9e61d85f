//! What `scan` and `diff` share: open a target, look into it, judge it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use amint_inspect::image::{Image, ImageOptions};
use amint_inspect::{InspectOptions, Inspection, JudgeOptions, inspect, judge, parse_profiles};
use amint_recipe::RecipeFile;
use amint_scan::{Profile, ScanRequest, Waiver};
use amint_types::scan::{ScanDocument, Target};
use amint_types::{EventSink, ImageRef, NullSink, Severity};
use amint_vuln::Database;
use amint_vuln::vex::OpenVex;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use crate::advisories::{database_path, open_database};
use crate::args::InspectArgs;
use crate::context::{Context, today};
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::kept_scan::ScanKey;

/// The environment variable that sets the moment of a scan, so that its report can be made again.
const SOURCE_DATE_EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The largest report that is read, in bytes.
const REPORT_BYTES_MAX: u64 = 256 << 20;

/// What a target is judged by, besides its own recipe.
pub(crate) struct Judging<'a> {
    /// The severity from which a finding fails the image.
    pub(crate) gate: Severity,
    /// An earlier scan: only what is new since then fails the image.
    pub(crate) baseline: Option<&'a ScanDocument>,
    /// A profile that is asked in any case.
    pub(crate) profile: Option<Profile>,
}

impl Judging<'_> {
    /// Judges by a gate alone.
    pub(crate) fn by(gate: Severity) -> Self {
        Self { gate, baseline: None, profile: None }
    }
}

/// A target that was looked into and judged.
pub(crate) struct Looked {
    /// What was found.
    pub(crate) inspection: Inspection,
    /// What its rules were asked with.
    pub(crate) request: ScanRequest,
    /// The recipe, where it is an image of the store.
    pub(crate) recipe: Option<RecipeFile>,
}

/// Looks into a target and judges it.
pub(crate) fn look_into(
    name: &str,
    args: &InspectArgs,
    judging: &Judging<'_>,
    context: &Context,
) -> Result<Looked, Failure> {
    Question::new(name, args, judging, context)?.ask(context)
}

/// Returns the report on a target: one that was kept where a new one would say the same, unless a new one is wished.
#[cfg(feature = "aws")]
pub(crate) fn report_on(
    name: &str,
    args: &InspectArgs,
    judging: &Judging<'_>,
    is_fresh: bool,
    context: &Context,
) -> Result<ScanDocument, Failure> {
    let question = Question::new(name, args, judging, context)?;
    if !is_fresh && let Some(kept) = question.kept(context)? {
        let when = kept.scanned_at.strftime("%Y-%m-%d %H:%M UTC");
        context.say(&format!("{} was looked into at {when}: `--fresh` does it anew", kept.target.name));
        return Ok(kept);
    }
    Ok(question.ask(context)?.inspection.document)
}

/// A target that was opened, and all that its report follows from.
struct Question<'q> {
    opened: Opened,
    request: ScanRequest,
    waivers: Vec<Waiver>,
    statements: Vec<OpenVex>,
    database: Option<Database>,
    now: Timestamp,
    age_max: SignedDuration,
    args: &'q InspectArgs,
    judging: &'q Judging<'q>,
    /// The report's key; none of what the store does not know.
    key: Option<ScanKey>,
}

impl<'q> Question<'q> {
    fn new(
        name: &str,
        args: &'q InspectArgs,
        judging: &'q Judging<'q>,
        context: &Context,
    ) -> Result<Self, Failure> {
        let profiles =
            parse_profiles(&args.profiles).map_err(|error| Failure::new(ExitCode::Usage, error))?;
        let known = amint_inspect::analyzer_ids();
        if let Some(unknown) = args.skipped.iter().find(|skipped| !known.contains(&skipped.as_str())) {
            let hint = format!("analyzers: {}", known.join(", "));
            return Err(
                Failure::new(ExitCode::Usage, format!("no analyzer is called `{unknown}`")).hint(hint)
            );
        }
        let texts = args.vex.iter().map(|path| read_vex(path)).collect::<Result<Vec<_>, _>>()?;
        let mut waivers = read_waivers(&args.waivers)?;
        let now = now()?;
        let opened = open(name, args, context)?;
        let database = if args.no_advisories { None } else { open_database(args.db.as_deref(), context)? };
        // An image of the store is asked what its recipe asks for; a profile that is named takes the place of those.
        let mut request = opened.request.clone();
        if !profiles.is_empty() {
            request.profiles = profiles;
        }
        if let Some(profile) = judging.profile.filter(|profile| !request.profiles.contains(profile)) {
            request.profiles.push(profile);
        }
        // One moment for all that depends on the day, so that a report can be made again.
        request.today = Offset::UTC.to_datetime(now).date();
        waivers.extend(request.waivers.iter().cloned());
        let mut question = Self {
            opened,
            request,
            waivers,
            statements: Vec::new(),
            database,
            now,
            age_max: SignedDuration::from_hours(24 * i64::from(args.max_age)),
            args,
            judging,
            key: None,
        };
        let bytes: Vec<&[u8]> = texts.iter().map(|(bytes, _)| bytes.as_slice()).collect();
        // Who cannot tell what a report follows from keeps none.
        question.key = question.key(&bytes, context).unwrap_or_default();
        question.statements = texts.into_iter().map(|(_, statement)| statement).collect();
        Ok(question)
    }

    /// Names all that a report on an image of the store follows from.
    fn key(&self, statements: &[&[u8]], context: &Context) -> Result<Option<ScanKey>, Failure> {
        let target = &self.opened.target;
        if target.digest.is_none() || self.judging.baseline.is_some() {
            return Ok(None);
        }
        let environment = |error| Failure::new(ExitCode::Environment, error);
        let mut key = ScanKey::of_this_program().map_err(environment)?;
        key.add("target", target);
        key.add("request", &self.request);
        key.add("waivers", &self.waivers);
        key.add("gate", &self.judging.gate);
        key.add("skipped", &self.args.skipped);
        key.add("age", &self.age_max);
        key.add("advisories", &(!self.args.no_advisories, self.database.is_some()));
        if let Some(database) = &self.database {
            let path = match &self.args.db {
                Some(path) => path.clone(),
                None => database_path(&context.home()?),
            };
            key.add_file("database", &path).map_err(environment)?;
            key.add("signers", &database.signers());
        }
        for bytes in statements {
            key.add_content("statements", bytes);
        }
        Ok(Some(key))
    }

    /// Returns the report that was kept, where a new one would say the same.
    #[cfg(feature = "aws")]
    fn kept(&self, context: &Context) -> Result<Option<ScanDocument>, Failure> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(kept) = key.read(&context.home()?) else { return Ok(None) };
        if kept.scanned_at > self.now {
            return Ok(None);
        }
        // Advisories grow old within the day.
        let is_as_old = self.database.as_ref().is_none_or(|database| {
            let at = |moment| amint_inspect::age_problems(&kept, database, moment, self.age_max);
            at(kept.scanned_at) == at(self.now)
        });
        Ok(Some(kept).filter(|_| is_as_old))
    }

    fn ask(self, context: &Context) -> Result<Looked, Failure> {
        let Self { opened, request, waivers, statements, database, .. } = self;
        let Opened { image, target, recipe, .. } = opened;
        let options = InspectOptions {
            now: self.now,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            skipped: self.args.skipped.clone(),
            tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        // With `--json` the document alone is written: it is what programs ask for.
        let sink: &dyn EventSink = if context.global.json { &NullSink } else { context.sink() };
        let mut inspection = inspect(&image, target, &options, sink, &context.cancel)?;
        let suites = crate::advisories::suites_of(&inspection);
        let options = JudgeOptions {
            gate: self.judging.gate,
            age_max: self.age_max,
            with_advisories: !self.args.no_advisories,
            statements: &statements,
            rules: Some(&request).filter(|request| !request.profiles.is_empty()),
            suites: suites.as_deref(),
            waivers: &waivers,
            today: request.today,
            baseline: self.judging.baseline,
        };
        judge(&mut inspection, database.as_ref(), &options, sink).map_err(|error| {
            Failure::new(ExitCode::Evidence, error).hint("build the database again: `amint db build`")
        })?;
        if let Some(key) = &self.key
            && let Err(error) = key.keep(&context.home()?, &inspection.document)
        {
            context.sink().warn(&format!("the report was not kept: {error}"), None);
        }
        Ok(Looked { inspection, request, recipe })
    }
}

fn read_waivers(paths: &[PathBuf]) -> Result<Vec<Waiver>, Failure> {
    let mut waivers = Vec::new();
    for path in paths {
        waivers.extend(amint_recipe::load_waivers(path)?.iter().map(amint_build::scan_waiver));
    }
    Ok(waivers)
}

/// Reads the report of an earlier scan.
pub(crate) fn read_report(path: &Path) -> Result<ScanDocument, Failure> {
    let refuse = |why: String| {
        Failure::new(ExitCode::Input, format!("`{}` is no report of a scan: {why}", path.display()))
            .hint("`amint scan IMAGE --format json` writes one")
    };
    let document: ScanDocument = read_json(path, &refuse)?;
    if document.format_version != amint_types::scan::FORMAT_VERSION {
        return Err(refuse(format!("its format has version {}", document.format_version)));
    }
    Ok(document)
}

/// Reads a report of some form; `refuse` says what is wrong with it.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(
    path: &Path,
    refuse: &dyn Fn(String) -> Failure,
) -> Result<T, Failure> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| Failure::file(path, error))?;
    let read = file.take(REPORT_BYTES_MAX + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::file(path, error))?;
    if bytes.len() as u64 > REPORT_BYTES_MAX {
        return Err(refuse(format!("it has more than {}", amint_types::format_bytes(REPORT_BYTES_MAX))));
    }
    serde_json::from_slice(&bytes).map_err(|error| refuse(error.to_string()))
}

fn now() -> Result<Timestamp, Failure> {
    let Ok(text) = std::env::var(SOURCE_DATE_EPOCH) else { return Ok(Timestamp::now()) };
    text.parse().ok().and_then(|seconds| Timestamp::from_second(seconds).ok()).ok_or_else(|| {
        Failure::new(ExitCode::Usage, format!("{SOURCE_DATE_EPOCH} is no number of seconds: `{text}`"))
    })
}

/// Reads statements, and returns the bytes beside what they say.
fn read_vex(path: &Path) -> Result<(Vec<u8>, OpenVex), Failure> {
    let bytes = std::fs::read(path).map_err(|error| Failure::file(path, error))?;
    let statements = OpenVex::from_json(&bytes).map_err(|error| Failure::new(ExitCode::Input, error))?;
    Ok((bytes, statements))
}

/// A target that was opened.
struct Opened {
    image: Image,
    target: Target,
    request: ScanRequest,
    recipe: Option<RecipeFile>,
}

/// Opens a path, or else an image of the store.
fn open(name: &str, args: &InspectArgs, context: &Context) -> Result<Opened, Failure> {
    let options = ImageOptions { backing_files: args.backing_files.clone(), disk_index: 0 };
    let request = ScanRequest {
        profiles: Vec::new(),
        waivers: Vec::new(),
        today: today(),
        user: "ec2-user".to_owned(),
        ports: Vec::new(),
        rights: Vec::new(),
    };
    let path = PathBuf::from(name);
    if crate::images::is_path(name) || path.exists() {
        let image = Image::open(&path, &options)?;
        let target = target(name, &image, None);
        return Ok(Opened { image, target, request, recipe: None });
    }
    let reference: ImageRef = name.parse()?;
    let store = context.store()?;
    let record = store.resolve(&reference)?;
    let reader = std::sync::Arc::new(store.reader(&record)?);
    let image = Image::of_blocks(reader, "store")?;
    let recipe = crate::images::stored_recipe(&store, &record)?;
    let request = match &recipe {
        Some(file) => amint_build::scan_request(&file.recipe, request.today),
        None => request,
    };
    let target = target(&format!("{}:{}", record.name, record.version), &image, Some(record.digest));
    Ok(Opened { image, target, request, recipe })
}

fn target(name: &str, image: &Image, digest: Option<amint_types::Digest>) -> Target {
    Target { name: name.to_owned(), format: image.format.clone(), disk_bytes: image.disk_bytes, digest }
}
