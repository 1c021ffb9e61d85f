//! Archives of Debian's form: every source's newest version in each suite, and what newer versions fix.
//!
//! The chain of trust is that of [`amint_archive`]: a keyring of this machine vouches for every byte. Debian's suites
//! come from the mirrors of this machine, those of Ubuntu from where the image itself takes them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use amint_archive::{ArchiveError, Client, Suite, SuiteIndex};
use amint_types::{Cancel, EventSink};
use amint_vuln::{Builder, Family, ImporterKind, Input};

use crate::changelogs::{Target, add_changelogs};
use crate::error::FeedError;
use crate::index::{Newest, note_newest, open};
use crate::installed::Installed;
use crate::suites::is_used;

const STEP: &str = "indexes";
/// Components in the order in which they are asked for.
const DEBIAN_COMPONENTS: [&str; 4] = ["main", "contrib", "non-free", "non-free-firmware"];
const UBUNTU_COMPONENTS: [&str; 4] = ["main", "restricted", "universe", "multiverse"];

/// Where archives are, and which keys may sign them.
#[derive(Clone, Debug)]
pub struct ArchivePlaces {
    /// Mirror of Debian's archive.
    pub archive: Option<String>,
    /// Mirror of its security archive.
    pub security: Option<String>,
    /// Keys of Debian.
    pub keyring: PathBuf,
    /// Keys of Ubuntu.
    pub ubuntu_keyring: PathBuf,
}

/// By what is fetched. The client tells bytes as progress of the steps `indexes` and `changelogs`, which the caller
/// starts and finishes.
#[derive(Clone, Copy)]
pub struct Fetching<'a> {
    /// The client, with its cache.
    pub client: &'a Client,
    /// Who is told.
    pub sink: &'a dyn EventSink,
    /// Who may stop it.
    pub cancel: &'a Cancel,
}

/// What archives gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ArchiveCounts {
    /// Suites with packages.
    pub suites: usize,
    /// Source packages that an image has in an older version.
    pub outdated: usize,
    /// Changelogs that were read.
    pub read: usize,
    /// Sources whose changelog could not be read: what newer versions fix is not known.
    pub unread: Vec<String>,
    /// Sources whose changelog does not go back to the installed version.
    pub cut: Vec<String>,
}

/// Fetches the indexes of the suites of an image, or of several of one release, and the changelogs of what is outdated.
///
/// # Errors
/// Fails when a suite cannot be had or verified, and when a package of it cannot be fetched.
pub fn add_archives(
    builder: &mut Builder,
    installed: &Installed,
    places: &ArchivePlaces,
    fetching: &Fetching<'_>,
) -> Result<ArchiveCounts, FeedError> {
    let mut counts = ArchiveCounts::default();
    let mut newest: BTreeMap<String, Newest> = BTreeMap::new();
    let mut date = None;
    for suite in wanted_suites(installed, places)? {
        let name = format!("{}/{}", installed.ecosystem, suite.suite);
        let suite = fetch_suite(suite, installed, fetching)
            .map_err(|source| FeedError::Archive { name: name.clone(), source: Box::new(source) })?;
        date = date.max(Some(suite.date));
        let failed = |source| FeedError::Index { name: name.clone(), source };
        let is_wanted = |source: &str| installed.sources.contains_key(source);
        // A suite of updates is empty until there is one.
        if note_newest(&suite, is_wanted, &mut newest).map_err(failed)? == 0 {
            continue;
        }
        counts.suites += 1;
        let kind = ImporterKind::DebianPackages {
            ecosystem: installed.ecosystem.clone(),
            suite: suite.suite.clone(),
        };
        builder.add(&name, suite.date, &kind, Input::Reader(open(&suite).map_err(failed)?))?;
    }
    if let Some(date) = date {
        let name = format!("{}/changelogs", installed.ecosystem);
        let mut target = Target { builder, name, date };
        add_changelogs(&mut target, installed, &newest, fetching, &mut counts)?;
    }
    Ok(counts)
}

/// Gets a suite with those of the components that it has.
fn fetch_suite(
    mut suite: Suite,
    installed: &Installed,
    fetching: &Fetching<'_>,
) -> Result<SuiteIndex, ArchiveError> {
    let ask = |suite: &Suite| {
        let suites = std::slice::from_ref(suite);
        let found =
            fetching.client.indexes(suites, &installed.architecture, STEP, fetching.sink, fetching.cancel)?;
        found.into_iter().next().ok_or(ArchiveError::NoLocation)
    };
    match ask(&suite) {
        Err(ArchiveError::UnknownComponent { known, .. }) => {
            // `updates/main` is how older suites of security fixes wrote it.
            let is_known = |name: &String| {
                known.iter().any(|known| known == name || known.strip_prefix("updates/") == Some(name))
            };
            suite.components.retain(is_known);
            ask(&suite)
        }
        result => result,
    }
}

/// Tells where each suite of an image lies.
fn wanted_suites(installed: &Installed, places: &ArchivePlaces) -> Result<Vec<Suite>, FeedError> {
    let is_ubuntu = installed.ecosystem.family() == Family::Ubuntu;
    let (keyring, components) = if is_ubuntu {
        (&places.ubuntu_keyring, UBUNTU_COMPONENTS)
    } else {
        (&places.keyring, DEBIAN_COMPONENTS)
    };
    if !keyring.is_file() {
        return Err(FeedError::NoKeyring { path: keyring.clone() });
    }
    let mut suites = Vec::new();
    for name in &installed.suites {
        let is_security = name.ends_with("-security") || name.ends_with("/updates");
        let uri = match (is_ubuntu, is_security) {
            (true, _) => own_address(installed, name),
            (false, true) => places.security.clone(),
            (false, false) => places.archive.clone(),
        };
        let uri = uri.ok_or_else(|| FeedError::NoMirror {
            suite: name.clone(),
            ecosystem: installed.ecosystem.to_string(),
        })?;
        suites.push(Suite {
            uri,
            suite: name.clone(),
            components: components.map(str::to_owned).to_vec(),
            keyring: keyring.clone(),
        });
    }
    Ok(suites)
}

/// Finds the address of a suite in the image's own sources. Paths of the image mean nothing on this machine.
fn own_address(installed: &Installed, suite: &str) -> Option<String> {
    let has = |name: &&String| name.trim_end_matches('/') == suite;
    let used = installed.repositories.iter().filter(|repository| is_used(repository));
    used.filter(|repository| repository.suites.iter().any(|name| has(&name)))
        .flat_map(|repository| &repository.uris)
        .find(|uri| uri.starts_with("http://") || uri.starts_with("https://"))
        .cloned()
}
