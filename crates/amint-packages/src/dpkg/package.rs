//! One package of dpkg's status file.

use amint_debian::control::Paragraph;
use amint_types::scan::{PackageKind, ScannedPackage};

use crate::content::{ContentDigest, DigestAlgorithm};
use crate::purl::{Distribution, package_url};

use super::state::Status;

/// Most configuration files and sources of one package that are kept.
const ENTRIES_MAX: usize = 100_000;

/// A configuration file that dpkg cares for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conffile {
    /// Where it is.
    pub path: String,
    /// Digest of the content that the package brought; none while dpkg does not know it (`newconffile`).
    pub digest: Option<ContentDigest>,
    /// Whether the installed version of the package has it no more.
    pub is_obsolete: bool,
    /// Whether dpkg removes it with the next version of the package.
    pub is_removed_on_upgrade: bool,
}

/// A source package in one version, whose content went into a package (`Built-Using`, `Static-Built-Using`).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SourceReference {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A package that dpkg knows, installed or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpkgPackage {
    /// Its name.
    pub name: String,
    /// Its version; empty for a package that is not installed.
    pub version: String,
    /// Its architecture.
    pub architecture: Option<String>,
    /// The source package that it was built from.
    pub source: String,
    /// The version of the source package.
    pub source_version: String,
    /// Its state.
    pub status: Status,
    /// Who maintains it.
    pub maintainer: Option<String>,
    /// Who distributes it, where the package tells: packages of others often do.
    pub origin: Option<String>,
    /// What it is about: `net`, `non-free/libs`.
    pub section: Option<String>,
    /// How important it is: `required`.
    pub priority: Option<String>,
    /// Whether every system must have it.
    pub is_essential: bool,
    /// Whether dpkg refuses to remove it.
    pub is_protected: bool,
    /// How much its files take, in KiB.
    pub installed_kib: Option<u64>,
    /// The version that was last configured, where another one is unpacked.
    pub config_version: Option<String>,
    /// Triggers that it has not handled.
    pub pending_triggers: Vec<String>,
    /// Its configuration files.
    pub conffiles: Vec<Conffile>,
    /// Sources of other packages that were built into it.
    pub built_using: Vec<SourceReference>,
}

impl DpkgPackage {
    /// Reads a paragraph of the status file; none if it names no package. Without `Status` it has `default_status`.
    pub(super) fn read(paragraph: &Paragraph, default_status: Status) -> Option<Self> {
        let text = |name: &str| paragraph.get(name).filter(|value| !value.is_empty()).map(ToOwned::to_owned);
        let is_yes = |name: &str| paragraph.get(name).is_some_and(|value| value.eq_ignore_ascii_case("yes"));
        let name = text("Package")?;
        let version = text("Version").unwrap_or_default();
        let (source, source_version) = match paragraph.get("Source").and_then(read_source) {
            Some(source) => (source.name, source.version),
            None => (name.clone(), String::new()),
        };
        let status = paragraph.get("Status").map_or(Some(default_status), Status::parse).unwrap_or_default();
        let built_using = ["Built-Using", "Static-Built-Using"]
            .into_iter()
            .filter_map(|field| paragraph.get(field))
            .flat_map(|value| value.split(','))
            .filter_map(read_source)
            .take(ENTRIES_MAX)
            .collect();
        Some(Self {
            source_version: if source_version.is_empty() { version.clone() } else { source_version },
            architecture: text("Architecture"),
            maintainer: text("Maintainer"),
            origin: text("Origin"),
            section: text("Section"),
            priority: text("Priority"),
            is_essential: is_yes("Essential"),
            is_protected: is_yes("Protected"),
            installed_kib: paragraph.get("Installed-Size").and_then(|size| size.parse().ok()),
            config_version: text("Config-Version"),
            pending_triggers: paragraph
                .get("Triggers-Pending")
                .map(|names| {
                    names.split_ascii_whitespace().take(ENTRIES_MAX).map(ToOwned::to_owned).collect()
                })
                .unwrap_or_default(),
            conffiles: paragraph
                .get("Conffiles")
                .map(|lines| lines.lines().filter_map(Conffile::parse).take(ENTRIES_MAX).collect())
                .unwrap_or_default(),
            built_using,
            name,
            version,
            source,
            status,
        })
    }

    /// Returns its package URL.
    pub fn package_url(&self, distribution: &Distribution) -> String {
        let upstream = match (self.source == self.name, self.source_version == self.version) {
            (true, true) => String::new(),
            (_, true) => self.source.clone(),
            (_, false) => format!("{}@{}", self.source, self.source_version),
        };
        let distro = distribution.qualifier().unwrap_or_default();
        let qualifiers = [
            ("arch", self.architecture.as_deref().unwrap_or_default()),
            ("distro", &distro),
            ("upstream", &upstream),
        ];
        package_url(PackageKind::Deb, &distribution.namespace(), &self.name, &self.version, &qualifiers)
    }

    /// Makes the entry of a report; `path` is the database inside the image. Licences are in another file, see
    /// [`Copyright`](super::Copyright).
    pub fn scanned(&self, distribution: &Distribution, path: &str) -> ScannedPackage {
        ScannedPackage {
            kind: PackageKind::Deb,
            name: self.name.clone(),
            version: self.version.clone(),
            architecture: self.architecture.clone(),
            source: Some(self.source.clone()),
            source_version: (self.source_version != self.version).then(|| self.source_version.clone()),
            module: None,
            vendor: self.origin.clone().or_else(|| self.maintainer.clone()),
            repository: None,
            licenses: Vec::new(),
            path: path.to_owned(),
            owner: None,
            purl: self.package_url(distribution),
            has_code: None,
        }
    }
}

/// Reads `name`, `name (version)` or `name (= version)`; the version is empty where none is given.
fn read_source(text: &str) -> Option<SourceReference> {
    let text = text.trim();
    let (name, rest) = text.split_once('(').unwrap_or((text, ""));
    let version = rest.split(')').next().unwrap_or_default().trim().trim_start_matches('=').trim();
    let name = name.trim();
    (!name.is_empty()).then(|| SourceReference { name: name.to_owned(), version: version.to_owned() })
}

impl Conffile {
    /// Reads ` path digest [obsolete] [remove-on-upgrade]`: from the end, since a path may have spaces.
    fn parse(line: &str) -> Option<Self> {
        let (mut rest, mut is_obsolete, mut is_removed_on_upgrade) = (line.trim(), false, false);
        loop {
            if let Some(shorter) = rest.strip_suffix(" obsolete") {
                (rest, is_obsolete) = (shorter, true);
            } else if let Some(shorter) = rest.strip_suffix(" remove-on-upgrade") {
                (rest, is_removed_on_upgrade) = (shorter, true);
            } else {
                break;
            }
        }
        let (path, digest) = rest.rsplit_once(' ')?;
        let digest = ContentDigest::from_hex(DigestAlgorithm::Md5, digest.as_bytes());
        path.starts_with('/').then(|| Self {
            path: path.to_owned(),
            digest,
            is_obsolete,
            is_removed_on_upgrade,
        })
    }
}
