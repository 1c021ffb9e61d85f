//! What of a recipe no longer fits its lock file.

use std::collections::BTreeSet;
use std::fmt;

use super::diff::{InputChange, compare_inputs};
use super::inputs::hash_inputs;
use super::model::{Lock, LockedSuite};
use super::wishes::wishes_digest;
use crate::diagnostic::Diagnostics;
use crate::load::RecipeFile;
use crate::recipe::Recipe;
use crate::section::Repository;
use crate::text::archive::REPOSITORY_ID_PREFIX;
use crate::text::package;

/// One thing that no longer fits the lock file; its `Display` is a sentence's fragment for people.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Drift {
    /// The recipe asks for another Debian release.
    Debian {
        /// The release in the lock file.
        locked: String,
        /// The release of the recipe.
        asked: String,
    },
    /// The recipe asks for another architecture.
    Architecture {
        /// The architecture in the lock file.
        locked: String,
        /// The architecture of the recipe.
        asked: String,
    },
    /// The recipe asks for other components of Debian's archive.
    Components {
        /// Those that the lock file lacks.
        added: Vec<String>,
        /// Those that the recipe no longer has.
        gone: Vec<String>,
    },
    /// The recipe names other repositories, or backports came or went.
    Suites {
        /// The ids of those that the lock file lacks.
        added: Vec<String>,
        /// The ids of those that the recipe no longer has.
        gone: Vec<String>,
    },
    /// The recipe says something else of a repository: its address, suite or components.
    Repository {
        /// The repository's name.
        name: String,
    },
    /// The recipe asks for other packages.
    Packages {
        /// Those that nobody asked for when the lock file was written.
        added: Vec<String>,
        /// Those that nobody asks for any more.
        gone: Vec<String>,
    },
    /// The recipe asks for another version of a package.
    Version {
        /// The package.
        package: String,
        /// The version in the lock file.
        locked: String,
        /// The version of the recipe.
        asked: String,
    },
    /// Something else changed that decides which packages are chosen.
    Choice,
    /// A file of this machine is not what it was.
    Input(InputChange),
}

impl fmt::Display for Drift {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Debian { locked, asked } => {
                write!(formatter, "the recipe asks for Debian `{asked}`, the lock has `{locked}`")
            }
            Self::Architecture { locked, asked } => {
                write!(formatter, "the recipe asks for architecture `{asked}`, the lock has `{locked}`")
            }
            Self::Components { added, gone } => {
                write!(formatter, "the components asked for changed: {}", signed(added, gone))
            }
            Self::Suites { added, gone } => {
                write!(formatter, "the suites asked for changed: {}", signed(added, gone))
            }
            Self::Repository { name } => write!(formatter, "the repository `{name}` changed"),
            Self::Packages { added, gone } => {
                write!(formatter, "the packages asked for changed: {}", signed(added, gone))
            }
            Self::Version { package, locked, asked } => {
                write!(formatter, "the recipe asks for `{package}` {asked}, the lock has {locked}")
            }
            Self::Choice => formatter.write_str("what decides which packages are chosen changed"),
            Self::Input(change) => write!(formatter, "{change} since amint.lock was written"),
        }
    }
}

/// Writes what came and what went: `+ curl, - wget`.
fn signed(added: &[String], gone: &[String]) -> String {
    let added = added.iter().map(|name| format!("+ {name}"));
    added.chain(gone.iter().map(|name| format!("- {name}"))).collect::<Vec<_>>().join(", ")
}

/// Tells what of the recipe no longer fits the lock: nothing when the lock can be built from.
///
/// `tool_packages` are the packages that the tool itself adds, as they were given to [`wishes_digest`].
///
/// # Errors
/// Fails with one diagnostic for each path of the recipe that cannot be read.
pub fn drift(lock: &Lock, recipe: &RecipeFile, tool_packages: &[String]) -> Result<Vec<Drift>, Diagnostics> {
    let mut found = Vec::new();
    if wishes_digest(&recipe.recipe, tool_packages) != lock.base.wishes {
        found = drift_of_wishes(lock, &recipe.recipe, tool_packages);
        if found.is_empty() {
            found.push(Drift::Choice);
        }
    }
    let inputs = hash_inputs(recipe)?;
    found.extend(compare_inputs(&lock.inputs, &inputs).into_iter().map(Drift::Input));
    Ok(found)
}

/// Finds out what made the digest another one, as far as the lock tells.
fn drift_of_wishes(lock: &Lock, recipe: &Recipe, tool_packages: &[String]) -> Vec<Drift> {
    let mut found = Vec::new();
    let differs =
        |locked: &str, asked: &str| (locked != asked).then(|| (locked.to_owned(), asked.to_owned()));
    if let Some((locked, asked)) = differs(&lock.base.debian, recipe.base.debian.as_str()) {
        found.push(Drift::Debian { locked, asked });
    }
    if let Some((locked, asked)) = differs(&lock.base.architecture, recipe.image.architecture.debian()) {
        found.push(Drift::Architecture { locked, asked });
    }
    // Of another release there is no such suite in the lock.
    if let Some(suite) = lock.suites.iter().find(|suite| suite.id == recipe.base.debian.as_str()) {
        let (added, gone) = compare(&suite.components, &recipe.base.components);
        if !added.is_empty() || !gone.is_empty() {
            found.push(Drift::Components { added, gone });
        }
    }
    found.extend(drift_of_suites(lock, recipe));
    found.extend(drift_of_packages(lock, recipe, tool_packages));
    found
}

fn drift_of_suites(lock: &Lock, recipe: &Recipe) -> Vec<Drift> {
    let is_asked_for = |id: &&String| id.starts_with(REPOSITORY_ID_PREFIX) || id.ends_with("-backports");
    let locked: Vec<String> =
        lock.suites.iter().map(|suite| &suite.id).filter(is_asked_for).cloned().collect();
    let repositories = recipe.repositories.iter().map(Repository::suite_id);
    let asked: Vec<String> = repositories.chain(recipe.base.backports_suite()).collect();
    let (added, gone) = compare(&locked, &asked);
    let mut found = Vec::new();
    if !added.is_empty() || !gone.is_empty() {
        found.push(Drift::Suites { added, gone });
    }
    let differs = |suite: &LockedSuite, repository: &Repository| {
        suite.uri.as_ref() != Some(&repository.url)
            || suite.suite != repository.suite
            || compare(&suite.components, &repository.components) != (Vec::new(), Vec::new())
    };
    for repository in &recipe.repositories {
        let suite = lock.suites.iter().find(|suite| suite.id == repository.suite_id());
        if suite.is_some_and(|suite| differs(suite, repository)) {
            found.push(Drift::Repository { name: repository.name.clone() });
        }
    }
    found
}

fn drift_of_packages(lock: &Lock, recipe: &Recipe, tool_packages: &[String]) -> Vec<Drift> {
    let requested = lock.packages.iter().filter(|package| package.is_requested);
    let requested: BTreeSet<&str> = requested.map(|package| package.name.as_str()).collect();
    let asked: BTreeSet<&str> = recipe.packages.install.iter().map(|item| package::name(item)).collect();
    let of_tool: BTreeSet<&str> = tool_packages.iter().map(|item| package::name(item)).collect();
    // Whether the tool's own packages are marked as requested is the writer's affair.
    let is_new_of_tool = |name: &&&str| lock.package(name).is_none();
    let added: BTreeSet<&str> =
        asked.difference(&requested).chain(of_tool.iter().filter(is_new_of_tool)).copied().collect();
    let gone: Vec<&str> =
        requested.iter().copied().filter(|name| !asked.contains(name) && !of_tool.contains(name)).collect();
    let mut found = Vec::new();
    if !added.is_empty() || !gone.is_empty() {
        let added = added.into_iter().map(str::to_owned).collect();
        let gone = gone.into_iter().map(str::to_owned).collect();
        found.push(Drift::Packages { added, gone });
    }
    for (name, version) in recipe.packages.install.iter().filter_map(|item| item.split_once('=')) {
        if let Some(locked) = lock.package(name).filter(|locked| locked.version != version) {
            let (package, locked) = (name.to_owned(), locked.version.clone());
            found.push(Drift::Version { package, locked, asked: version.to_owned() });
        }
    }
    found
}

/// Returns what only the new list has and what only the old list has.
fn compare(old: &[String], new: &[String]) -> (Vec<String>, Vec<String>) {
    let only = |these: &[String], others: &[String]| {
        these.iter().filter(|item| !others.contains(item)).cloned().collect()
    };
    (only(new, old), only(old, new))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::lock::testing::{lock, package};
    use crate::lock::{Stage, hash_inputs};
    use crate::recipe::parse;

    const RECIPE: &str = "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n[packages]\ninstall = [\"nginx\"]\n";
    const SITE: &str = "[[files]]\nsource = \"site/index.html\"\ntarget = \"/srv/index.html\"\n";

    fn file(folder: &Path, text: &str) -> RecipeFile {
        let path = folder.join("amint.toml");
        RecipeFile { recipe: parse(text, &path).unwrap(), text: text.to_owned(), path }
    }

    fn tool() -> Vec<String> {
        vec!["cloud-init".to_owned()]
    }

    /// Locks one recipe, and tells how another one differs.
    fn found(locked: &str, asked: &str) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("site")).unwrap();
        fs::write(folder.path().join("site/index.html"), "<p>").unwrap();
        let locked = file(folder.path(), locked);
        let mut lock = lock();
        lock.packages.push(package("cloud-init", "25.1", Stage::Added));
        lock.packages.retain(|package| package.suite == "trixie");
        lock.suites.retain(|suite| suite.id == "trixie");
        lock.base.wishes = wishes_digest(&locked.recipe, &tool());
        lock.inputs = hash_inputs(&locked).unwrap();
        let drift = drift(&lock, &file(folder.path(), asked), &tool()).unwrap();
        drift.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn finds_nothing_where_nothing_changed() {
        assert_eq!(found(RECIPE, RECIPE), [""; 0]);
        assert_eq!(found(RECIPE, &format!("{RECIPE}[[ports]]\nport = 80\n")), [""; 0]);
    }

    #[test]
    fn tells_which_packages_came_and_went() {
        assert_eq!(
            found(RECIPE, &RECIPE.replace("\"nginx\"", "\"curl\", \"libc6\"")),
            ["the packages asked for changed: + curl, + libc6, - nginx"]
        );
        assert_eq!(
            found(RECIPE, &RECIPE.replace("nginx", "nginx=1.28.0-1")),
            ["the recipe asks for `nginx` 1.28.0-1, the lock has 1.26.3-3"]
        );
        assert_eq!(
            found(RECIPE, &format!("{RECIPE}recommends = true\n")),
            ["what decides which packages are chosen changed"]
        );
    }

    #[test]
    fn tells_a_change_of_the_base() {
        let arm = RECIPE.replace("version = \"1\"", "version = \"1\"\narchitecture = \"arm64\"");
        assert_eq!(found(RECIPE, &arm), ["the recipe asks for architecture `arm64`, the lock has `amd64`"]);
        assert_eq!(
            found(RECIPE, &RECIPE.replace("trixie", "bookworm")),
            ["the recipe asks for Debian `bookworm`, the lock has `trixie`"]
        );
        let contrib = RECIPE.replace("\"trixie\"", "\"trixie\"\ncomponents = [\"main\", \"contrib\"]");
        assert_eq!(found(RECIPE, &contrib), ["the components asked for changed: + contrib"]);
    }

    #[test]
    fn tells_a_change_of_the_repositories() {
        let vendor = "[[repository]]\nname = \"vendor\"\nurl = \"https://packages.vendor.example/debian\"\n\
            suite = \"stable\"\nkeyring = \"amint.toml\"\n";
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("amint.toml"), RECIPE).unwrap();
        let told = |locked: &str, asked: &str| -> Vec<String> {
            let locked = file(folder.path(), locked);
            let mut lock = lock();
            lock.packages.retain(|package| package.name != "agent");
            let has_vendor = !locked.recipe.repositories.is_empty();
            lock.suites.retain(|suite| has_vendor || suite.id == "trixie");
            lock.base.wishes = wishes_digest(&locked.recipe, &[]);
            lock.inputs = hash_inputs(&locked).unwrap();
            let drift = drift(&lock, &file(folder.path(), asked), &[]).unwrap();
            drift.iter().map(ToString::to_string).collect()
        };
        let with_vendor = format!("{RECIPE}{vendor}");
        let backports = RECIPE.replace("\"trixie\"", "\"trixie\"\nbackports = true");
        assert_eq!(told(&with_vendor, &with_vendor), [""; 0]);
        assert_eq!(told(RECIPE, &backports), ["the suites asked for changed: + trixie-backports"]);
        let gone = told(&with_vendor, RECIPE);
        assert_eq!(gone[0], "the suites asked for changed: - repo:vendor");
        assert!(gone[1].starts_with("the keyring `amint.toml` was removed"), "{gone:?}");
        let moved = with_vendor.replace("example/debian", "example/apt");
        assert_eq!(told(&with_vendor, &moved), ["the repository `vendor` changed"]);
        let preferred = format!("{with_vendor}priority = 600\n");
        assert_eq!(told(&with_vendor, &preferred), ["what decides which packages are chosen changed"]);
    }

    #[test]
    fn tells_which_files_changed() {
        let with_site = format!("{RECIPE}{SITE}");
        assert_eq!(
            found(RECIPE, &with_site),
            ["the file `site/index.html` was added to the recipe since amint.lock was written"]
        );
        assert_eq!(
            found(&with_site, RECIPE),
            ["the file `site/index.html` was removed from the recipe since amint.lock was written"]
        );
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("site")).unwrap();
        let path = folder.path().join("site/index.html");
        fs::write(&path, "<p>").unwrap();
        let recipe = file(folder.path(), &with_site);
        let mut lock = lock();
        lock.base.wishes = wishes_digest(&recipe.recipe, &tool());
        lock.inputs = hash_inputs(&recipe).unwrap();
        fs::write(&path, "<b>").unwrap();
        let drift = drift(&lock, &recipe, &tool()).unwrap();
        assert_eq!(drift[0].to_string(), "`site/index.html` changed since amint.lock was written");
        fs::remove_file(&path).unwrap();
        assert_eq!(super::drift(&lock, &recipe, &tool()).unwrap_err().items[0].line, 9);
    }
}
