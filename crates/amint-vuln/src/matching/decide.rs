//! Makes one answer of what several sources say about one vulnerability of one package.

use amint_types::Severity;
use amint_types::scan::ScannedPackage;

use crate::database::{SourceInfo, Sourced};
use crate::ecosystem::Family;
use crate::record::{Flags, RangeEnd, Record};
use crate::versions::{Scheme, compare};

use super::context::MatchContext;

/// That a vulnerability applies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hit {
    pub(super) fixed: Option<String>,
    /// Whether the fix needs a contract.
    pub(super) is_paid: bool,
    pub(super) severity: Option<Severity>,
    pub(super) flags: Flags,
    pub(super) aliases: Vec<String>,
    /// The feed's own ids, whose facts may help.
    pub(super) advisories: Vec<String>,
    /// The source that decides.
    pub(super) source: usize,
    /// Whether a changelog says that it does not apply.
    pub(super) is_denied: bool,
}

type Row = Sourced<Record>;

/// Decides on all that is recorded on one vulnerability.
pub(super) fn decide(rows: &[&Row], version: &str, scheme: Scheme, sources: &[SourceInfo]) -> Option<Hit> {
    let is_paid = |row: &&&Row| {
        let family = row.value.ecosystem.family();
        matches!(family, Family::UbuntuPro | Family::RedHatExtended | Family::SuseLongTerm)
    };
    let paid: Vec<&Row> = rows.iter().filter(is_paid).copied().collect();
    let regular: Vec<&Row> = rows.iter().filter(|row| !is_paid(row)).copied().collect();
    if is_satisfied(&paid, version, scheme) {
        return None;
    }
    let hit = if regular.is_empty() {
        hit(&paid, version, scheme, true)
    } else {
        decide_regular(&regular, version, scheme, sources)
    };
    let mut hit = hit?;
    if hit.fixed.is_none() {
        hit.fixed = paid.iter().find_map(|row| fixes(&row.value).next()).map(str::to_owned);
        hit.is_paid = hit.fixed.is_some();
    }
    Some(hit)
}

fn decide_regular(rows: &[&Row], version: &str, scheme: Scheme, sources: &[SourceInfo]) -> Option<Hit> {
    let has = |flag: Flags| move |row: &&&Row| row.value.flags.has(flag);
    let date = |row: &Row| sources.get(row.source).map(|source| (source.date, row.source));
    // Of feeds that tell the whole state, the newest is right.
    let newest = rows.iter().filter(has(Flags::STATE)).filter_map(|row| date(row)).max();
    let others: Vec<&Row> = rows
        .iter()
        .filter(|row| !row.value.flags.has(Flags::STATE) && !row.value.flags.has(Flags::MENTION))
        .copied()
        .collect();
    let Some((_, winner)) = newest else { return hit(&others, version, scheme, false) };
    let state: Vec<&Row> = rows
        .iter()
        .filter(|row| row.source == winner && row.value.flags.has(Flags::STATE))
        .copied()
        .collect();
    let mut found = hit(&state, version, scheme, false)?;
    if found.fixed.is_none() {
        // An older state does not know of fixes that an advisory or a changelog tells of.
        if is_satisfied(&others, version, scheme) {
            return None;
        }
        let fixed = others
            .iter()
            .flat_map(|row| fixes(&row.value))
            .max_by(|left, right| compare(scheme, left, right));
        found.fixed = fixed.map(str::to_owned);
        let mentions = rows.iter().filter(has(Flags::MENTION));
        found.is_denied = mentions
            .flat_map(|row| fixes(&row.value))
            .any(|mentioned| compare(scheme, version, mentioned).is_ge());
    }
    for row in &others {
        found.aliases.extend(row.value.aliases.iter().cloned());
    }
    Some(found)
}

/// Collects the rows that a version is affected by; all of their fixes are needed.
fn hit(rows: &[&Row], version: &str, scheme: Scheme, is_paid: bool) -> Option<Hit> {
    let mut found: Option<Hit> = None;
    for row in rows {
        let Some(fixed) = row.value.affects(version) else { continue };
        let hit = found.get_or_insert_with(|| Hit {
            fixed: None,
            is_paid,
            severity: None,
            flags: row.value.flags,
            aliases: Vec::new(),
            advisories: Vec::new(),
            source: row.source,
            is_denied: false,
        });
        if let Some(fixed) = fixed
            && hit.fixed.as_deref().is_none_or(|known| compare(scheme, fixed, known).is_gt())
        {
            hit.fixed = Some(fixed.to_owned());
            hit.source = row.source;
        }
        hit.severity = hit.severity.max(row.value.severity);
        hit.aliases.extend(row.value.aliases.iter().cloned());
        hit.advisories.push(row.value.id.clone());
    }
    found
}

fn fixes(record: &Record) -> impl Iterator<Item = &str> {
    record.ranges.iter().filter_map(|range| match &range.end {
        RangeEnd::Fixed(version) => Some(version.as_str()),
        _ => None,
    })
}

/// Tells whether there are fixes and the version has all of them.
fn is_satisfied(rows: &[&Row], version: &str, scheme: Scheme) -> bool {
    let mut fixes = rows.iter().flat_map(|row| fixes(&row.value)).peekable();
    fixes.peek().is_some() && fixes.all(|fixed| compare(scheme, version, fixed).is_ge())
}

/// Tells whether a record of rpm is on the module stream and the repository of a package.
pub(super) fn fits(record: &Record, package: &ScannedPackage, context: &MatchContext<'_>) -> bool {
    fits_repository(record, package, context) && fits_module(record, package)
}

/// Amazon Linux 2 has topics with versions of their own, which only concern who enabled them.
fn fits_repository(record: &Record, package: &ScannedPackage, context: &MatchContext<'_>) -> bool {
    let Some(topic) = record.repository.as_deref() else { return true };
    if record.ecosystem.family() != Family::Amazon || topic.contains("livepatch") {
        return true;
    }
    // Feeds write `extras/docker`, repositories are `amzn2extra-docker`.
    let topic = topic.rsplit('/').next().unwrap_or(topic);
    let is_topic = |name: &str| name.contains(topic);
    match (package.repository.as_deref(), context.repositories) {
        (Some(repository), _) => is_topic(repository),
        (None, Some(repositories)) => repositories.iter().any(|name| is_topic(name)),
        (None, None) => true,
    }
}

fn fits_module(record: &Record, package: &ScannedPackage) -> bool {
    let fixed = fixes(record).next();
    let is_record_modular = record.module.is_some() || fixed.is_some_and(|fixed| fixed.contains(".module"));
    let is_package_modular = package.module.is_some() || package.version.contains(".module");
    if record.flags.has(Flags::NOT_AFFECTED) || fixed.is_none() {
        // Without a version only a stream that is told can speak against it.
        let both = record.module.as_deref().zip(package.module.as_deref());
        return both.is_none_or(|(wanted, found)| is_stream(found, wanted));
    }
    if is_record_modular != is_package_modular {
        return false;
    }
    let Some(found) = package.module.as_deref() else { return true };
    match (&record.module, fixed) {
        (Some(wanted), _) => is_stream(found, wanted),
        // A stream of the module's own package is the start of its versions.
        (None, Some(fixed)) => {
            let mut parts = found.split(':');
            let (name, stream) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let version = fixed.split_once(':').map_or(fixed, |(_, rest)| rest);
            let is_numeric = stream.starts_with(|character: char| character.is_ascii_digit());
            name != record.package
                || !is_numeric
                || version.strip_prefix(stream).is_some_and(|rest| rest.starts_with(['.', '-']))
        }
        (None, None) => true,
    }
}

fn is_stream(found: &str, wanted: &str) -> bool {
    found.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}
