//! Architectures that are not the system's own.

use std::collections::BTreeMap;
use std::path::Path;

use amint_types::Severity;
use amint_types::report::Finding;

use super::milder;
use crate::facts::packages::Installed;
use crate::rule::{finding, finding_at};
use crate::{CheckError, Context};

const ARCHITECTURES: &str = "/var/lib/dpkg/arch";

pub(super) fn check(cx: &Context<'_>, installed: &Installed) -> Result<Vec<Finding>, CheckError> {
    let native = ["dpkg", "base-files", "libc6"].iter().find_map(|name| {
        let own = installed.find(name)?.architecture.clone()?;
        (own != "all").then_some(own)
    });
    let mut findings = Vec::new();
    let text = cx.text(ARCHITECTURES)?.unwrap_or_default();
    // The first is the system's own.
    for (number, line) in (1_u32..).zip(text.lines()) {
        let name = line.trim();
        let is_own = native.as_deref().map_or(number == 1, |native| native == name);
        if !name.is_empty() && !is_own {
            let message = format!("packages of the foreign architecture `{name}` may be installed");
            findings.push(milder(finding_at(message, Path::new(ARCHITECTURES), number, line), Severity::Low));
        }
    }
    let Some(native) = native else { return Ok(findings) };
    let mut foreign: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (package, details) in installed.iter() {
        let other = package.architecture.as_deref().filter(|other| *other != native && *other != "all");
        if let (Some(other), Some(_)) = (other, details.status) {
            foreign.entry(other).or_default().push(&package.name);
        }
    }
    for (other, names) in foreign {
        let message = format!("{} packages are of the foreign architecture `{other}`", names.len());
        findings.push(milder(finding(message, Path::new("/var/lib/dpkg/status")), Severity::Low));
    }
    Ok(findings)
}
