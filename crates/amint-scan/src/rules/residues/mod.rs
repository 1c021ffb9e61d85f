//! What a build leaves behind.

mod cloud_init_state;
mod histories;
mod logs;
mod package_caches;
mod temporary_files;

use cloud_init_state::CloudInitState;
use histories::Histories;
use logs::Logs;
use package_caches::PackageCaches;
use temporary_files::TemporaryFiles;

use amint_types::report::Finding;

use crate::{CheckError, Context, Rule, Severities};

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &Histories,      // SEC-005
    &Logs,           // SEC-006
    &CloudInitState, // SEC-007
    &PackageCaches,  // SEC-016
    &TemporaryFiles, // SEC-017
];

/// Weighs what was left behind: as the rule says where a secret is inside, and as `harmless` says elsewhere.
fn weighed(
    cx: &Context<'_>,
    findings: Vec<Finding>,
    harmless: Severities,
) -> Result<Vec<Finding>, CheckError> {
    // Most images have nothing to weigh, and a fix must not search a whole tree.
    if findings.is_empty() {
        return Ok(findings);
    }
    let secrets = cx.secrets()?;
    let weigh = |mut finding: Finding| {
        if secrets.is_grave_at(&finding.evidence.path) {
            finding.message.push_str(" with a secret inside");
        } else {
            finding.severity = harmless.under_all(&cx.request().profiles);
        }
        finding
    };
    Ok(findings.into_iter().map(weigh).collect())
}
