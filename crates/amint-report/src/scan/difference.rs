//! What two scans differ in.
//!
//! Things are matched by what a person calls the same: a package by its name, a user by its name, a file by its
//! path. Where several carry one name (two versions of a kernel package), equal ones are matched first and the rest
//! in order.

use std::hash::Hash;

use amint_types::scan::{PackageKind, ScanDocument, ScanFinding, ScannedPackage};
use amint_types::scan_difference::{
    Changed, Changes, FORMAT_VERSION, PackageChange, Port, ScanDifference, Side, matched,
};

/// Compares two scans: `old` is the earlier one.
pub fn difference(old: &ScanDocument, new: &ScanDocument) -> ScanDifference {
    ScanDifference {
        format_version: FORMAT_VERSION,
        old: side(old),
        new: side(new),
        findings: findings(&old.findings, &new.findings),
        packages: packages(&old.packages, &new.packages),
        kernels: changes(&old.kernels, &new.kernels, |kernel| &kernel.path),
        users: changes(&old.users, &new.users, |user| &user.name),
        services: changes(&old.services, &new.services, |service| &service.name),
        ports: changes(&ports(old), &ports(new), |port| (&port.port, &port.service)),
        privileged: changes(&old.privileged, &new.privileged, |file| &file.path),
        certificates: changes(&old.certificates, &new.certificates, |one| (&one.path, &one.fingerprint)),
        modified_files: changes(&old.modified_files, &new.modified_files, |file| &file.path),
        files: None,
    }
}

fn side(document: &ScanDocument) -> Side {
    Side { target: document.target.clone(), scanned_at: document.scanned_at, verdict: document.verdict }
}

fn cloned<T: Clone>(things: &[&T]) -> Vec<T> {
    things.iter().map(|thing| (*thing).clone()).collect()
}

fn changes<'a, T: Clone + PartialEq, K: Eq + Hash>(
    old: &'a [T],
    new: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Changes<T> {
    let matched = matched(old.iter(), new.iter(), key);
    let changed = matched
        .pairs
        .iter()
        .filter(|(old, new)| old != new)
        .map(|(old, new)| Changed { old: (*old).clone(), new: (*new).clone() })
        .collect();
    Changes { new: cloned(&matched.new), gone: cloned(&matched.gone), changed }
}

fn ports(document: &ScanDocument) -> Vec<Port> {
    let mut ports: Vec<Port> = document
        .services
        .iter()
        .flat_map(|service| {
            let name = &service.name;
            service.ports.iter().map(move |port| Port { port: port.clone(), service: name.clone() })
        })
        .collect();
    ports.sort();
    ports.dedup();
    ports
}

/// A finding's id holds the version of its package, so it changes with every update that does not help: what has no
/// partner by id is matched by what it is about. Only its weight counts as a change.
fn findings(old: &[ScanFinding], new: &[ScanFinding]) -> Changes<ScanFinding> {
    let by_id = matched(old.iter(), new.iter(), |finding| &finding.id);
    let by_subject = matched(by_id.gone.iter().copied(), by_id.new.iter().copied(), |finding| {
        (&finding.rule, &finding.package, &finding.path)
    });
    let weight = |finding: &ScanFinding| (finding.severity, finding.is_exploited, finding.is_counted());
    let changed = by_id
        .pairs
        .iter()
        .chain(&by_subject.pairs)
        .filter(|(old, new)| weight(old) != weight(new))
        .map(|(old, new)| Changed { old: (*old).clone(), new: (*new).clone() })
        .collect();
    Changes { new: cloned(&by_subject.new), gone: cloned(&by_subject.gone), changed }
}

/// A package of a language is another one at another place; the system's packages all lie in one database.
fn subject(package: &ScannedPackage) -> (PackageKind, &str, Option<&str>, Option<&str>) {
    let path = (!package.kind.is_of_system()).then_some(package.path.as_str());
    (package.kind, &package.name, package.architecture.as_deref(), path)
}

fn packages(old: &[ScannedPackage], new: &[ScannedPackage]) -> Changes<ScannedPackage, PackageChange> {
    let same = matched(old.iter(), new.iter(), |package| (subject(package), &package.version));
    let other = matched(same.gone.iter().copied(), same.new.iter().copied(), subject);
    let changed = other
        .pairs
        .iter()
        .map(|(old, new)| PackageChange {
            kind: new.kind,
            name: new.name.clone(),
            architecture: new.architecture.clone(),
            path: new.path.clone(),
            old_version: old.version.clone(),
            new_version: new.version.clone(),
        })
        .collect();
    Changes { new: cloned(&other.new), gone: cloned(&other.gone), changed }
}
