//! What keeps packages from being updated: pins, locks and exclusions.

use std::path::{Path, PathBuf};

use amint_debian::control::{Paragraph, Paragraphs};
use amint_packages::apk::read_world;
use amint_types::Severity;
use amint_types::report::Finding;

use super::milder;
use crate::rule::{finding, finding_at};
use crate::system::repositories::Sources;
use crate::{CheckError, Context};

/// Lists of packages that rpm's managers leave as they are.
const LOCKS: [&str; 4] = [
    "/etc/dnf/plugins/versionlock.list",
    "/etc/yum/pluginconf.d/versionlock.list",
    "/etc/dnf/versionlock.toml",
    "/etc/zypp/locks",
];
/// The priority that versions of regular sources have.
const REGULAR_PRIORITY: i64 = 500;

pub(super) fn check(cx: &Context<'_>, sources: &Sources) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    for path in preferences(cx)? {
        findings.extend(cx.read(&path)?.map(|content| pins(&content, &path)).unwrap_or_default());
    }
    for path in LOCKS.map(Path::new) {
        let text = cx.text(path)?.unwrap_or_default();
        let is_toml = path.extension().is_some_and(|ending| ending == "toml");
        for (number, line) in (1_u32..).zip(text.lines()) {
            let line = line.trim();
            let names_one = if is_toml {
                line.starts_with("name")
            } else if path.ends_with("locks") {
                line.starts_with("solvable_name:")
            } else {
                !line.is_empty() && !line.starts_with(['#', '!'])
            };
            if names_one {
                let found =
                    finding_at("a package is locked to its version, so it gets no fixes", path, number, line);
                findings.push(milder(found, Severity::Medium));
            }
        }
    }
    if let Some((path, main)) = &sources.main
        && !main.excludes.is_empty()
    {
        let message = format!("packages are excluded from updates: {}", main.excludes.join(" "));
        findings.push(milder(finding(message, Path::new(path)), Severity::Medium));
    }
    let world = Path::new("/etc/apk/world");
    for entry in cx.read(world)?.map(|content| read_world(&content)).unwrap_or_default() {
        if let Some(constraint) = entry.constraint.filter(|constraint| constraint.starts_with('=')) {
            let message = format!("package `{}` is held at {constraint}, so it gets no fixes", entry.name);
            findings.push(milder(finding(message, world), Severity::Medium));
        }
    }
    Ok(findings)
}

fn preferences(cx: &Context<'_>) -> Result<Vec<PathBuf>, CheckError> {
    let folder = Path::new("/etc/apt/preferences.d");
    let mut paths = vec![PathBuf::from("/etc/apt/preferences")];
    for entry in cx.list(folder)? {
        let name = entry.name.to_string_lossy();
        if name.rsplit_once('.').is_none_or(|(_, ending)| ending == "pref") {
            paths.push(folder.join(&entry.name));
        }
    }
    // A folder among them is no list of pins.
    let mut files = Vec::new();
    for path in paths {
        if cx.metadata_following(&path)?.is_some_and(|found| found.is_file()) {
            files.push(path);
        }
    }
    Ok(files)
}

/// Finds pins: to a version they hold a package, to a source they prefer it.
fn pins(content: &[u8], path: &Path) -> Vec<Finding> {
    let (mut paragraphs, mut paragraph) = (Paragraphs::new(content), Paragraph::default());
    let mut findings = Vec::new();
    // Comments before a paragraph, and lines that make no sense, are apt's business.
    while let Ok(true) = paragraphs.next_into(&mut paragraph) {
        let (Some(package), Some(pin)) = (paragraph.get("Package"), paragraph.get("Pin")) else { continue };
        let priority = paragraph.get("Pin-Priority").and_then(|text| text.trim().parse::<i64>().ok());
        let holds =
            pin.trim_start().starts_with("version") && priority.is_some_and(|rank| rank > REGULAR_PRIORITY);
        let message = if holds {
            format!("`{package}` is pinned to {pin}, so it gets no fixes")
        } else {
            format!("`{package}` is pinned to {pin} with priority {}", priority.unwrap_or(0))
        };
        let severity = if holds { Severity::Medium } else { Severity::Low };
        findings.push(milder(finding(message, path), severity));
    }
    findings
}
