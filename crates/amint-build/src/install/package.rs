//! One package that is about to be installed.

use std::path::{Path, PathBuf};

use amint_debian::deb::{Deb, verify};
use amint_debian::relation::{Relation, parse_relations};
use amint_debian::version::Version;
use amint_types::Digest;

use super::InstallError;

/// A package file and what it should be.
#[derive(Clone, Debug)]
pub struct PackageToInstall {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture: `amd64`, `all`.
    pub architecture: String,
    /// The file.
    pub file: PathBuf,
    /// The file's size.
    pub bytes: u64,
    /// The file's SHA-256.
    pub sha256: Digest,
}

/// A package whose file was found to be the right one.
pub(super) struct Candidate {
    pub(super) name: String,
    pub(super) version: Version,
    pub(super) deb: Deb,
    /// Name of its files in dpkg's database: with the architecture where several may be installed side by side.
    pub(super) info_name: String,
    replaces: Vec<Relation>,
}

impl Candidate {
    /// Checks a package file against what it should be, and reads its control files.
    pub(super) fn open(wanted: &PackageToInstall) -> Result<Self, InstallError> {
        verify(&wanted.file, wanted.bytes, &wanted.sha256)?;
        let deb = Deb::open(&wanted.file)?;
        let field = |name: &str| deb.control().get(name).unwrap_or_default().to_owned();
        let (name, version, architecture) = (field("Package"), field("Version"), field("Architecture"));
        let other = |found: String| InstallError::OtherPackage {
            wanted: format!("{} {} {}", wanted.name, wanted.version, wanted.architecture),
            found,
        };
        if (name.as_str(), version.as_str(), architecture.as_str())
            != (wanted.name.as_str(), wanted.version.as_str(), wanted.architecture.as_str())
        {
            return Err(other(format!("{name} {version} {architecture}")));
        }
        let parsed: Version = version.parse().map_err(|_| other(format!("{name} {version}")))?;
        let replaces = parse_relations(&field("Replaces")).map_err(|error| other(error.to_string()))?;
        let is_multi = deb.control().get("Multi-Arch") == Some("same");
        let info_name = if is_multi { format!("{name}:{architecture}") } else { name.clone() };
        Ok(Self { name, version: parsed, deb, info_name, replaces })
    }

    /// Tells whether this package's files may take the place of another's.
    pub(super) fn replaces(&self, name: &str, version: &Version) -> bool {
        self.replaces.iter().any(|relation| relation.name == name && relation.accepts(version))
    }

    /// The same, whatever the other's version.
    pub(super) fn replaces_any_version(&self, name: &str) -> bool {
        self.replaces.iter().any(|relation| relation.name == name)
    }

    /// Returns the paths of configuration files, relative: those that dpkg asks about when they changed.
    pub(super) fn conffiles(&self) -> Vec<Vec<u8>> {
        let text = self.deb.control_file("conffiles").unwrap_or_default();
        text.split(|byte| *byte == b'\n')
            // A line with a flag before its path names a file that the package no longer brings.
            .filter_map(|line| line.trim_ascii().strip_prefix(b"/"))
            .map(ToOwned::to_owned)
            .collect()
    }

    pub(super) fn path(&self) -> &Path {
        self.deb.path()
    }
}
