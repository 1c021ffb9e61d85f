//! Repositories: whether they are signed, who may change their list, and whose they are.

use std::path::Path;

use amint_packages::repositories::{Manager, Repository};
use amint_types::Severity;
use amint_types::report::Finding;
use amint_types::scan::OperatingSystem;

use super::milder;
use crate::facts::apt_settings::AptSettings;
use crate::facts::packages::{Installed, repositories, system};
use crate::rule::{finding, finding_at};
use crate::system::repositories::{SourceFile, Sources};
use crate::{CheckError, Context, FixContext};

/// What is said of lists and keys that anybody may write.
pub(super) const OPEN: &str = "anybody may change where packages come from";
/// Settings of apt that let it take what nobody signed.
const UNSIGNED_SETTINGS: [&str; 5] = [
    "APT::Get::AllowUnauthenticated",
    "Acquire::AllowInsecureRepositories",
    "Acquire::AllowDowngradeToInsecureRepositories",
    "Acquire::AllowWeakRepositories",
    "Acquire::https::Verify-Peer",
];
/// Places that name sources and keys.
const PLACES: [&str; 10] = [
    "/etc/apt/sources.list",
    "/etc/apt/sources.list.d",
    "/etc/apt/trusted.gpg",
    "/etc/apt/trusted.gpg.d",
    "/etc/apt/keyrings",
    "/etc/apt/apt.conf.d",
    "/etc/yum.repos.d",
    "/etc/pki/rpm-gpg",
    "/etc/zypp/repos.d",
    "/etc/apk/repositories",
];
/// Parts of the archives of Debian and Ubuntu.
const COMPONENTS: [&str; 7] =
    ["main", "contrib", "non-free", "non-free-firmware", "universe", "multiverse", "restricted"];
/// What stands behind the name of a release in its own suites.
const POCKETS: [&str; 7] =
    ["", "-updates", "-security", "-backports", "-proposed-updates", "/updates", "-proposed"];
/// Beginnings of the ids of systems' own repositories.
const OWN_IDS: [(&str, &[&str]); 9] = [
    ("amzn", &["amazonlinux", "amzn2", "kernel-livepatch"]),
    ("rhel", &["rhel-", "rhui-", "codeready-builder-"]),
    (
        "almalinux",
        &["baseos", "appstream", "extras", "crb", "highavailability", "resilientstorage", "nfv", "rt"],
    ),
    ("rocky", &["baseos", "appstream", "extras", "crb", "highavailability", "resilientstorage", "nfv", "rt"]),
    ("centos", &["baseos", "appstream", "extras", "crb", "base", "updates"]),
    ("ol", &["ol7_", "ol8_", "ol9_", "ol10_"]),
    ("fedora", &["fedora", "updates"]),
    ("sles", &["sle-", "suse_linux_enterprise", "basesystem_module", "server_applications_module"]),
    ("opensuse-leap", &["repo-", "opensuse:"]),
];
/// Names of suites that belong to no one release.
const MOVING: [&str; 7] = ["stable", "oldstable", "testing", "unstable", "sid", "experimental", "devel"];

pub(super) fn check(
    cx: &Context<'_>,
    installed: &Installed,
    sources: &Sources,
) -> Result<Vec<Finding>, CheckError> {
    let mut findings = settings(cx)?;
    findings.extend(unsigned_for_all(sources));
    findings.extend(writable(cx, sources)?);
    let system = system(cx)?;
    for file in &sources.files {
        let is_own = is_own_file(file, installed);
        for repository in file.content.repositories.iter().filter(|repository| repository.is_enabled) {
            let own = match repository.manager {
                Manager::Apt => is_own_suite(repository, Option::as_ref(&*system)),
                Manager::Dnf | Manager::Zypper => is_own || has_own_id(repository, Option::as_ref(&*system)),
                // Whose a repository of apk is only its address tells.
                _ => true,
            };
            findings.extend(judge(file, repository, own));
        }
        if file.content.problems.count() > 0 {
            let what = file.content.problems.iter().next().map(ToString::to_string).unwrap_or_default();
            let message = format!("a list of sources cannot be understood: {what}");
            findings.push(milder(finding(message, Path::new(&file.path)), Severity::Low));
        }
    }
    Ok(findings)
}

fn judge(file: &SourceFile, repository: &Repository, is_own: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    let addresses = repository.uris.iter().chain(&repository.mirror_list).chain(&repository.metalink);
    let is_plain = addresses.clone().any(|address| address.contains("http://"));
    let is_fetched =
        addresses.clone().any(|address| !address.starts_with("file:") && !address.starts_with('/'));
    let told = |message: &str| told(file, repository, message);
    // dnf checks nothing where nobody tells it to; zypper and apk check always.
    let is_silent = repository.manager == Manager::Dnf
        && repository.checks_packages.is_none()
        && repository.checks_metadata != Some(true);
    if repository.is_unsigned() || is_silent {
        let how = match (repository.is_trusted, is_silent) {
            (Some(true), _) => "trusted=yes",
            (_, true) => "no gpgcheck",
            _ => "gpgcheck=0",
        };
        let way = if is_plain { ", over plain HTTP" } else { "" };
        findings.push(told(&format!("a source is used without a signature ({how}){way}")));
    } else if is_plain && repository.manager == Manager::Dnf && repository.checks_metadata != Some(true) {
        let message = "a source over plain HTTP signs its packages and not its list: old ones can be served";
        findings.push(milder(told(message), Severity::Low));
    }
    if repository.checks_certificate == Some(false) {
        findings
            .push(milder(told("the certificate of a source is not checked (sslverify=0)"), Severity::Medium));
    }
    if !is_own && is_fetched {
        findings.push(milder(told("a source is not the system's own"), Severity::Medium));
    }
    findings
}

fn told(file: &SourceFile, repository: &Repository, message: &str) -> Finding {
    let path = Path::new(&file.path);
    let name = repository.id.clone().or_else(|| repository.uris.first().cloned()).unwrap_or_default();
    let line = u32::try_from(repository.position).unwrap_or(u32::MAX);
    let mut found = finding_at(message, path, line, &name);
    // Paragraphs are counted, and their lines are not known.
    if file.path.ends_with(".sources") {
        found.evidence.line = None;
    }
    found
}

/// Finds that dnf or yum is told to check no signatures, where a source leaves it at that.
fn unsigned_for_all(sources: &Sources) -> Option<Finding> {
    let (path, _) = sources.main.as_ref().filter(|(_, main)| main.checks_packages == Some(false))?;
    let mut repositories = sources.files.iter().flat_map(|file| &file.content.repositories);
    let is_relied_on = repositories.any(|repository| {
        repository.manager == Manager::Dnf && repository.is_enabled && repository.is_unsigned()
    });
    is_relied_on
        .then(|| finding("signatures of packages are checked for no source (gpgcheck=0)", Path::new(path)))
}

fn settings(cx: &Context<'_>) -> Result<Vec<Finding>, CheckError> {
    let settings = cx.fact(AptSettings::load)?;
    let mut findings = Vec::new();
    for name in UNSIGNED_SETTINGS {
        let Some(setting) = settings.get(name) else { continue };
        let is_yes = matches!(setting.value.to_ascii_lowercase().as_str(), "1" | "yes" | "true" | "on");
        let is_bad = if name.ends_with("Verify-Peer") { !is_yes } else { is_yes };
        if is_bad {
            let text = format!("{name} \"{}\"", setting.value);
            let message = "apt is told to take what is not signed or not checked";
            findings.push(finding_at(message, &setting.path, setting.line, &text));
        }
    }
    Ok(findings)
}

/// Finds lists and keys that anybody may write.
fn writable(cx: &Context<'_>, sources: &Sources) -> Result<Vec<Finding>, CheckError> {
    let mut findings = Vec::new();
    let files = sources.files.iter().map(|file| file.path.as_str());
    for path in PLACES.into_iter().chain(files.filter(|path| !PLACES.contains(path))) {
        let metadata = cx.metadata_following(path)?;
        if metadata.is_some_and(|metadata| metadata.mode & 0o002 != 0) {
            findings.push(finding(OPEN, Path::new(path)));
        }
    }
    Ok(findings)
}

/// Takes the right to write lists and keys from everybody but their owner and group.
pub(super) fn close(cx: &FixContext<'_>) -> Result<(), CheckError> {
    let look = cx.look();
    for found in writable(&look, &*repositories(&look)?)? {
        let path = look.tree().resolve(Path::new(&found.evidence.path))?;
        if let Some(metadata) = look.metadata(&path)? {
            cx.chmod(&path, metadata.mode & 0o7775)?;
        }
    }
    Ok(())
}

/// Tells whether a source of apt is one of the system's own suites: what is not known is held to be.
pub(in crate::rules) fn is_own_suite(repository: &Repository, system: Option<&OperatingSystem>) -> bool {
    let Some(system) = system.filter(|system| matches!(system.id.as_str(), "debian" | "ubuntu")) else {
        return true;
    };
    let names_own_key = repository
        .keys
        .iter()
        .all(|key| key.contains(&format!("{}-archive", system.id)) || !key.contains('/'));
    let is_own = |suite: &String| {
        let codename = system.codename.as_deref().unwrap_or_default();
        let starts = std::iter::once(codename).filter(|name| !name.is_empty()).chain(MOVING);
        let mut rests = starts.filter_map(|start| suite.strip_prefix(start));
        codename.is_empty() || rests.any(|rest| POCKETS.contains(&rest))
    };
    let has_own_parts =
        repository.components.iter().all(|component| COMPONENTS.contains(&component.as_str()));
    names_own_key
        && !repository.has_embedded_key
        && !repository.components.is_empty()
        && has_own_parts
        && repository.suites.iter().all(is_own)
}

/// Tells whether a repository of rpm has one of the ids that its system's own have.
fn has_own_id(repository: &Repository, system: Option<&OperatingSystem>) -> bool {
    let Some(system) = system else { return true };
    let id = repository.id.as_deref().unwrap_or_default().to_ascii_lowercase();
    let starts = OWN_IDS.iter().find(|(name, _)| *name == system.id).map_or(&[][..], |(_, starts)| starts);
    starts.iter().any(|start| id.starts_with(start))
}

/// Tells whether a list of sources came with a package of who made the system.
fn is_own_file(file: &SourceFile, installed: &Installed) -> bool {
    let vendor = |name: &str| installed.find(name).and_then(|package| package.vendor.clone());
    let Some(own) = ["filesystem", "glibc", "bash", "rpm"].iter().find_map(|name| vendor(name)) else {
        // Without a database nobody can say.
        return true;
    };
    installed.owner(&file.path).is_some_and(|package| package.vendor.as_ref() == Some(&own))
}
