//! The report about rights, from what a tree tells.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use amint_disk::tree::FileTree;
use amint_rights::{Image, RightsFinding, RightsReport, RightsRule, SourceManifest, judge};
use amint_types::report::Finding;

use crate::facts::packages::{Installed, installed, system};
use crate::redact::excerpt;
use crate::rule::finding;
use crate::system::packages::Databases;
use crate::{CheckError, Context, ScanRequest, Verdict};

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

pub(super) fn findings(cx: &Context<'_>, rule: RightsRule) -> Result<Verdict, CheckError> {
    let report = cx.fact(report)?;
    if report.counts.packages == 0 && rule == RightsRule::Source {
        return Ok(Verdict::NotApplicable("no package tells its licence".to_owned()));
    }
    let found = report.all_findings();
    Ok(found.iter().filter(|found| found.rule == rule).map(told).collect::<Vec<_>>().into())
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
    let image = Image {
        system: Option::as_ref(&*system),
        packages: installed.packages(),
        sections: &|name| sections.get(name).map(|section| (*section).to_owned()),
        paths: &paths,
        usage_operation: None,
    };
    let report = judge(&image, &cx.request().rights, cx.request().today);
    match failed.into_inner() {
        Some(error) => Err(error),
        None => Ok(report),
    }
}

fn told(found: &RightsFinding) -> Finding {
    let mut message = found.title.clone();
    if let Some(right) = &found.ended {
        let until = right.until.map(|day| day.to_string()).unwrap_or_default();
        message.push_str(&format!("; the right of {} ({}) ended on {until}", right.holder, right.document));
    }
    if let Some(name) = found.names.first() {
        message.push_str(&format!("; remove it or declare `{name}`"));
    }
    let mut made = finding(message, Path::new(&found.path));
    let reason: String = found.reason.chars().take(REASON_CHARS_MAX).collect();
    made.evidence.excerpt = Some(excerpt(&format!("{reason} ({})", found.source)));
    made.severity = Some(found.severity);
    made
}
