//! One repository, in the words that all managers share.

use crate::Problems;

/// Most repositories of one file that are kept.
pub const REPOSITORIES_MAX: usize = 10_000;

/// Which package manager uses a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Manager {
    /// Debian's.
    Apt,
    /// dnf and yum.
    Dnf,
    /// SUSE's.
    Zypper,
    /// Alpine's.
    Apk,
}

/// A repository that an image is set up to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Repository {
    /// Which manager uses it.
    pub manager: Manager,
    /// Where in the file it is: the line from 1, for apt's `.sources` the number of the paragraph.
    pub position: u64,
    /// Its id: the section of a `.repo` file.
    pub id: Option<String>,
    /// Its name for people.
    pub name: Option<String>,
    /// Whether it is used.
    pub is_enabled: bool,
    /// apt: `deb`, `deb-src`.
    pub types: Vec<String>,
    /// Where it is, with variables filled in as far as they are known.
    pub uris: Vec<String>,
    /// An address that lists mirrors.
    pub mirror_list: Option<String>,
    /// An address of a metalink, which lists mirrors too.
    pub metalink: Option<String>,
    /// apt: `trixie-security`; apk: the branch, `v3.20`.
    pub suites: Vec<String>,
    /// apt: `main`; apk: `community`.
    pub components: Vec<String>,
    /// The architectures that it is restricted to.
    pub architectures: Vec<String>,
    /// Where its keys are: paths, addresses, fingerprints.
    pub keys: Vec<String>,
    /// apt: whether a key stands in the file itself.
    pub has_embedded_key: bool,
    /// apt's `Trusted`: used even unsigned (`yes`), or never held to be signed (`no`).
    pub is_trusted: Option<bool>,
    /// Whether signatures of packages are checked (`gpgcheck`), where the file says so.
    pub checks_packages: Option<bool>,
    /// Whether signatures of the repository itself are checked (`repo_gpgcheck`), where the file says so.
    pub checks_metadata: Option<bool>,
    /// Whether the certificate of its server is checked (`sslverify`), where the file says so.
    pub checks_certificate: Option<bool>,
    /// dnf, zypper: its rank.
    pub priority: Option<i64>,
    /// apk: only what is asked for by this tag is taken from it.
    pub tag: Option<String>,
}

impl Repository {
    pub(super) fn new(manager: Manager, position: u64) -> Self {
        Self {
            manager,
            position,
            id: None,
            name: None,
            is_enabled: true,
            types: Vec::new(),
            uris: Vec::new(),
            mirror_list: None,
            metalink: None,
            suites: Vec::new(),
            components: Vec::new(),
            architectures: Vec::new(),
            keys: Vec::new(),
            has_embedded_key: false,
            is_trusted: None,
            checks_packages: None,
            checks_metadata: None,
            checks_certificate: None,
            priority: None,
            tag: None,
        }
    }

    /// Tells whether the file says that packages need no signature at all.
    pub fn is_unsigned(&self) -> bool {
        self.is_trusted == Some(true)
            || (self.checks_packages == Some(false) && self.checks_metadata != Some(true))
    }
}

/// What a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepositoryFile {
    /// Its repositories, in its order, also those that are not used.
    pub repositories: Vec<Repository>,
    /// What made no sense.
    pub problems: Problems,
}

impl RepositoryFile {
    /// Adds a repository, if there is room.
    pub(super) fn add(&mut self, repository: Repository) {
        if self.repositories.len() < REPOSITORIES_MAX {
            self.repositories.push(repository);
        } else {
            self.problems.add(repository.position, "there are too many repositories");
        }
    }
}

/// Reads a yes or no as the managers do; none for other words.
pub(super) fn parse_bool(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "1" | "yes" | "true" | "on" | "with" | "enable" | "enabled" => Some(true),
        "0" | "no" | "false" | "off" | "without" | "disable" | "disabled" | "never" => Some(false),
        _ => None,
    }
}

/// Splits at white space and commas.
pub(super) fn words(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| letter.is_whitespace() || letter == ',');
    parts.filter(|word| !word.is_empty()).map(ToOwned::to_owned).collect()
}
