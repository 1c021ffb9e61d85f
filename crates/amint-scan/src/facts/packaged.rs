//! Which files packages brought, and what they held.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use amint_packages::content::{ContentDigest, DigestAlgorithm};

use super::packages::{installed, merged};
use crate::{CheckError, Context};

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackagedFile {
    pub(crate) package: String,
    pub(crate) digest: ContentDigest,
}

/// All files of packages whose digests are known.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packaged {
    by_path: HashMap<Box<str>, PackagedFile>,
    /// The package of each content: programs put copies of what packages brought elsewhere.
    by_digest: HashMap<ContentDigest, String>,
    algorithms: BTreeSet<DigestAlgorithm>,
}

impl Packaged {
    /// Takes what the databases of all package managers say.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut packaged = Self::default();
        for (package, file) in installed(cx)?.files() {
            let Some(digest) = file.digest.filter(|_| !file.may_differ) else { continue };
            packaged.algorithms.insert(digest.algorithm());
            packaged.by_digest.insert(digest, package.name.clone());
            let known = PackagedFile { package: package.name.clone(), digest };
            packaged.by_path.insert(merged(&file.path).into(), known);
        }
        Ok(packaged)
    }

    /// Returns what is known of a file; packages may name it by where it lay before `/usr` was merged.
    pub(crate) fn file(&self, path: &Path) -> Option<&PackagedFile> {
        self.by_path.get(merged(path.to_str()?).as_str())
    }

    /// Returns the package that brought this content, wherever that lies now.
    pub(crate) fn package_of(&self, digest: &ContentDigest) -> Option<&str> {
        self.by_digest.get(digest).map(String::as_str)
    }

    /// Returns in which forms the digests are.
    pub(crate) fn algorithms(&self) -> impl Iterator<Item = DigestAlgorithm> {
        self.algorithms.iter().copied()
    }
}
