//! Goes through the packages of an image.

use std::collections::{BTreeMap, BTreeSet};

use amint_types::Severity;
use amint_types::scan::{FindingKind, OperatingSystem, PackageKind, ScanFinding, ScannedPackage};

use crate::database::{Database, DatabaseError, Sourced};
use crate::ecosystem::{Ecosystem, Family};
use crate::record::{Flags, Record};
use crate::vex;

use super::context::{MatchContext, MatchReport, NotJudged};
use super::decide::{Hit, decide, fits};
use super::finding::{finding, fingerprint};
use super::group::{Group, groups};
use super::{kernel, origin};

/// How many packages that were not judged an evidence finding names.
const NAMES_MAX: usize = 10;

/// Compares packages with a database.
pub struct Matcher<'a> {
    pub(super) database: &'a Database,
}

/// What is the same for all packages of the system.
pub(super) struct System {
    pub(super) ecosystems: Vec<Ecosystem>,
    /// Suites with known versions that the image uses.
    pub(super) suites: Vec<String>,
    /// Whether the whole of the release is among them, so that what is in none is not of the distribution.
    pub(super) is_whole: bool,
}

/// Records on one vulnerability, and the packages that they are on.
#[derive(Default)]
struct Candidate<'r, 'p> {
    rows: Vec<&'r Sourced<Record>>,
    packages: Vec<&'p ScannedPackage>,
}

impl<'a> Matcher<'a> {
    /// Takes an open database.
    pub fn open(database: &'a Database) -> Self {
        Self { database }
    }

    /// Finds the vulnerabilities of an image's packages.
    ///
    /// # Errors
    /// Fails when the database is damaged: then nothing can be said.
    pub fn match_packages(
        &self,
        system: Option<&OperatingSystem>,
        packages: &[ScannedPackage],
        context: &MatchContext<'_>,
    ) -> Result<MatchReport, DatabaseError> {
        let mut report = MatchReport::default();
        let known = self.system(system, context)?;
        let is_owned = |package: &&ScannedPackage| !package.kind.is_of_system() && package.owner.is_some();
        report.counts.owned = packages.iter().filter(is_owned).count();
        for group in groups(packages.iter().filter(|package| !is_owned(package))) {
            let reason = self.reason_not_to_judge(&group, system, &known)?;
            if let Some(reason) = reason {
                report.not_judged.extend(group.packages.iter().map(|package| NotJudged {
                    package: package.name.clone(),
                    version: package.version.clone(),
                    reason: reason.clone(),
                }));
                continue;
            }
            report.counts.judged += group.packages.len();
            self.judge(&group, &known, context, &mut report.findings)?;
        }
        Self::finish(&mut report, context);
        Ok(report)
    }

    pub(super) fn system(
        &self,
        system: Option<&OperatingSystem>,
        context: &MatchContext<'_>,
    ) -> Result<System, DatabaseError> {
        let ecosystems = system.map(Ecosystem::of_system).unwrap_or_default();
        let mut suites = match ecosystems.first() {
            Some(ecosystem) => self.database.suites(ecosystem)?,
            None => Vec::new(),
        };
        let is_whole = suites.iter().any(|suite| !suite.contains('-'));
        if let Some(used) = context.suites {
            suites.retain(|suite| used.contains(suite));
        }
        Ok(System { ecosystems, suites, is_whole })
    }

    /// Tells why a group of packages cannot be judged.
    pub(super) fn reason_not_to_judge(
        &self,
        group: &Group<'_>,
        system: Option<&OperatingSystem>,
        known: &System,
    ) -> Result<Option<String>, DatabaseError> {
        let has_source = |ecosystem: &Ecosystem| {
            let name = ecosystem.to_string();
            self.database.sources().iter().any(|source| source.ecosystems.contains(&name))
        };
        if !group.kind.is_of_system() {
            let family = Family::of_language(group.kind);
            let is_known = family.is_some_and(|family| has_source(&Ecosystem::new(family, "")));
            return Ok(
                (!is_known).then(|| format!("there are no advisories on {} packages", group.kind.as_str()))
            );
        }
        let Some(regular) = known.ecosystems.first() else {
            let name = system.map_or("an unknown system", |system| system.name.as_str());
            return Ok(Some(format!("no advisories are known of {name}")));
        };
        if !has_source(regular) {
            return Ok(Some(format!("there are no advisories on {regular}")));
        }
        let foreign = group.packages.iter().find_map(|package| origin::foreign(regular.family(), package));
        if foreign.is_some() || group.kind != PackageKind::Deb || !known.is_whole {
            return Ok(foreign);
        }
        for suite in &self.database.suites(regular)? {
            if self.database.newest(regular, suite, &group.source)?.is_some() {
                return Ok(None);
            }
        }
        let is_unknown = self.database.records(regular, &group.source)?.is_empty();
        Ok(is_unknown.then(|| format!("no suite of {regular} has its source")))
    }

    fn judge(
        &self,
        group: &Group<'_>,
        known: &System,
        context: &MatchContext<'_>,
        findings: &mut Vec<ScanFinding>,
    ) -> Result<(), DatabaseError> {
        let language = Family::of_language(group.kind).map(|family| Ecosystem::new(family, ""));
        let ecosystems = language.map_or_else(|| known.ecosystems.clone(), |ecosystem| vec![ecosystem]);
        let Some(regular) = ecosystems.first() else { return Ok(()) };
        let scheme = regular.scheme();
        let mut rows = Vec::new();
        for ecosystem in &ecosystems {
            for name in lookup_names(group, ecosystem.family()) {
                rows.extend(self.database.records(ecosystem, &name)?);
            }
        }
        let kernel = kernel::role(&group.source, &group.packages, context.kernels);
        for (id, candidate) in candidates(group, &rows, context) {
            let Some(hit) = decide(&candidate.rows, &group.version, scheme, self.database.sources()) else {
                continue;
            };
            let is_available = self.is_fix_available(group, regular, &hit, known, context)?;
            let found = finding(self.database, id, &hit, group, &candidate.packages, kernel, is_available)?;
            findings.extend(found);
        }
        Ok(())
    }

    /// Tells whether a repository of the image has the fix.
    fn is_fix_available(
        &self,
        group: &Group<'_>,
        ecosystem: &Ecosystem,
        hit: &Hit,
        known: &System,
        context: &MatchContext<'_>,
    ) -> Result<Option<bool>, DatabaseError> {
        let Some(fixed) = hit.fixed.as_deref() else { return Ok(Some(false)) };
        if hit.is_paid {
            return Ok(Some(context.has_extended_support));
        }
        if !group.kind.is_of_system() {
            return Ok(None);
        }
        // What a repository's own list of updates names is in that repository.
        if self.database.sources().get(hit.source).is_some_and(|source| source.kind == "updateinfo") {
            return Ok(Some(true));
        }
        if known.suites.is_empty() {
            return Ok(None);
        }
        for suite in &known.suites {
            if let Some(newest) = self.database.newest(ecosystem, suite, &group.source)?
                && crate::versions::compare(ecosystem.scheme(), &newest.value, fixed).is_ge()
            {
                return Ok(Some(true));
            }
        }
        Ok(Some(false))
    }

    fn finish(report: &mut MatchReport, context: &MatchContext<'_>) {
        vex::apply(context.statements, &mut report.findings);
        report.not_judged.sort();
        report.counts.not_judged = report.not_judged.len();
        for finding in &report.findings {
            report.counts.not_affected += usize::from(finding.not_affected.is_some());
            if let Some(lowered) = &finding.lowered {
                *report.counts.lowered.entry(lowered.reason.clone()).or_default() += 1;
            }
        }
        report.findings.extend(not_judged_finding(&report.not_judged));
        sort(&mut report.findings);
    }
}

/// Under which names a group's records stand.
fn lookup_names(group: &Group<'_>, family: Family) -> BTreeSet<String> {
    let mut names = BTreeSet::from([family.normal_name(&group.source)]);
    if group.kind == PackageKind::Rpm {
        names.extend(group.packages.iter().map(|package| package.name.clone()));
    }
    names
}

/// Sorts records by vulnerability, with the packages that each is on.
fn candidates<'r, 'p>(
    group: &Group<'p>,
    rows: &'r [Sourced<Record>],
    context: &MatchContext<'_>,
) -> BTreeMap<&'r str, Candidate<'r, 'p>> {
    let mut candidates: BTreeMap<&str, Candidate<'r, 'p>> = BTreeMap::new();
    for row in rows {
        let packages: Vec<&'p ScannedPackage> = if group.kind == PackageKind::Rpm {
            let is_on = |package: &&&ScannedPackage| {
                let is_named = if row.value.flags.has(Flags::SOURCE) {
                    group.source == row.value.package
                } else {
                    package.name == row.value.package
                };
                is_named && fits(&row.value, package, context)
            };
            group.packages.iter().filter(is_on).copied().collect()
        } else {
            group.packages.clone()
        };
        if packages.is_empty() {
            continue;
        }
        for id in row.value.main_ids() {
            let candidate = candidates.entry(id).or_default();
            candidate.rows.push(row);
            for package in &packages {
                if !candidate.packages.contains(package) {
                    candidate.packages.push(package);
                }
            }
        }
    }
    candidates
}

fn not_judged_finding(not_judged: &[NotJudged]) -> Option<ScanFinding> {
    let count = not_judged.len();
    let first = not_judged.first()?;
    let shown: Vec<String> = not_judged
        .iter()
        .take(NAMES_MAX)
        .map(|package| format!("{} ({})", package.package, package.reason))
        .collect();
    let more = count.saturating_sub(NAMES_MAX);
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    let title = format!("{count} packages could not be compared with advisories");
    let mut finding = ScanFinding::new(FindingKind::Evidence, "VUL-000", title, Severity::Info, "/");
    finding.id = fingerprint(&["VUL-000", &first.package]);
    finding.evidence = Some(format!("{}{more}", shown.join("; ")));
    finding.requirements = vec!["VUL-001".to_owned()];
    Some(finding)
}

/// Exploited first, then the most severe, then by name.
pub(super) fn sort(findings: &mut [ScanFinding]) {
    findings.sort_by(|left, right| {
        let key = |finding: &ScanFinding| (!finding.is_exploited, std::cmp::Reverse(finding.severity));
        key(left)
            .cmp(&key(right))
            .then_with(|| left.rule.cmp(&right.rule))
            .then_with(|| left.package.cmp(&right.package))
            .then_with(|| left.version.cmp(&right.version))
            .then_with(|| left.path.cmp(&right.path))
    });
}
