//! Files that packages own, and whether they are still what the package brought.

use amint_types::scan::ModifiedFile;

use crate::content::{ContentDigest, ContentHasher, DigestAlgorithm};

/// A file that a package owns, in the words that all databases share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedFile {
    /// Where it is, beginning with `/`.
    pub path: String,
    /// The digest of its content, where the database has one: not for folders, links and files made later.
    pub digest: Option<ContentDigest>,
    /// Its size in bytes, where the database has it.
    pub size_bytes: Option<u64>,
    /// Type and permission bits, where the database has them.
    pub mode: Option<u32>,
    /// Whether the package expects it to be changed.
    pub is_configuration: bool,
    /// Whether it may be missing without anything being wrong: rpm's ghosts and `missingok`, files that were not
    /// installed.
    pub may_be_missing: bool,
    /// Whether its content is not the package's: rpm's ghosts, files that another package replaced.
    pub may_differ: bool,
}

/// What lies at the path of an owned file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actual<'a> {
    /// Nothing.
    Missing,
    /// A symbolic link. apk keeps the digest of its target where a package brought a link.
    Link {
        /// Where it points to, as the bytes it is.
        target: &'a [u8],
    },
    /// Something that is neither a regular file nor a link: a folder, a device.
    Other,
    /// A regular file.
    File {
        /// Its size.
        size_bytes: u64,
        /// Digests of its content, one for each algorithm that was computed.
        digests: &'a [ContentDigest],
    },
}

/// How a file differs from what its package brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// Its content is another, or it is no regular file any more.
    Changed,
    /// It is not there.
    Missing,
}

impl Change {
    /// Returns the word of reports: `changed`, `missing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Missing => "missing",
        }
    }

    /// Makes the entry of a report; `package` is the name of the owner.
    pub fn report(self, file: &OwnedFile, package: &str) -> ModifiedFile {
        ModifiedFile {
            path: file.path.clone(),
            package: package.to_owned(),
            is_configuration: file.is_configuration,
            change: self.as_str().to_owned(),
        }
    }
}

impl OwnedFile {
    /// Returns the algorithm that its content must be read with to compare it; none if nothing can be compared.
    pub fn wanted_algorithm(&self) -> Option<DigestAlgorithm> {
        self.digest.filter(|_| !self.may_differ).map(|digest| digest.algorithm())
    }

    /// Tells how it changed; none if it did not, or if there is nothing to compare.
    ///
    /// A file of another size is changed without its content being read, so `digests` may then be empty. Only files
    /// with a digest are judged: databases also list links and folders, whose absence says nothing about content.
    pub fn change(&self, actual: &Actual<'_>) -> Option<Change> {
        let wanted = self.digest?;
        match actual {
            Actual::Missing => (!self.may_be_missing).then_some(Change::Missing),
            _ if self.may_differ => None,
            Actual::Other => Some(Change::Changed),
            Actual::Link { target } => {
                let found = ContentHasher::digest(wanted.algorithm(), target);
                (found != Some(wanted)).then_some(Change::Changed)
            }
            Actual::File { size_bytes, digests } => {
                if self.size_bytes.is_some_and(|size| size != *size_bytes) {
                    return Some(Change::Changed);
                }
                let found = digests.iter().find(|digest| digest.algorithm() == wanted.algorithm())?;
                (*found != wanted).then_some(Change::Changed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn md5(content: &[u8]) -> ContentDigest {
        ContentHasher::digest(DigestAlgorithm::Md5, content).unwrap()
    }

    fn file() -> OwnedFile {
        OwnedFile {
            path: "/bin/x".to_owned(),
            digest: Some(md5(b"one")),
            size_bytes: None,
            mode: None,
            is_configuration: false,
            may_be_missing: false,
            may_differ: false,
        }
    }

    #[test]
    fn tells_changed_and_missing_content() {
        let (same, other) = ([md5(b"one")], [md5(b"two")]);
        let owned = file();
        assert_eq!(owned.change(&Actual::File { size_bytes: 3, digests: &same }), None);
        assert_eq!(owned.change(&Actual::File { size_bytes: 3, digests: &other }), Some(Change::Changed));
        assert_eq!(owned.change(&Actual::Missing), Some(Change::Missing));
        assert_eq!(owned.change(&Actual::Other), Some(Change::Changed));
        assert_eq!(owned.change(&Actual::Link { target: b"one" }), None);
        assert_eq!(owned.change(&Actual::Link { target: b"two" }), Some(Change::Changed));
        let report = Change::Changed.report(&owned, "x");
        assert_eq!((report.path.as_str(), report.change.as_str()), ("/bin/x", "changed"));
    }

    #[test]
    fn a_size_that_differs_needs_no_digest() {
        let owned = OwnedFile { size_bytes: Some(3), ..file() };
        assert_eq!(owned.change(&Actual::File { size_bytes: 4, digests: &[] }), Some(Change::Changed));
        assert_eq!(owned.change(&Actual::File { size_bytes: 3, digests: &[] }), None);
    }

    #[test]
    fn what_may_differ_or_be_missing_is_no_change() {
        let ghost = OwnedFile { may_differ: true, may_be_missing: true, ..file() };
        assert_eq!(ghost.change(&Actual::Missing), None);
        assert_eq!(ghost.change(&Actual::File { size_bytes: 3, digests: &[md5(b"two")] }), None);
        assert_eq!(ghost.wanted_algorithm(), None);
    }
}
