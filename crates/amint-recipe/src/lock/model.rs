//! What a lock file holds.

use std::fmt;

use amint_types::Digest;
use jiff::Timestamp;
use serde::Serialize;

use super::frames::Frames;
use crate::text::Choice;

/// The name of the lock file, beside the recipe.
pub const LOCK_FILE: &str = "amint.lock";
/// The version of the lock file's format that is written; it and the one before are read.
pub const LOCK_FORMAT: u32 = 1;

/// Exactly what an image is built from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Lock {
    /// The version of the format.
    pub format: u32,
    /// The program that wrote the lock, with its version: `amint 0.1.0`.
    pub tool: String,
    /// What the image starts from, and which choices led to the packages.
    pub base: LockedBase,
    /// The suites that packages are taken from, by id.
    pub suites: Vec<LockedSuite>,
    /// The packages, by name.
    pub packages: Vec<LockedPackage>,
    /// The files of this machine that reach the image, by kind and path.
    pub inputs: Vec<LockedInput>,
}

/// What an image starts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockedBase {
    /// The code name of the Debian release.
    pub debian: String,
    /// The architecture, in Debian's words: `amd64`.
    pub architecture: String,
    /// The digest of the packages of the base stage: [`base_digest`].
    pub digest: Digest,
    /// The digest of all that decides which packages are chosen: [`super::wishes_digest`].
    pub wishes: Digest,
}

/// A suite that packages are taken from, in the state that its signed `Release` file tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockedSuite {
    /// What packages refer to: `trixie`, `trixie-security`, or `repo:NAME` for a repository of the recipe.
    pub id: String,
    /// The folder below `dists/`.
    pub suite: String,
    /// The components that are used.
    pub components: Vec<String>,
    /// When the archive wrote the `Release` file.
    pub date: Timestamp,
    /// The digest of the `Release` file.
    pub release_sha256: Digest,
    /// The fingerprints of the keys that signed it.
    pub signers: Vec<String>,
    /// The address of a repository of the recipe. The distribution's own mirror is the host's affair: never here.
    pub uri: Option<String>,
    /// The digest of the keyring that a repository of the recipe was checked with.
    pub keyring_sha256: Option<Digest>,
}

/// A package of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockedPackage {
    /// The package's name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Its architecture: the image's or `all`.
    pub architecture: String,
    /// The name of the source package.
    pub source: String,
    /// The version of the source package.
    pub source_version: String,
    /// The id of the suite that it is taken from.
    pub suite: String,
    /// The component that it is taken from.
    pub component: String,
    /// The path of the `.deb` file in the archive: `pool/main/…`.
    pub file: String,
    /// The size of the `.deb` file.
    pub bytes: u64,
    /// The digest of the `.deb` file.
    pub sha256: Digest,
    /// What it takes on the disk, in KiB, as its control data tell.
    pub installed_kib: u64,
    /// Whether it is part of the base or added by the recipe.
    pub stage: Stage,
    /// Whether it was asked for by name, not only needed by another package.
    pub is_requested: bool,
}

/// When a package is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// With the base, before anything of the recipe.
    Base,
    /// On top of the base.
    Added,
}

/// A file or folder of this machine that reaches the image or decides what does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LockedInput {
    /// What it is.
    pub kind: InputKind,
    /// The path, as in the recipe.
    pub path: String,
    /// The digest: of a file's content; of a folder's names, kinds, contents, links and executable files.
    pub sha256: Digest,
    /// The size of the content.
    pub bytes: u64,
    /// How many files and links there are.
    pub files: u64,
    /// Whether a single file may be executed, where that makes a difference to the image.
    pub is_executable: bool,
}

/// What an input is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A single file of `[[files]]`.
    File,
    /// A folder of `[[files]]`.
    Folder,
    /// A script of `[[run]]`.
    Script,
    /// A keyring that an archive is checked with.
    Keyring,
}

impl Stage {
    /// Returns the word that lock files use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Base => "base",
            Self::Added => "added",
        }
    }
}

impl Choice for Stage {
    const WHAT: &'static str = "a stage";
    const ALL: &'static [Self] = &[Self::Base, Self::Added];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl InputKind {
    /// Returns the word that lock files use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Script => "script",
            Self::Keyring => "keyring",
        }
    }
}

impl fmt::Display for InputKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Choice for InputKind {
    const WHAT: &'static str = "a kind of input";
    const ALL: &'static [Self] = &[Self::File, Self::Folder, Self::Script, Self::Keyring];

    fn word(self) -> &'static str {
        self.as_str()
    }
}

impl Lock {
    /// Puts suites, packages and inputs into the order in which they are written.
    pub fn sort(&mut self) {
        self.suites.sort_by(|left, right| left.id.cmp(&right.id));
        self.packages.sort_by(|left, right| {
            (&left.name, &left.architecture, &left.version).cmp(&(
                &right.name,
                &right.architecture,
                &right.version,
            ))
        });
        self.inputs.sort_by(|left, right| (left.kind, &left.path).cmp(&(right.kind, &right.path)));
    }

    /// Returns the package of a name.
    pub fn package(&self, name: &str) -> Option<&LockedPackage> {
        self.packages.iter().find(|package| package.name == name)
    }
}

/// Computes the digest of the packages of the base stage, in whatever order they are; others do not count.
pub fn base_digest(packages: &[LockedPackage]) -> Digest {
    let mut base: Vec<_> = packages
        .iter()
        .filter(|package| package.stage == Stage::Base)
        .map(|package| (&package.name, &package.version, &package.architecture, package.sha256))
        .collect();
    base.sort();
    let mut frames = Frames::new("amint base 1");
    for (name, version, architecture, sha256) in base {
        frames.add(name.as_bytes());
        frames.add(version.as_bytes());
        frames.add(architecture.as_bytes());
        frames.add(sha256.as_bytes());
    }
    frames.finish()
}
