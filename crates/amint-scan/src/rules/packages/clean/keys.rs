//! Keys that the package managers trust.

use std::path::{Path, PathBuf};

use amint_types::Severity;
use amint_types::report::Finding;
use jiff::civil::Date;

use super::milder;
use crate::facts::keyring::{TrustedKey, keys};
use crate::rule::finding;
use crate::{CheckError, Context};

/// Folders whose keys are trusted, and files of the same use.
const FOLDERS: [&str; 4] =
    ["/etc/apt/trusted.gpg.d", "/etc/apt/keyrings", "/etc/pki/rpm-gpg", "/usr/share/keyrings"];
const FILES: [&str; 1] = ["/etc/apt/trusted.gpg"];
/// Folders of keys that count only where a source names them: distributions put those of old releases there.
const ONLY_NAMED: &str = "/usr/share/keyrings";

pub(super) fn check(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let sources = crate::facts::packages::repositories(cx)?;
    let named: Vec<&str> = sources
        .files
        .iter()
        .flat_map(|file| &file.content.repositories)
        .filter(|repository| repository.is_enabled)
        .flat_map(|repository| repository.keys.iter().map(|key| key.trim_start_matches("file://")))
        .collect();
    let mut findings = Vec::new();
    for path in files(cx)? {
        let is_named = named.iter().any(|name| Path::new(name) == path);
        if path.starts_with(ONLY_NAMED) && !is_named {
            continue;
        }
        let Some(content) = cx.read(&path)? else { continue };
        let found = keys(&content);
        findings.extend(of_file(&found, &path, is_named, cx.request().today));
    }
    Ok(findings)
}

fn files(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let mut paths: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
    for folder in FOLDERS {
        for entry in cx.list(folder)? {
            paths.push(Path::new(folder).join(entry.name));
        }
    }
    let mut files = Vec::new();
    for path in paths {
        if cx.metadata_following(&path)?.is_some_and(|found| found.is_file()) {
            files.push(path);
        }
    }
    Ok(files)
}

/// A key that is over does no harm beside one that holds: only a file of which nothing holds is told as bad.
fn of_file(keys: &[TrustedKey], path: &Path, is_named: bool, today: Date) -> Option<Finding> {
    let is_over = |key: &TrustedKey| key.is_revoked || key.expires.is_some_and(|day| day <= today);
    if keys.is_empty() {
        return None;
    }
    if keys.iter().all(is_over) {
        let last = keys.iter().max_by_key(|key| key.expires)?;
        let what = match last.expires {
            Some(day) if !last.is_revoked => format!("key {} expired on {day}", last.id),
            _ => format!("key {} is revoked", last.id),
        };
        let severity = if is_named { Severity::High } else { Severity::Low };
        return Some(milder(finding(format!("no key of the file holds: {what}"), path), severity));
    }
    let weak = keys.iter().filter(|key| !is_over(key)).find(|key| key.has_weak_signature || key.is_dsa)?;
    let why = if weak.is_dsa { "is a DSA key" } else { "is bound to its name by SHA-1 alone" };
    Some(milder(finding(format!("key {} {why}", weak.id), path), Severity::Low))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn key(expires: Option<Date>) -> TrustedKey {
        TrustedKey {
            id: "0".repeat(16),
            expires,
            is_revoked: false,
            has_weak_signature: false,
            is_dsa: false,
        }
    }

    #[test]
    fn an_old_key_beside_one_that_holds_is_no_flaw() {
        let today = date(2026, 11, 23);
        let (old, new) = (key(Some(date(2026, 11, 23))), key(Some(date(2030, 1, 1))));
        let severity = |keys: &[TrustedKey], is_named| {
            of_file(keys, Path::new("/k"), is_named, today).map(|found| found.severity)
        };
        assert_eq!(severity(&[old.clone(), new.clone()], true), None);
        assert_eq!(severity(std::slice::from_ref(&old), true), Some(Some(Severity::High)));
        assert_eq!(severity(&[old], false), Some(Some(Severity::Low)));
        assert_eq!(
            severity(&[TrustedKey { is_revoked: true, ..new.clone() }], true),
            Some(Some(Severity::High))
        );
        assert_eq!(
            severity(&[TrustedKey { has_weak_signature: true, ..new }], true),
            Some(Some(Severity::Low))
        );
        assert_eq!(severity(&[], true), None);
    }
}
