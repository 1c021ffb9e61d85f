//! `[[repository]]`: archives of others that packages may come from.

use std::collections::HashSet;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use super::packages::priority;
use crate::problems::{Problem, Problems};
use crate::table::{Located, Table, values};
use crate::text::{archive, mirror_url, path};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 6] = ["name", "url", "suite", "components", "keyring", "priority"];

/// Most `[[repository]]` of a recipe.
const REPOSITORY_COUNT_MAX: usize = 50;
/// Most components of a repository.
const COMPONENT_COUNT_MAX: usize = 50;

/// Names an archive of others that packages may come from, signed with a key that lies beside the recipe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Repository {
    /// What the repository is called; pins name it as `repo:NAME`.
    #[schemars(extend("pattern" = archive::NAME_PATTERN))]
    pub name: String,
    /// The archive's address, the folder that holds `dists/`: `http`, `https` or `file`, without user and password.
    #[schemars(extend("pattern" = schema::MIRROR_PATTERN))]
    pub url: String,
    /// The suite: a folder below `dists/`.
    #[schemars(extend("pattern" = archive::SUITE_PATTERN))]
    pub suite: String,
    /// The components that packages may come from.
    #[schemars(schema_with = "schema::any_components", default = "defaults::components")]
    pub components: Vec<String>,
    /// The keys that the archive must be signed with, an `OpenPGP` keyring: a path, relative to the recipe's folder.
    /// No key is ever fetched.
    #[schemars(with = "String", length(min = 1))]
    pub keyring: PathBuf,
    /// How much its packages are preferred, as in `apt_preferences(5)`; those of Debian have 500.
    #[schemars(schema_with = "schema::priority", default = "defaults::repository_priority")]
    pub priority: i16,
}

impl Repository {
    /// Returns the id of its suite in pins and lock files: `repo:NAME`.
    pub fn suite_id(&self) -> String {
        format!("{}{}", archive::REPOSITORY_ID_PREFIX, self.name)
    }
}

/// Returns each repository with the place of its keyring's path, and the names of all, the broken ones included.
pub(crate) fn parse(
    root: &Table<'_>,
    problems: &mut Problems<'_>,
) -> (Vec<Located<Repository>>, HashSet<String>) {
    let tables = root.tables(problems, "repository", "[[repository]]", REPOSITORY_COUNT_MAX, &KEYS);
    let mut names = HashSet::new();
    let mut repositories = Vec::with_capacity(tables.len());
    for table in tables {
        for key in ["name", "url", "suite"] {
            table.require(problems, key);
        }
        let name = table.parsed(problems, "name", archive::repository_name);
        if let Some(name) = &name
            && !names.insert(name.value.clone())
        {
            let message = format!("`{}` is the name of two `[[repository]]`", name.value);
            problems.push(Problem::error(name.span.clone(), message));
        }
        repositories.extend(parse_one(&table, problems, name));
    }
    (repositories, names)
}

fn parse_one(
    table: &Table<'_>,
    problems: &mut Problems<'_>,
    name: Option<Located<String>>,
) -> Option<Located<Repository>> {
    let url = table.parsed(problems, "url", mirror_url);
    let suite = table.parsed(problems, "suite", archive::suite);
    let components = table.parsed_list(problems, "components", COMPONENT_COUNT_MAX, archive::component);
    if components.as_ref().is_some_and(Vec::is_empty)
        && problems.snippet(table.span_of("components")).trim() == "[]"
    {
        let span = table.span_of("components");
        problems.push(Problem::error(span, "`components` is empty: there would be no packages"));
    }
    if !table.has("keyring") {
        let message = "missing key `keyring` in `[[repository]]`";
        problems.push(
            Problem::relation(table.span.clone(), message)
                .hint("put the repository's key beside the recipe: no key is fetched on the fly"),
        );
    }
    let keyring = table.parsed(problems, "keyring", path::host);
    let priority = priority(table, problems);
    let keyring = keyring?;
    let repository = Repository {
        name: name?.value,
        url: url?.value,
        suite: suite?.value,
        components: components.map_or_else(defaults::components, values),
        keyring: keyring.value,
        priority: priority.unwrap_or_else(defaults::repository_priority),
    };
    Some(Located { value: repository, span: keyring.span })
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, messages, recipe};

    const VENDOR: &str = "[[repository]]\nname = \"vendor\"\nurl = \"https://packages.vendor.example/debian\"\n\
        suite = \"stable\"\nkeyring = \"keys/vendor.asc\"\n";

    #[test]
    fn takes_main_with_the_priority_of_debian_by_default() {
        let repository = recipe(VENDOR).repositories.remove(0);
        assert_eq!((repository.components.as_slice(), repository.priority), (&["main".to_owned()][..], 500));
        assert_eq!(repository.suite_id(), "repo:vendor");
    }

    #[test]
    fn wants_a_key_beside_the_recipe() {
        let found = errors(&VENDOR.replace("keyring = \"keys/vendor.asc\"\n", ""));
        assert_eq!(found[0].1, "missing key `keyring` in `[[repository]]`");
        assert!(found[0].2.contains("no key is fetched on the fly"));
        assert_eq!(
            messages("[[repository]]\n"),
            [
                "missing key `keyring` in `[[repository]]`",
                "missing key `name` in `[[repository]]`",
                "missing key `suite` in `[[repository]]`",
                "missing key `url` in `[[repository]]`",
            ]
        );
    }

    #[test]
    fn refuses_passwords_without_repeating_them() {
        let found = errors(&VENDOR.replace("https://", "https://user:hunter2@"));
        assert_eq!(found.len(), 1);
        assert!(found[0].1.contains("user name or password") && !found[0].1.contains("hunter2"));
    }

    #[test]
    fn refuses_flat_repositories_and_empty_lists() {
        let found = errors(&VENDOR.replace("\"stable\"", "\"./\""));
        assert!(found[0].2.contains("flat repositories are not supported"));
        assert_eq!(
            messages(&format!("{VENDOR}components = []\n")),
            ["`components` is empty: there would be no packages"]
        );
    }

    #[test]
    fn refuses_one_name_twice() {
        assert_eq!(messages(&format!("{VENDOR}{VENDOR}")), ["`vendor` is the name of two `[[repository]]`"]);
        assert_eq!(
            recipe(&format!("{VENDOR}{}", VENDOR.replace("vendor\"", "other\""))).repositories.len(),
            2
        );
    }

    #[test]
    fn refuses_priorities_that_apt_does_not_know() {
        for priority in ["32768", "-32769"] {
            let found = messages(&format!("{VENDOR}priority = {priority}\n"));
            assert_eq!(found, ["`priority` must lie between -32768 and 32767"]);
        }
        let found = errors(&format!("{VENDOR}priority = 0\n"));
        assert_eq!(found[0].1, "`priority` must not be 0");
        assert_eq!(recipe(&format!("{VENDOR}priority = -1\n")).repositories[0].priority, -1);
    }
}
