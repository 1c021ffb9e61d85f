//! What is asked for, and what comes out.

use crate::package::{PackageRecord, Priority};
use crate::universe::Universe;
use crate::version::Version;

/// What is to be installed on an empty system.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// All packages there are.
    pub universe: &'a Universe,
    /// The architecture of the system, such as `amd64`.
    pub architecture: &'a str,
    /// The packages that are asked for.
    pub install: &'a [Wanted],
    /// Whether all essential packages are installed.
    pub with_essential: bool,
    /// Whether all packages of some priorities are installed, such as [`Priority::Required`] for a minimal system.
    pub with_priorities: &'a [Priority],
    /// Whether packages are installed that others only recommend.
    pub recommends: bool,
    /// Which versions are preferred, as in `apt_preferences(5)`.
    pub pins: &'a [Pin],
    /// Packages that are installed in this version or not at all.
    pub holds: &'a [(String, Version)],
    /// Versions that are taken before any candidate as long as nothing speaks against it, as those of a lock file.
    pub preferred: &'a [(String, Version)],
}

/// A package that is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its name, or a name that exactly one package provides.
    pub name: String,
    /// The very version that is asked for.
    pub version: Option<String>,
    /// The suite from which it is to be taken, and what it needs as far as other suites have it in no fitting version.
    pub suite: Option<String>,
}

/// Says how much some versions of a package are preferred, as a stanza of `apt_preferences(5)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The package's name; `*` and `?` stand for anything.
    pub package: String,
    /// Which of its versions are meant.
    pub target: PinTarget,
    /// How much they are preferred; versions of 0 and below are never installed.
    pub priority: i32,
}

/// Which versions a pin means; `*` and `?` stand for anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PinTarget {
    /// Those of a suite, by its id, its name or its code name.
    Suite(String),
    /// Those that fit.
    Version(String),
    /// Those whose `Origin` fits.
    Vendor(String),
    /// Those whose `Label` fits.
    Label(String),
}

/// The packages to install.
#[derive(Clone, Debug)]
pub struct Solution<'a> {
    /// The packages, sorted by name.
    pub packages: Vec<Chosen<'a>>,
}

/// A package to install.
#[derive(Clone, Debug)]
pub struct Chosen<'a> {
    /// The package.
    pub record: &'a PackageRecord,
    /// Whether it was asked for by name (`apt-mark` calls it manual).
    pub is_requested: bool,
    /// Why it is there, such as `needed by nginx-light`.
    pub reason: String,
}

impl<'a> Request<'a> {
    /// Asks for nothing yet.
    pub fn new(universe: &'a Universe, architecture: &'a str) -> Self {
        Self {
            universe,
            architecture,
            install: &[],
            with_essential: false,
            with_priorities: &[],
            recommends: false,
            pins: &[],
            holds: &[],
            preferred: &[],
        }
    }
}

impl Wanted {
    /// Reads `name`, `name=version` or `name/suite`, as `apt-get install` does.
    pub fn from_text(text: &str) -> Self {
        let own = |text: &str| Some(text.to_owned());
        match (text.split_once('='), text.split_once('/')) {
            (Some((name, version)), _) => Self { name: name.to_owned(), version: own(version), suite: None },
            (None, Some((name, suite))) => Self { name: name.to_owned(), version: None, suite: own(suite) },
            (None, None) => Self { name: text.to_owned(), version: None, suite: None },
        }
    }
}

impl<'a> Solution<'a> {
    /// Returns the chosen package of a name.
    pub fn get(&self, name: &str) -> Option<&Chosen<'a>> {
        let place = self.packages.binary_search_by(|chosen| chosen.record.name.as_str().cmp(name)).ok()?;
        Some(&self.packages[place])
    }
}
