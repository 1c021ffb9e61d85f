//! From a recipe and signed indexes to a lock: which packages, exactly, an image is made of (A5, A7).

use std::path::{Path, PathBuf};

use amint_archive::{ArchiveError, Client, PackageFile, Suite, SuiteIndex, package_location};
use amint_debian::package::{PackageRecord, Priority};
use amint_debian::resolve::{Chosen, Pin, PinTarget, Request, Solution, Unsolvable, Wanted, resolve};
use amint_debian::universe::{IndexError, OriginInfo, Universe};
use amint_debian::version::Version;
use amint_recipe::lock::{
    LOCK_FORMAT, Lock, LockedBase, LockedPackage, LockedSuite, Stage, base_digest, hash_inputs, wishes_digest,
};
use amint_recipe::{Diagnostics, Recipe, RecipeFile};
use amint_types::{Architecture, Cancel, Digest, EventSink, Hint};

use crate::boot_loader;
use crate::ec2;
use crate::mirror::Mirrors;

/// A lock could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockingError {
    /// An archive could not be reached, or is not to be trusted.
    #[error("failed to read the package archives")]
    Archive(#[from] ArchiveError),
    /// An index makes no sense.
    #[error("failed to read the index of {suite}")]
    Index {
        /// The suite's id.
        suite: String,
        /// Why.
        #[source]
        source: Box<IndexError>,
    },
    /// The packages asked for cannot be installed together.
    #[error("failed to choose packages: {0}")]
    Unsolvable(Unsolvable),
    /// A file of the recipe cannot be read.
    #[error("the recipe's files cannot be read")]
    Inputs(Diagnostics),
    /// A keyring is not there.
    #[error("the keyring {} is not there, and unsigned packages are never used", path.display())]
    NoKeyring {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The lock names a suite that the recipe no longer has.
    #[error("the lock names the suite `{suite}`, which the recipe does not have")]
    UnknownSuite {
        /// The suite's id.
        suite: String,
    },
    /// The index of a suite could not be opened.
    #[error("could not open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

impl Hint for LockingError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Archive(error) => error.hint(),
            Self::Unsolvable(error) => error.hint(),
            Self::NoKeyring { .. } => {
                Some("install `debian-archive-keyring`, or name another `keyring` under `[base]`".to_owned())
            }
            Self::UnknownSuite { .. } => Some("run `amint lock`".to_owned()),
            _ => None,
        }
    }
}

impl LockingError {
    /// Tells whether the user asked to stop.
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Self::Archive(error) if error.is_cancelled())
    }

    /// Tells whether this machine or its network lacks something, rather than the recipe being wrong.
    pub fn is_environment(&self) -> bool {
        matches!(self, Self::Archive(_) | Self::Index { .. } | Self::NoKeyring { .. } | Self::Open { .. })
    }

    /// Returns what is known about why packages cannot be installed together, one line each.
    pub fn details(&self) -> Vec<String> {
        match self {
            Self::Unsolvable(error) => error.details(),
            _ => Vec::new(),
        }
    }
}

/// Which versions are taken.
#[derive(Clone, Copy, Debug)]
pub enum Versions<'a> {
    /// Those of a lock as far as the archives still have them; the newest of all others.
    Kept(&'a Lock),
    /// The newest, but those that the recipe holds stay as in a lock.
    Newest(Option<&'a Lock>),
}

/// Where a recipe's packages come from.
pub struct Archives<'a> {
    /// Gets indexes and packages.
    pub client: &'a Client,
    /// The mirrors of Debian's archives.
    pub mirrors: &'a Mirrors,
}

/// One suite that packages may come from.
struct Source {
    id: String,
    suite: Suite,
    /// A repository of the recipe: its address is in the lock, and its priority counts.
    repository: Option<(String, i32)>,
}

/// Returns the packages that amint itself puts into every image, by name.
pub fn tool_packages(architecture: Architecture) -> Vec<String> {
    let mut packages: Vec<String> = ec2::PACKAGES.iter().map(|name| (*name).to_owned()).collect();
    packages.push(boot_loader::kernel_package(architecture).to_owned());
    packages.extend(boot_loader::packages(architecture).iter().map(|name| (*name).to_owned()));
    packages.sort();
    packages.dedup();
    packages
}

/// Reads the archives' indexes and chooses every package of the image.
pub fn make_lock(
    recipe: &RecipeFile,
    archives: &Archives<'_>,
    versions: Versions<'_>,
    step: &str,
    sink: &dyn EventSink,
    cancel: &Cancel,
) -> Result<Lock, LockingError> {
    let inputs = hash_inputs(recipe).map_err(LockingError::Inputs)?;
    let sources = sources(recipe, archives.mirrors)?;
    let suites: Vec<Suite> = sources.iter().map(|source| source.suite.clone()).collect();
    let architecture = recipe.recipe.image.architecture;
    let found = archives.client.indexes(&suites, architecture.debian(), step, sink, cancel)?;
    let universe = read_indexes(&sources, &found)?;
    let packages = choose(&recipe.recipe, &universe, versions)?;
    let tool_packages = tool_packages(architecture);
    let mut lock = Lock {
        format: LOCK_FORMAT,
        tool: format!("amint {}", env!("CARGO_PKG_VERSION")),
        base: LockedBase {
            debian: recipe.recipe.base.debian.as_str().to_owned(),
            architecture: architecture.debian().to_owned(),
            digest: base_digest(&packages),
            wishes: wishes_digest(&recipe.recipe, &tool_packages),
        },
        suites: sources.iter().zip(&found).map(|(source, index)| locked_suite(source, index)).collect(),
        packages,
        inputs,
    };
    for suite in &mut lock.suites {
        if let Some(source) =
            sources.iter().find(|source| source.id == suite.id && source.repository.is_some())
        {
            let path = &source.suite.keyring;
            let content = std::fs::read(path)
                .map_err(|error| LockingError::Open { path: path.clone(), source: error })?;
            suite.keyring_sha256 = Some(Digest::of(&content));
        }
    }
    lock.sort();
    Ok(lock)
}

/// Returns where the packages of a lock lie, in the order of the lock.
pub fn package_files(
    recipe: &RecipeFile,
    lock: &Lock,
    mirrors: &Mirrors,
) -> Result<Vec<PackageFile>, LockingError> {
    let sources = sources(recipe, mirrors)?;
    let file = |package: &LockedPackage| {
        let source = sources.iter().find(|source| source.id == package.suite);
        let source = source.ok_or_else(|| LockingError::UnknownSuite { suite: package.suite.clone() })?;
        let mut places = vec![source.suite.uri.as_str()];
        // What vanished from the mirror is looked for where old states are kept.
        places.extend(recipe.recipe.base.snapshot.as_deref().filter(|_| source.repository.is_none()));
        let locations = places.iter().map(|place| package_location(place, &package.file));
        Ok(PackageFile {
            name: format!("{} {} {}", package.name, package.version, package.architecture),
            bytes: package.bytes,
            sha256: package.sha256,
            locations: locations.collect::<Result<_, _>>()?,
        })
    };
    lock.packages.iter().map(file).collect()
}

fn sources(recipe: &RecipeFile, mirrors: &Mirrors) -> Result<Vec<Source>, LockingError> {
    let base = &recipe.recipe.base;
    let folder = recipe.path.parent().unwrap_or(Path::new("."));
    let keyring = match &base.keyring {
        Some(keyring) => folder.join(keyring),
        None => PathBuf::from("/usr/share/keyrings/debian-archive-keyring.gpg"),
    };
    if !keyring.is_file() {
        return Err(LockingError::NoKeyring { path: keyring });
    }
    let name = base.debian.as_str();
    let mut suites = vec![(name.to_owned(), &mirrors.archive), (format!("{name}-updates"), &mirrors.archive)];
    suites.extend(mirrors.security.as_ref().map(|uri| (format!("{name}-security"), uri)));
    suites.extend(base.backports_suite().map(|suite| (suite, &mirrors.archive)));
    let mut sources: Vec<Source> = suites
        .into_iter()
        .map(|(suite, uri)| Source {
            id: suite.clone(),
            suite: Suite {
                uri: uri.clone(),
                suite,
                components: base.components.clone(),
                keyring: keyring.clone(),
            },
            repository: None,
        })
        .collect();
    for repository in &recipe.recipe.repositories {
        sources.push(Source {
            id: repository.suite_id(),
            suite: Suite {
                uri: repository.url.clone(),
                suite: repository.suite.clone(),
                components: repository.components.clone(),
                keyring: folder.join(&repository.keyring),
            },
            repository: Some((repository.url.clone(), i32::from(repository.priority))),
        });
    }
    Ok(sources)
}

fn read_indexes(sources: &[Source], found: &[SuiteIndex]) -> Result<Universe, LockingError> {
    let mut universe = Universe::new();
    for (source, suite) in sources.iter().zip(found) {
        for index in &suite.indexes {
            let origin = OriginInfo {
                id: source.id.clone(),
                suite: suite.suite.clone(),
                codename: suite.codename.clone().unwrap_or_default(),
                vendor: suite.origin.clone().unwrap_or_default(),
                label: suite.label.clone().unwrap_or_default(),
                component: index.component.clone(),
                not_automatic: suite.not_automatic,
                but_automatic_upgrades: suite.but_automatic_upgrades,
                priority: source.repository.as_ref().map(|(_, priority)| *priority),
            };
            let reader = index
                .open()
                .map_err(|error| LockingError::Open { path: index.path.clone(), source: error })?;
            universe
                .add_index(origin, reader)
                .map_err(|error| LockingError::Index { suite: source.id.clone(), source: Box::new(error) })?;
        }
    }
    Ok(universe)
}

/// Chooses the packages of the base alone, and those of the whole image; returns the whole.
fn choose(
    recipe: &Recipe,
    universe: &Universe,
    versions: Versions<'_>,
) -> Result<Vec<LockedPackage>, LockingError> {
    let pins: Vec<Pin> = recipe.packages.pins.iter().map(pin).collect();
    let held = |lock: &Lock, name: &String| Some((name.clone(), lock.package(name)?.version.parse().ok()?));
    let holds: Vec<(String, Version)> = match versions {
        Versions::Kept(lock) | Versions::Newest(Some(lock)) => {
            recipe.packages.hold.iter().filter_map(|name| held(lock, name)).collect()
        }
        Versions::Newest(None) => Vec::new(),
    };
    let preferred: Vec<(String, Version)> = match versions {
        Versions::Kept(lock) => {
            let version =
                |package: &LockedPackage| Some((package.name.clone(), package.version.parse().ok()?));
            lock.packages.iter().filter_map(version).collect()
        }
        Versions::Newest(_) => Vec::new(),
    };
    let architecture = recipe.image.architecture;
    let wanted = |names: &[String]| names.iter().map(|name| Wanted::from_text(name)).collect::<Vec<_>>();
    let tool = wanted(&tool_packages(architecture));
    let recipes = wanted(&recipe.packages.install);
    // What the recipe asks for in a version is asked for once, in that version.
    let is_free = |own: &&Wanted| recipes.iter().all(|wanted| wanted.name != own.name);
    let whole: Vec<Wanted> = tool.iter().filter(is_free).chain(&recipes).cloned().collect();
    // Pins, holds and preferences hold for both: the base must be a part of the whole.
    let request = Request {
        with_essential: true,
        with_priorities: &[Priority::Required],
        pins: &pins,
        holds: &holds,
        preferred: &preferred,
        ..Request::new(universe, architecture.debian())
    };
    let base = resolve(&Request { install: &tool, ..request.clone() }).map_err(LockingError::Unsolvable)?;
    let all = Request { install: &whole, recommends: recipe.packages.recommends, ..request };
    let all = resolve(&all).map_err(LockingError::Unsolvable)?;
    Ok(locked_packages(universe, &base, &all))
}

fn pin(pin: &amint_recipe::Pin) -> Pin {
    let target = match &pin.target {
        amint_recipe::PinTarget::Suite(suite) => PinTarget::Suite(suite.clone()),
        amint_recipe::PinTarget::Version(version) => PinTarget::Version(version.clone()),
    };
    Pin { package: pin.package.clone(), target, priority: i32::from(pin.priority) }
}

fn locked_packages(universe: &Universe, base: &Solution<'_>, all: &Solution<'_>) -> Vec<LockedPackage> {
    let same = |record: &PackageRecord, chosen: &Chosen<'_>| chosen.record.sha256 == record.sha256;
    // A base that the recipe's packages change cannot be installed on its own first.
    let is_part = base
        .packages
        .iter()
        .all(|own| all.get(&own.record.name).is_some_and(|chosen| same(own.record, chosen)));
    let locked = |chosen: &Chosen<'_>| {
        let record = chosen.record;
        let origin = &universe.origins()[record.origin];
        let is_base = !is_part || base.get(&record.name).is_some();
        LockedPackage {
            name: record.name.clone(),
            version: record.version.to_string(),
            architecture: record.architecture.clone(),
            source: record.source.clone(),
            source_version: record.source_version.clone(),
            suite: origin.id.clone(),
            component: origin.component.clone(),
            file: record.filename.clone(),
            bytes: record.bytes,
            sha256: record.sha256,
            installed_kib: record.installed_kib,
            stage: if is_base { Stage::Base } else { Stage::Added },
            is_requested: chosen.is_requested,
        }
    };
    all.packages.iter().map(locked).collect()
}

fn locked_suite(source: &Source, index: &SuiteIndex) -> LockedSuite {
    LockedSuite {
        id: source.id.clone(),
        suite: source.suite.suite.clone(),
        components: source.suite.components.clone(),
        date: index.date,
        release_sha256: index.release_sha256,
        signers: index.signers.clone(),
        uri: source.repository.as_ref().map(|(uri, _)| uri.clone()),
        keyring_sha256: None,
    }
}
