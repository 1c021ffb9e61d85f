//! From an opened image to what it holds.

use std::sync::Arc;
use std::time::Instant;

use amint_packages::purl::Distribution;
use amint_rights::SourceManifest;
use amint_scan::system::packages::{Databases, NOT_ASKED, not_asked, read_databases};
use amint_scan::system::{kernels, operating_system, services, users};
use amint_scan::{CheckError, Context, FoundSecrets, Profile, ScanRequest, source_manifest};
use amint_types::scan::{
    AnalyzerRun, AnalyzerStatus, Kernel, OperatingSystem, ScanDocument, ScanVerdict, Service, Target,
};
use amint_types::{Cancel, EventSink, Severity, StepOutcome, Unit};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;

use crate::analyzers::{Certificates, Checksums, Languages, Secrets};
use crate::coverage::{Places, coverage};
use crate::facts::privileged_files;
use crate::free_space;
use crate::image::{Image, InspectError, Placed, place};
use crate::index::{Index, chain};
use crate::pass::{self, Analyzer, PassResult};
use crate::system::Owners;

/// The name of the steps in events.
const WALK: &str = "walk";
const READ: &str = "read";
const FREE: &str = "free";
/// How many links that cannot be read are told.
const PROBLEMS_TOLD: usize = 5;

/// How an image is looked into.
#[derive(Clone, Debug)]
pub struct InspectOptions {
    /// The moment that ages are counted to.
    pub now: Timestamp,
    /// How many files are read at once.
    pub threads: usize,
    /// Ids of analyzers that are not asked.
    pub skipped: Vec<String>,
    /// Version of the tool, for the report.
    pub tool_version: String,
}

/// An image that was looked into.
pub struct Inspection {
    /// Its files, to be judged by rules.
    pub index: Index,
    /// Its databases of packages, which rules need not read again.
    pub databases: Arc<Databases>,
    /// The secrets in it, to be judged by rules.
    pub secrets: FoundSecrets,
    /// What it holds. Findings and the verdict are for others to add.
    pub document: ScanDocument,
}

impl Inspection {
    /// Lists the sources that copyleft licences ask to be offered with copies of the image.
    ///
    /// # Errors
    /// Fails when the packages cannot be read.
    pub fn source_manifest(&self) -> Result<SourceManifest, CheckError> {
        let today = Offset::UTC.to_datetime(self.document.scanned_at).date();
        source_manifest(&self.index, &request(today), Some(Arc::clone(&self.databases)))
    }
}

/// The request of facts, which ask no rule.
fn request(today: Date) -> ScanRequest {
    ScanRequest {
        profiles: vec![Profile::Private],
        waivers: Vec::new(),
        today,
        user: String::new(),
        ports: Vec::new(),
        rights: Vec::new(),
    }
}

/// Returns the ids of all analyzers that can be left out, sorted.
pub fn analyzer_ids() -> Vec<&'static str> {
    let mut ids = vec![
        "apk",
        "certificates",
        "checksums",
        "dpkg",
        "free-space",
        "kernels",
        "privileged",
        "release",
        "rpm",
        "secrets",
        "services",
        "users",
    ];
    ids.extend(amint_languages::Language::ALL.into_iter().map(amint_languages::Language::as_str));
    ids.sort_unstable();
    ids
}

/// Looks into an image: walks its file systems once, reads its package databases, then every wanted file once.
///
/// # Errors
/// Fails only when `cancel` says so: what cannot be read is told in the document.
pub fn inspect(
    image: &Image,
    target: Target,
    options: &InspectOptions,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<Inspection, InspectError> {
    let Placed { plans, parts, notes, problems, has_system } = place(&image.parts);
    let places = Places { parts, notes, problems };
    let started = Instant::now();
    sink.step_started(WALK, "Walking the file systems", None, Unit::Items);
    let index = Index::build(plans, cancel)?;
    let detail =
        format!("{} in {}", counted(index.len(), "name"), counted(index.mounts().len(), "file system"));
    sink.step_finished(WALK, StepOutcome::Done, started.elapsed(), Some(detail));
    let mut document = blank(target, options);
    if has_system {
        look_at_system(&index, options, &mut document);
    }
    let distribution = document.system.as_ref().map(Distribution::from).unwrap_or_default();
    let mut databases = read_databases(&index, &distribution, &options.skipped);
    let owners = Owners::find(&index, &databases);
    let mut packages = std::mem::take(&mut databases.packages);
    owners.note_code(&index, &mut packages);
    databases.packages = packages;
    document.analyzers.extend(databases.runs.iter().cloned());
    let mut result = read_files(&index, &databases, &owners, options, sink, cancel)?;
    let mut secrets = FoundSecrets {
        secrets: std::mem::take(&mut result.output.secrets),
        has_files: !is_skipped(options, "secrets"),
        ..FoundSecrets::default()
    };
    document.analyzers.push(look_at_free_space(
        image,
        (&index, &places.parts),
        options,
        &mut secrets,
        sink,
        cancel,
    )?);
    secrets.finish();
    document.coverage = coverage(image, &places, &index, &result);
    gather(&index, &databases, &owners, result, options, &mut document);
    document.sort();
    Ok(Inspection { index, databases: Arc::new(databases), secrets, document })
}

fn is_skipped(options: &InspectOptions, id: &str) -> bool {
    options.skipped.iter().any(|skipped| skipped == id)
}

fn look_at_free_space(
    image: &Image,
    (index, parts): (&Index, &[usize]),
    options: &InspectOptions,
    secrets: &mut FoundSecrets,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<AnalyzerRun, InspectError> {
    if is_skipped(options, free_space::ID) {
        return Ok(not_asked(free_space::ID, 1));
    }
    let started = Instant::now();
    sink.step_started(FREE, "Looking at free space", None, Unit::Bytes);
    let mut found = free_space::look(image, index, parts, cancel);
    cancel.check()?;
    sink.step_finished(FREE, StepOutcome::Done, started.elapsed(), None);
    secrets.has_free_space = found.run.status != AnalyzerStatus::Skipped;
    secrets.secrets.append(&mut found.secrets);
    Ok(found.run)
}

/// Says a number of things.
fn counted(count: usize, thing: &str) -> String {
    if count == 1 { format!("1 {thing}") } else { format!("{count} {thing}s") }
}

pub(crate) fn blank(target: Target, options: &InspectOptions) -> ScanDocument {
    ScanDocument {
        format_version: amint_types::scan::FORMAT_VERSION,
        tool_version: options.tool_version.clone(),
        scanned_at: options.now,
        target,
        verdict: ScanVerdict::Unread,
        reasons: Vec::new(),
        warnings: Vec::new(),
        baseline: None,
        profiles: Vec::new(),
        rules: Vec::new(),
        gate: Severity::High,
        data: Vec::new(),
        coverage: Vec::new(),
        analyzers: Vec::new(),
        system: None,
        kernels: Vec::new(),
        packages: Vec::new(),
        users: Vec::new(),
        services: Vec::new(),
        privileged: Vec::new(),
        certificates: Vec::new(),
        modified_files: Vec::new(),
        findings: Vec::new(),
    }
}

/// Facts of the system, each by an analyzer of its own: one that fails takes no other with it.
fn look_at_system(index: &Index, options: &InspectOptions, document: &mut ScanDocument) {
    let today = Offset::UTC.to_datetime(options.now).date();
    let request = request(today);
    let cx = Context::new(index, &request);
    let mut ask = Ask { options, cx: &cx, runs: Vec::new() };
    let system: Option<Option<OperatingSystem>> = ask.about("release", |cx| operating_system(cx, today));
    document.system = system.flatten();
    if document.system.is_none() {
        ask.note("release", "no file tells which operating system it is");
    }
    let found = ask.about("kernels", kernels).unwrap_or_default();
    if let Some(note) = found.note {
        ask.note("kernels", &note);
    }
    document.kernels = found.kernels;
    document.users = ask.about("users", users).unwrap_or_default();
    document.services = ask.about("services", services).unwrap_or_default();
    document.analyzers.append(&mut ask.runs);
}

struct Ask<'a> {
    options: &'a InspectOptions,
    cx: &'a Context<'a>,
    runs: Vec<AnalyzerRun>,
}

impl Ask<'_> {
    fn about<T>(&mut self, id: &str, look: impl FnOnce(&Context<'_>) -> Result<T, CheckError>) -> Option<T> {
        let mut run = AnalyzerRun {
            id: id.to_owned(),
            version: 1,
            status: AnalyzerStatus::Ran,
            files: 0,
            notes: Vec::new(),
        };
        let before = self.cx.files();
        let found = if self.options.skipped.iter().any(|skipped| skipped == id) {
            run.status = AnalyzerStatus::Skipped;
            run.notes.push(NOT_ASKED.to_owned());
            None
        } else {
            match look(self.cx) {
                Ok(found) => Some(found),
                Err(error) => {
                    run.status = AnalyzerStatus::Partial;
                    run.notes.push(chain(&error));
                    None
                }
            }
        };
        run.files = self.cx.files() - before;
        self.runs.push(run);
        found
    }

    fn note(&mut self, id: &str, note: &str) {
        if let Some(run) = self.runs.iter_mut().find(|run| run.id == id) {
            run.notes.push(note.to_owned());
        }
    }
}

fn read_files(
    index: &Index,
    databases: &Databases,
    owners: &Owners,
    options: &InspectOptions,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<PassResult, InspectError> {
    let checksums = Checksums::new(databases, owners, index);
    let languages = Languages::all();
    let has_checksums = !is_skipped(options, checksums.id());
    let secrets = Secrets::new(databases, owners, has_checksums);
    let mut analyzers: Vec<&dyn Analyzer> = vec![&Certificates, &checksums, &secrets];
    analyzers.extend(languages.iter().map(|language| language as &dyn Analyzer));
    let is_asked = |analyzer: &&dyn Analyzer| !is_skipped(options, analyzer.id());
    let (asked, skipped): (Vec<&dyn Analyzer>, Vec<&dyn Analyzer>) =
        analyzers.into_iter().partition(is_asked);
    let started = Instant::now();
    sink.step_started(READ, "Reading the files", None, Unit::Items);
    let progress = |done: u64, total: u64| sink.step_progress(READ, done, Some(total), None);
    let mut result = pass::run(index, &asked, options.threads, &progress, cancel)?;
    let problems = secrets.settle(index, &mut result.output);
    if let Some(run) = result.runs.iter_mut().find(|run| run.id == secrets.id() && !problems.is_empty()) {
        run.status = AnalyzerStatus::Partial;
        run.notes.extend(problems.iter().take(PROBLEMS_TOLD).map(ToString::to_string));
    }
    let bytes: u64 = result.bytes_by_mount.iter().sum();
    let detail = amint_types::format_bytes(bytes);
    sink.step_finished(READ, StepOutcome::Done, started.elapsed(), Some(detail));
    result.runs.extend(skipped.iter().map(|analyzer| not_asked(analyzer.id(), analyzer.version())));
    Ok(result)
}

/// Puts together what the pass found, and says who owns what.
fn gather(
    index: &Index,
    databases: &Databases,
    owners: &Owners,
    result: PassResult,
    options: &InspectOptions,
    document: &mut ScanDocument,
) {
    let name_of = |path: &str| {
        let id = index.find(path.as_bytes())?;
        databases.packages.get(owners.package(id)?).map(|package| package.name.clone())
    };
    let PassResult { mut output, mut runs, .. } = result;
    for package in &mut output.packages {
        // The path of what lies inside an archive names the archive first: `/opt/a.jar!/lib/b.jar`.
        let file = package.path.split("!/").next().unwrap_or_default();
        package.owner = name_of(file);
    }
    document.packages.clone_from(&databases.packages);
    document.packages.append(&mut output.packages);
    document.certificates = output.certificates;
    document.findings = output.findings;
    document.modified_files = output.modified_files;
    let is_skipped = |id: &str| options.skipped.iter().any(|skipped| skipped == id);
    if !is_skipped("checksums") {
        document.modified_files.extend(owners.missing.iter().cloned());
        let (replaced, problems) = owners.replaced(index, databases);
        document.modified_files.extend(replaced);
        if let Some(run) = runs.iter_mut().find(|run| run.id == "checksums" && !problems.is_empty()) {
            run.status = AnalyzerStatus::Partial;
            run.notes.extend(problems.into_iter().take(PROBLEMS_TOLD));
        }
    }
    document.analyzers.append(&mut runs);
    if is_skipped("privileged") {
        document.analyzers.push(not_asked("privileged", 1));
    } else {
        add_privileged(index, &name_of, document);
    }
    name_owners(&name_of, &mut document.kernels, &mut document.services);
}

fn add_privileged(index: &Index, name_of: &dyn Fn(&str) -> Option<String>, document: &mut ScanDocument) {
    let privileged = privileged_files(index);
    document.privileged = privileged.files;
    for file in &mut document.privileged {
        file.package = name_of(&file.path);
    }
    document.analyzers.push(AnalyzerRun {
        id: "privileged".to_owned(),
        version: 1,
        status: if privileged.problems.is_empty() { AnalyzerStatus::Ran } else { AnalyzerStatus::Partial },
        files: privileged.asked,
        notes: privileged.problems,
    });
}

fn name_owners(name_of: &dyn Fn(&str) -> Option<String>, kernels: &mut [Kernel], services: &mut [Service]) {
    for kernel in kernels {
        // A copy in /boot is no package's; its modules are.
        kernel.package = name_of(&kernel.path)
            .or_else(|| name_of(&format!("/usr/lib/modules/{}/vmlinuz", kernel.release)))
            .or_else(|| name_of(&format!("/usr/lib/modules/{}/modules.builtin", kernel.release)));
    }
    for service in services {
        service.package = name_of(&service.enabled_by)
            .or_else(|| {
                ["/usr/lib/systemd/system", "/lib/systemd/system"]
                    .iter()
                    .find_map(|folder| name_of(&format!("{folder}/{}", service.name)))
            })
            .or_else(|| service.program.as_deref().and_then(name_of));
    }
}
