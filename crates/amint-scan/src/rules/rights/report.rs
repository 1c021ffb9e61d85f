//! The report about rights, from what a tree tells.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use amint_disk::tree::FileTree;
use amint_rights::{Image, RightsFinding, RightsReport, RightsRule, SourceManifest, judge};
use amint_types::Severity;
use amint_types::report::Finding;
use amint_types::scan::{OperatingSystem, ScannedPackage};

use super::trials::LicenseFiles;
use crate::facts::packages::{Installed, installed, is_debian, repositories, system};
use crate::redact::excerpt;
use crate::rule::finding;
use crate::rules::packages::is_own_suite;
use crate::system::packages::Databases;
use crate::{CheckError, Context, ScanRequest};

/// Most characters of a finding's reason that are told.
const REASON_CHARS_MAX: usize = 300;

/// Gathers the sources that copyleft licences ask to be offered with an image.
///
/// # Errors
/// Fails when the packages cannot be read: then nothing can be offered.
pub fn source_manifest(
    tree: &dyn FileTree,
    request: &ScanRequest,
    packages: Option<Arc<Databases>>,
) -> Result<SourceManifest, CheckError> {
    let cx = Context::new(tree, request);
    if let Some(packages) = packages {
        cx.know(Installed::of(packages));
    }
    Ok(report(&cx)?.copyleft)
}

/// Tells whether there are packages to judge.
pub(super) fn has_packages(cx: &Context<'_>) -> Result<bool, CheckError> {
    Ok(cx.fact(report)?.counts.packages > 0)
}

pub(super) fn findings(cx: &Context<'_>, rule: RightsRule) -> Result<Vec<Finding>, CheckError> {
    let found = cx.fact(report)?.all_findings();
    let (promised, others): (Vec<_>, Vec<_>) =
        found.iter().filter(|found| found.rule == rule).partition(|found| is_promised(found));
    let mut findings: Vec<Finding> = others.into_iter().map(told).collect();
    match promised[..] {
        [] => {}
        [one] => findings.push(told(one)),
        _ => findings.push(told_at_once(&promised)),
    }
    Ok(findings)
}

/// Tells whether only the letter of a licence is unknown, because the archive promises that all it has is free.
fn is_promised(found: &RightsFinding) -> bool {
    found.severity == Severity::Low && found.package.is_some() && found.ended.is_none()
}

/// Tells of many packages at once what weighs little and is the same for all.
fn told_at_once(found: &[&RightsFinding]) -> Finding {
    let names: Vec<&str> = found.iter().filter_map(|one| Some(one.package.as_ref()?.name.as_str())).collect();
    let message = format!(
        "{} packages of an archive of free software have licences of their own: {}",
        names.len(),
        names.join(", ")
    );
    let mut made = finding(message, Path::new(&found[0].path));
    made.evidence.excerpt = Some(format!(
        "a person may read what they allow; the archive promises that all of it may be sold ({})",
        found[0].source
    ));
    made.severity = Some(Severity::Low);
    made
}

fn report(cx: &Context<'_>) -> Result<RightsReport, CheckError> {
    let installed = installed(cx)?;
    let system = system(cx)?;
    let sections: HashMap<&str, &str> = installed
        .iter()
        .filter_map(|(package, details)| Some((package.name.as_str(), details.section.as_deref()?)))
        .collect();
    // The judge asks yes or no; what could not be looked at is told afterwards.
    let failed: RefCell<Option<CheckError>> = RefCell::new(None);
    let paths = |path: &str| match cx.exists(path) {
        Ok(is_there) => is_there,
        Err(error) => {
            failed.borrow_mut().get_or_insert(error);
            false
        }
    };
    let packages = promised(cx, installed.packages(), Option::as_ref(&*system))?;
    let image = Image {
        system: Option::as_ref(&*system),
        packages: &packages,
        sections: &|name| sections.get(name).map(|section| (*section).to_owned()),
        paths: &paths,
        usage_operation: None,
    };
    let mut report = judge(&image, &cx.request().rights, cx.request().today);
    let files = cx.fact(LicenseFiles::load)?;
    report.unused.retain(|unused| !files.need(&unused.right));
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

/// Names the archive as the vendor of Debian packages where all sources are the system's own: their maintainers are
/// people, whose addresses do not tell that the archive's promise of free software holds for them too.
fn promised<'a>(
    cx: &Context<'_>,
    packages: &'a [ScannedPackage],
    system: Option<&OperatingSystem>,
) -> Result<Cow<'a, [ScannedPackage]>, CheckError> {
    let Some(system) = system.filter(|system| matches!(system.id.as_str(), "debian" | "ubuntu")) else {
        return Ok(Cow::Borrowed(packages));
    };
    let sources = repositories(cx)?;
    let mut enabled = sources
        .files
        .iter()
        .flat_map(|file| &file.content.repositories)
        .filter(|repository| repository.is_enabled)
        .peekable();
    if enabled.peek().is_none() || !enabled.all(|repository| is_own_suite(repository, Some(system))) {
        return Ok(Cow::Borrowed(packages));
    }
    let mut packages = packages.to_vec();
    for package in packages.iter_mut().filter(|package| is_debian(package)) {
        package.vendor = Some(system.id.clone());
    }
    Ok(Cow::Owned(packages))
}

fn told(found: &RightsFinding) -> Finding {
    let mut message = found.title.clone();
    if let Some(right) = &found.ended {
        let until = right.until.map(|day| day.to_string()).unwrap_or_default();
        message = format!("{message}; the right of {} ({}) ended on {until}", right.holder, right.document);
    }
    if let Some(name) = found.names.first() {
        message = format!("{message}; remove it or declare `{name}`");
    }
    let mut made = finding(message, Path::new(&found.path));
    let reason: String = found.reason.chars().take(REASON_CHARS_MAX).collect();
    // The source is an address of ours: nothing in it is to be masked.
    made.evidence.excerpt = Some(format!("{} ({})", excerpt(&reason), found.source));
    made.severity = Some(found.severity);
    made
}
