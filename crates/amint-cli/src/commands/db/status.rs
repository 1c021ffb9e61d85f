//! `amint db status`: what the database knows, how old it is, and who signed it.

use std::path::{Path, PathBuf};

use amint_feeds::KINDS;
use amint_vuln::{Database, DatabaseError, FORMAT_VERSION, SourceInfo, Trust};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::advisories::{database_path, trusted_keys};
use crate::args::DbStatusArgs;
use crate::context::Context;
use crate::exit_code::ExitCode;
use crate::failure::Failure;
use crate::ui::{Palette, Table};

/// The oldest advisories that a verdict may stand on, as `amint scan` has it by itself.
const AGE_DAYS_MAX: i64 = 7;

/// The state of the signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Signature {
    Trusted,
    Untrusted,
    Missing,
}

#[derive(Debug, Serialize)]
struct Status {
    database: PathBuf,
    format_version: u32,
    signature: Signature,
    signers: Vec<String>,
    age_days_max: i64,
    is_fresh: bool,
    sources: Vec<Source>,
}

#[derive(Debug, Serialize)]
struct Source {
    name: String,
    kind: String,
    date: Timestamp,
    age_days: i64,
    records: u64,
    ecosystems: Vec<String>,
}

/// Shows the database, or the kinds of sources.
pub(super) fn run(args: &DbStatusArgs, context: &Context) -> Result<ExitCode, Failure> {
    if args.kinds {
        return kinds(context);
    }
    let home = context.home()?;
    let path = args.db.clone().unwrap_or_else(|| database_path(&home));
    if args.db.is_none() && !path.exists() {
        return Err(Failure::new(ExitCode::Evidence, "there is no database of advisories")
            .hint("build one: `amint db build`"));
    }
    let _ = path.metadata().map_err(|error| Failure::file(&path, error))?;
    let status = look(path, &home, Timestamp::now())?;
    if context.global.json {
        context.print_json(&status)?;
    } else {
        show(&status, context);
    }
    let is_good = status.is_fresh && status.signature == Signature::Trusted;
    Ok(if is_good { ExitCode::Fine } else { ExitCode::Evidence })
}

fn look(path: PathBuf, home: &Path, now: Timestamp) -> Result<Status, Failure> {
    let failed = |error: DatabaseError| {
        Failure::new(ExitCode::Evidence, error).hint("build the database again: `amint db build`")
    };
    let keys = trusted_keys(home)?;
    let (database, signature) = match Database::open(&path, Trust::Keys(&keys)) {
        Ok(database) => (database, Signature::Trusted),
        Err(DatabaseError::Unsigned) => {
            (Database::open(&path, Trust::Anyone).map_err(failed)?, Signature::Missing)
        }
        Err(DatabaseError::Untrusted(_)) => {
            (Database::open(&path, Trust::Anyone).map_err(failed)?, Signature::Untrusted)
        }
        Err(error) => return Err(failed(error)),
    };
    database.verify().map_err(failed)?;
    let mut sources: Vec<Source> = database.sources().iter().map(|source| describe(source, now)).collect();
    sources.sort_by(|left, right| left.name.cmp(&right.name));
    Ok(Status {
        database: path,
        format_version: FORMAT_VERSION,
        signature,
        signers: database.signers().to_vec(),
        age_days_max: AGE_DAYS_MAX,
        is_fresh: is_fresh(database.sources(), now),
        sources,
    })
}

fn describe(source: &SourceInfo, now: Timestamp) -> Source {
    Source {
        name: source.name.clone(),
        kind: source.kind.clone(),
        date: source.date,
        age_days: now.duration_since(source.date).as_hours() / 24,
        records: source.record_count,
        ecosystems: source.ecosystems.clone(),
    }
}

/// Tells whether any source on packages is young enough.
fn is_fresh(sources: &[SourceInfo], now: Timestamp) -> bool {
    let age_max = SignedDuration::from_hours(24 * AGE_DAYS_MAX);
    sources
        .iter()
        .filter(|source| !source.ecosystems.is_empty())
        .any(|source| now.duration_since(source.date) <= age_max)
}

fn show(status: &Status, context: &Context) {
    let mut table = Table::new(["SOURCE", "KIND", "DATE (UTC)", "AGE", "RECORDS"]).right([3, 4]);
    for source in &status.sources {
        let age = match source.age_days {
            1 => "1 day".to_owned(),
            days => format!("{days} days"),
        };
        table.row([
            source.name.as_str(),
            &source.kind,
            &source.date.strftime("%Y-%m-%d %H:%M").to_string(),
            &age,
            &source.records.to_string(),
        ]);
    }
    context.print(&table.render(Palette::for_stdout()));
    context.say(&match status.signature {
        Signature::Trusted => format!("signed by a trusted key ({})", status.signers.join(", ")),
        Signature::Untrusted => "not signed by a key that is trusted here".to_owned(),
        Signature::Missing => "not signed".to_owned(),
    });
    if !status.is_fresh {
        context.say(&format!(
            "no advisories of the last {AGE_DAYS_MAX} days: build the database again with `amint db build`"
        ));
    }
}

fn kinds(context: &Context) -> Result<ExitCode, Failure> {
    if context.global.json {
        let kinds: Vec<serde_json::Value> =
            KINDS.iter().map(|(kind, what)| serde_json::json!({ "kind": kind, "what": what })).collect();
        context.print_json(&kinds)?;
        return Ok(ExitCode::Fine);
    }
    let mut table = Table::new(["KIND", "WHAT"]);
    for (kind, what) in KINDS {
        table.row([kind, what]);
    }
    context.print(&table.render(Palette::for_stdout()));
    Ok(ExitCode::Fine)
}
