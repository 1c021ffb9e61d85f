//! Which files packages brought, and what they held: as far as Debian's package manager tells without its database.

use std::collections::HashMap;
use std::path::Path;

use amint_packages::Problems;
use amint_packages::content::{ContentDigest, DigestAlgorithm};
use amint_packages::dpkg::{InfoName, md5_sums};

use crate::{CheckError, Context};

const INFO: &str = "/var/lib/dpkg/info";
const STATUS: &str = "/var/lib/dpkg/status";
/// How many files are remembered.
const FILES_MAX: usize = 4_000_000;

/// A file of a package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PackagedFile {
    pub(crate) package: String,
    pub(crate) digest: ContentDigest,
}

/// All files of packages, by path.
#[derive(Clone, Debug, Default)]
pub(crate) struct Packaged {
    by_path: HashMap<Box<[u8]>, PackagedFile>,
    /// The package of each content: programs put copies of what packages brought elsewhere.
    by_digest: HashMap<Box<[u8]>, String>,
}

impl Packaged {
    /// Reads the digests of all packages, and those of their configuration files.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut files = HashMap::new();
        for entry in cx.list(INFO)? {
            let name = entry.name.to_string_lossy();
            let Some(info) = InfoName::parse(&name).filter(|info| info.kind == "md5sums") else { continue };
            let content = cx.read(&Path::new(INFO).join(&entry.name))?.unwrap_or_default();
            for line in md5_sums(&content, &mut Problems::default()) {
                if files.len() < FILES_MAX {
                    let file = PackagedFile { package: info.package.to_owned(), digest: line.digest };
                    files.insert(line.path.into(), file);
                }
            }
        }
        let mut package = String::new();
        for line in cx.text(STATUS)?.unwrap_or_default().lines() {
            if let Some(name) = line.strip_prefix("Package: ") {
                name.trim().clone_into(&mut package);
            }
            let Some((path, digest)) = line.strip_prefix(" /").and_then(|rest| rest.split_once(' ')) else {
                continue;
            };
            let digits = digest.split_whitespace().next().unwrap_or_default();
            if let Some(digest) = ContentDigest::from_hex(DigestAlgorithm::Md5, digits.as_bytes()) {
                files.insert(path.as_bytes().into(), PackagedFile { package: package.clone(), digest });
            }
        }
        let content = |file: &PackagedFile| (file.digest.as_bytes().into(), file.package.clone());
        let by_digest = files.values().map(content).collect();
        Ok(Self { by_path: files, by_digest })
    }

    /// Returns what is known of a file; packages may name it by where it lay before `/usr` was merged.
    pub(crate) fn file(&self, path: &Path) -> Option<&PackagedFile> {
        let path = path.to_str()?.strip_prefix('/')?;
        let before_merge = path.strip_prefix("usr/");
        self.by_path.get(path.as_bytes()).or_else(|| self.by_path.get(before_merge?.as_bytes()))
    }

    /// Returns the package that brought this content, wherever that lies now.
    pub(crate) fn package_of(&self, digest: &ContentDigest) -> Option<&str> {
        self.by_digest.get(digest.as_bytes()).map(String::as_str)
    }
}
