//! `amint db build`: fetches advisories, and puts them into one signed file.

use std::fs;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use amint_archive::{Client, ClientSettings, Proxies};
use amint_build::mirror::{self, MirrorWishes};
use amint_feeds::{
    ArchiveCounts, ArchivePlaces, Downloads, FeedError, Fetching, Installed, NamedSource, add_archives,
    add_updates,
};
use amint_provenance::SigningKey;
use amint_types::{Hint as _, StepOutcome, Unit};
use amint_vuln::{Builder, Family};
use jiff::Timestamp;

use super::learn::learn;
use crate::advisories::database_path;
use crate::args::DbBuildArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::provenance::own_key_path;
use crate::supply::package_cache;

const DEBIAN_KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const UBUNTU_KEYRING: &str = "/usr/share/keyrings/ubuntu-archive-keyring.gpg";
/// How many names a warning has at most.
const NAMES_TOLD: usize = 8;

/// Builds the database. After a failure the old one is as it was.
pub(super) fn run(args: &DbBuildArgs, context: &Context) -> Result<ExitCode, Failure> {
    let named: Vec<NamedSource> = args
        .sources
        .iter()
        .map(|text| text.parse())
        .collect::<Result<_, _>>()
        .map_err(|error| Failure::new(ExitCode::Usage, error).hint("kinds: `amint db status --kinds`"))?;
    let home = context.home()?;
    let output = args.output.clone().unwrap_or_else(|| database_path(&home));
    let work = home.join("db");
    fs::create_dir_all(&work).map_err(|error| Failure::file(&work, error))?;
    let work = tempfile::Builder::new()
        .prefix(".fetch-")
        .tempdir_in(&work)
        .map_err(|error| Failure::file(&work, error))?;
    let downloads = Downloads::new(work.path(), args.source.offline, context.cancel.clone());
    let mut builder = Builder::new();
    if !args.no_archives {
        let installed = learn(args, context)?;
        add_installed(&mut builder, &installed, args, &downloads, &home, context)?;
    }
    for source in &named {
        add_named(&mut builder, source, &downloads, context)?;
    }
    if builder.sources().is_empty() {
        return Err(Failure::new(ExitCode::Input, "there is nothing to fetch advisories for")
            .hint("build an image first, name one with `--for`, or name advisories with `--source`"));
    }
    let sources = builder.sources().len();
    let records: u64 = builder.sources().iter().map(|source| source.record_count).sum();
    context.cancel.check()?;
    write(builder, &output, &home)?;
    context.finish();
    if context.global.json {
        context.print_result(&serde_json::json!({
            "event": "result", "database": output, "sources": sources, "records": records,
        }));
    } else {
        context.say(&format!("wrote {}: {sources} sources, {records} records", output.display()));
    }
    Ok(ExitCode::Fine)
}

fn failure(error: FeedError) -> Failure {
    let code = match &error {
        error if error.is_cancelled() => ExitCode::Interrupted,
        FeedError::Build(_) => ExitCode::Input,
        _ => ExitCode::Environment,
    };
    let hint = error.hint();
    let failure = Failure::new(code, error);
    match hint {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}

/// Runs something as a step that people see.
fn step<T>(
    id: &str,
    title: &str,
    context: &Context,
    work: impl FnOnce() -> Result<(T, String), FeedError>,
) -> Result<T, Failure> {
    let started = Instant::now();
    context.sink().step_started(id, title, None, Unit::Bytes);
    let result = work();
    let (outcome, detail) = match &result {
        Ok((_, detail)) => (StepOutcome::Done, Some(detail.clone())),
        Err(_) => (StepOutcome::Failed, None),
    };
    context.sink().step_finished(id, outcome, started.elapsed(), detail);
    result.map(|(value, _)| value).map_err(failure)
}

fn add_named(
    builder: &mut Builder,
    source: &NamedSource,
    downloads: &Downloads,
    context: &Context,
) -> Result<(), Failure> {
    let name = source.name();
    step("source", &format!("Fetching {name}"), context, || {
        let counts = source.add(builder, downloads, Timestamp::now())?;
        let kept = counts.records + counts.facts + counts.others;
        Ok(((), format!("{kept} records, {} of no use", counts.skipped)))
    })
}

fn add_installed(
    builder: &mut Builder,
    all: &[Installed],
    args: &DbBuildArgs,
    downloads: &Downloads,
    home: &Path,
    context: &Context,
) -> Result<(), Failure> {
    let settings = ClientSettings {
        offline: args.source.offline,
        proxies: Proxies::from_env(),
        ..ClientSettings::new(package_cache(home), Timestamp::now())
    };
    let client = Client::new(settings)?;
    let places = places(args);
    let fetching = Fetching { client: &client, sink: context.sink(), cancel: &context.cancel };
    for installed in all {
        let title = format!("Fetching advisories on {}", installed.ecosystem);
        if installed.has_archives() {
            // The client tells bytes as progress of both steps.
            let counts = step("indexes", &title, context, || {
                let counts = add_archives(builder, installed, &places, &fetching)?;
                let ArchiveCounts { suites, outdated, read, .. } = &counts;
                let detail = format!("{suites} suites, {outdated} sources outdated, {read} changelogs");
                Ok((counts, detail))
            })?;
            warn_of(&counts, context);
            continue;
        }
        let counts = step("repositories", &title, context, || {
            let counts = add_updates(builder, installed, downloads, Timestamp::now(), context.sink())?;
            let detail = format!("{} repositories", counts.repositories);
            Ok((counts, detail))
        })?;
        if counts.repositories == 0 {
            let hint = match installed.ecosystem.family() {
                Family::Alpine => "name them: `--source alpine-secdb=ADDRESS`",
                _ => "name them: `--source KIND=ADDRESS`",
            };
            let text = format!("no repository tells of advisories on {}", installed.ecosystem);
            context.sink().warn(&text, Some(hint));
        }
    }
    Ok(())
}

fn places(args: &DbBuildArgs) -> ArchivePlaces {
    let wishes = MirrorWishes {
        archive: args.source.mirror.clone(),
        security: args.source.security_mirror.clone(),
        ..MirrorWishes::default()
    };
    // That none is known matters only where a suite of Debian is asked for.
    let mirrors = mirror::choose(wishes, Path::new("/etc/apt")).ok();
    let keyring = |default: &str| args.keyring.clone().unwrap_or_else(|| PathBuf::from(default));
    ArchivePlaces {
        archive: mirrors.as_ref().map(|mirrors| mirrors.archive.clone()),
        security: mirrors
            .and_then(|mirrors| mirrors.security)
            .or_else(|| args.source.security_mirror.clone()),
        keyring: keyring(DEBIAN_KEYRING),
        ubuntu_keyring: keyring(UBUNTU_KEYRING),
    }
}

fn warn_of(counts: &ArchiveCounts, context: &Context) {
    let list = |names: &[String]| {
        let told: Vec<&str> = names.iter().take(NAMES_TOLD).map(String::as_str).collect();
        let more = names.len().saturating_sub(told.len());
        let end = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!("{}{end}", told.join(", "))
    };
    if !counts.unread.is_empty() {
        let text = format!("what newer versions fix is not known of {}", list(&counts.unread));
        context.sink().warn(&text, Some("their packages carry no changelog that can be read"));
    }
    if !counts.cut.is_empty() {
        let text =
            format!("the changelog does not go back to the installed version of {}", list(&counts.cut));
        context.sink().warn(&text, Some("older entries were cut off: more may be fixed than is told"));
    }
}

/// Writes and signs the database, and puts it in place of an older one at once.
fn write(builder: Builder, output: &Path, home: &Path) -> Result<(), Failure> {
    let key = SigningKey::load_or_create(&own_key_path(home))?.key;
    let folder = output.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error| Failure::file(output, error);
    fs::create_dir_all(folder).map_err(failed)?;
    if fs::metadata(output).is_ok_and(|there| !there.is_file()) {
        let message = format!("`{}` is no regular file, and is not replaced", output.display());
        return Err(Failure::new(ExitCode::Usage, message));
    }
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let mut buffered = BufWriter::new(file.as_file_mut());
    builder.write(&mut buffered, Some(&key)).map_err(|error| Failure::new(ExitCode::Environment, error))?;
    buffered.flush().map_err(failed)?;
    drop(buffered);
    file.as_file().sync_all().map_err(failed)?;
    let _ = file.persist(output).map_err(|error| failed(error.error))?;
    Ok(())
}
