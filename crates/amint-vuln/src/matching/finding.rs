//! Makes findings of hits.

use std::collections::BTreeSet;

use amint_types::Severity;
use amint_types::scan::{FindingKind, ScanFinding, ScannedPackage};
use sha2::{Digest as _, Sha256};

use crate::database::{Database, DatabaseError};
use crate::record::{Exploitation, Facts, Flags};
use crate::scores::severity_of_score;

use super::decide::Hit;
use super::group::Group;
use super::kernel::KernelRole;
use super::lowering::{holds_no_code, lower};

/// Most binary packages that evidence names.
const NAMES_MAX: usize = 8;

/// All facts on one vulnerability in one.
pub(super) fn merged_facts(
    database: &Database,
    id: &str,
    advisories: &[String],
) -> Result<Facts, DatabaseError> {
    let mut merged = Facts::default();
    for found in database.facts(id)? {
        merge(&mut merged, found.value);
    }
    for advisory in advisories {
        if merged.title.is_some() && (merged.cvss_tenths.is_some() || merged.severity.is_some()) {
            break;
        }
        if advisory != id {
            for found in database.facts(advisory)? {
                merge(&mut merged, found.value);
            }
        }
    }
    Ok(merged)
}

fn merge(merged: &mut Facts, facts: Facts) {
    merged.title = merged.title.take().or(facts.title);
    merged.severity = merged.severity.max(facts.severity);
    merged.cvss_tenths = merged.cvss_tenths.max(facts.cvss_tenths);
    merged.aliases.extend(facts.aliases);
    merged.is_listed_exploited |= facts.is_listed_exploited;
    merged.is_used_for_ransom |= facts.is_used_for_ransom;
    merged.exploitation = merged.exploitation.max(facts.exploitation);
    merged.epss_millionths = merged.epss_millionths.max(facts.epss_millionths);
}

/// Makes the finding of one vulnerability of one group.
pub(super) fn finding(
    database: &Database,
    id: &str,
    hit: &Hit,
    group: &Group<'_>,
    packages: &[&ScannedPackage],
    kernel: KernelRole,
    is_fix_available: Option<bool>,
) -> Result<Option<ScanFinding>, DatabaseError> {
    let Some(package) = representative(packages) else { return Ok(None) };
    let facts = merged_facts(database, id, &hit.advisories)?;
    let by_score = facts.cvss_tenths.map(severity_of_score);
    let told = hit.severity.or(by_score).or(facts.severity);
    // Nobody has weighed it yet: it might be anything.
    let mut severity = told.unwrap_or(Severity::Medium);
    if facts.is_listed_exploited {
        severity = Severity::Critical;
    }
    let (severity, lowered) = lower(severity, hit, kernel, packages);
    let cannot_be_attacked = kernel == KernelRole::NoKernel || holds_no_code(packages);
    let is_exploited = facts.is_listed_exploited || facts.exploitation == Some(Exploitation::Active);
    let mut aliases: BTreeSet<String> = hit.aliases.iter().chain(&facts.aliases).cloned().collect();
    aliases.remove(id);
    let title = facts.title.clone().unwrap_or_else(|| format!("{id} in {}", group.source));
    let fix = hit.fixed.as_ref().map(|fixed| format!("update `{}` to {fixed} or later", package.name));
    Ok(Some(ScanFinding {
        id: fingerprint(&[id, &package.path, &group.source, &group.version]),
        package: Some(package.name.clone()),
        version: Some(package.version.clone()),
        purl: Some(package.purl.clone()),
        fixed_version: hit.fixed.clone(),
        is_fix_available: if hit.fixed.is_none() { Some(false) } else { is_fix_available },
        aliases: aliases.into_iter().collect(),
        is_exploited: is_exploited && !cannot_be_attacked,
        epss_millionths: facts.epss_millionths,
        cvss_tenths: facts.cvss_tenths,
        lowered,
        source: database.sources().get(hit.source).map(|source| source.name.clone()),
        evidence: Some(evidence(hit, &facts, group, packages, told.is_none())),
        fix,
        requirements: vec![if group.kind.is_of_system() { "VUL-001" } else { "VUL-004" }.to_owned()],
        ..ScanFinding::new(FindingKind::Vulnerability, id, title, severity, &package.path)
    }))
}

/// The package that stands for its group: one with code, and of those the first by name.
fn representative<'a>(packages: &[&'a ScannedPackage]) -> Option<&'a ScannedPackage> {
    let has_code = packages.iter().find(|package| package.has_code == Some(true));
    has_code.or_else(|| packages.first()).copied()
}

fn evidence(
    hit: &Hit,
    facts: &Facts,
    group: &Group<'_>,
    packages: &[&ScannedPackage],
    is_unweighed: bool,
) -> String {
    let mut parts = Vec::new();
    let mut names: Vec<&str> = packages.iter().map(|package| package.name.as_str()).collect();
    names.dedup();
    if names == [group.source.as_str()] {
        parts.push(format!("{} {}", group.source, group.version));
    } else {
        let more = names.len().saturating_sub(NAMES_MAX);
        let shown = names.iter().take(NAMES_MAX).copied().collect::<Vec<_>>().join(", ");
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("source {} {} ({shown}{more})", group.source, group.version));
    }
    let notes = [
        (facts.is_listed_exploited, "known to be exploited (CISA KEV)"),
        (facts.is_used_for_ransom, "used for extortion"),
        (facts.exploitation == Some(Exploitation::Active), "exploitation is active (SSVC)"),
        (facts.exploitation == Some(Exploitation::ProofOfConcept), "a proof of concept is public (SSVC)"),
        (hit.is_paid, "the fix needs a contract"),
        (hit.flags.has(Flags::IGNORED), "the distribution will not fix it"),
        (hit.flags.has(Flags::POSTPONED), "the distribution postpones the fix"),
        (hit.flags.has(Flags::END_OF_LIFE), "the package gets no fixes any more"),
        (is_unweighed, "no source gives a severity"),
    ];
    parts.extend(notes.iter().filter(|(applies, _)| *applies).map(|(_, note)| (*note).to_owned()));
    parts.join("; ")
}

/// Makes an id that is the same in each scan of the same thing.
pub(super) fn fingerprint(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0]);
    }
    hasher.finalize().iter().take(8).fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}
