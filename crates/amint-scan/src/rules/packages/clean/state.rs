//! How far packages are installed, and whether they are held.

use std::path::Path;

use amint_packages::dpkg::Want;
use amint_types::Severity;
use amint_types::report::Finding;

use super::milder;
use crate::facts::packages::Installed;
use crate::rule::finding;

pub(super) fn check(installed: &Installed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (package, details) in installed.iter() {
        let Some(status) = details.status else { continue };
        let path = Path::new(&package.path);
        if let Some(trouble) = status.trouble() {
            // A trigger that waits leaves a package that works.
            let found = finding(format!("package `{}` is not whole: {trouble}", package.name), path);
            let is_trigger = trouble.starts_with("triggers");
            findings.push(if is_trigger { milder(found, Severity::Medium) } else { found });
        }
        if status.want == Want::Hold {
            let message = format!("package `{}` is held, so it gets no fixes", package.name);
            findings.push(milder(finding(message, path), Severity::Medium));
        }
        if matches!(status.want, Want::Deinstall | Want::Purge) && status.trouble().is_none() {
            let message = format!("package `{}` is marked for removal and still there", package.name);
            findings.push(milder(finding(message, path), Severity::Low));
        }
    }
    let damage = installed.problems().map(|problem| {
        let (path, what) = problem.split_once(": ").unwrap_or(("/", problem));
        let path = if path.starts_with('/') { path } else { "/" };
        milder(finding(format!("the package database has a flaw: {what}"), Path::new(path)), Severity::Medium)
    });
    findings.extend(damage);
    findings
}
