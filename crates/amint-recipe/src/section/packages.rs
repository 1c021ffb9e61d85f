//! `[packages]`: what is installed.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Problem, Problems};
use crate::schema;
use crate::table::{Table, values};
use crate::text::package;

pub(crate) const KEYS: [&str; 2] = ["install", "recommends"];

/// Most packages that a recipe names.
const PACKAGE_COUNT_MAX: usize = 2000;

/// Says which packages are installed on top of the base (A12).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Packages {
    /// Debian packages to install, each as `NAME` or `NAME=VERSION`.
    #[schemars(schema_with = "schema::packages", default)]
    pub install: Vec<String>,
    /// Whether packages that those only recommend are installed too.
    #[schemars(default)]
    pub recommends: bool,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Packages {
    let Some(table) = root.table(problems, "packages", "[packages]", &KEYS) else {
        return Packages::default();
    };
    let install =
        table.parsed_list(problems, "install", PACKAGE_COUNT_MAX, package::parse).unwrap_or_default();
    let mut names = BTreeSet::new();
    for item in &install {
        let name = package::name(&item.value);
        if !names.insert(name) {
            let message = format!("the package `{name}` is listed with two versions");
            problems.push(Problem::error(item.span.clone(), message));
        }
    }
    Packages {
        install: values(install),
        recommends: table.boolean(problems, "recommends").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, messages, recipe};

    #[test]
    fn installs_nothing_more_by_default() {
        let packages = recipe("").packages;
        assert!(packages.install.is_empty() && !packages.recommends);
    }

    #[test]
    fn reports_every_wrong_package_at_its_own_place() {
        let found =
            errors("[packages]\ninstall = [\"nginx\", \"Curl\", \"vim/sid\", \"nginx\", \"nginx=1.2\", 7]\n");
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"Curl\"", "\"vim/sid\"", "\"nginx\"", "\"nginx=1.2\"", "7"]);
    }

    #[test]
    fn tells_how_to_write_a_list() {
        let found = errors("[packages]\ninstall = \"nginx\"\nrecommends = \"true\"\n");
        assert_eq!(found[0].2, "write `[\"nginx\"]`");
        assert_eq!(found[1].2, "write it without quotes: `true`");
    }

    #[test]
    fn refuses_more_packages_than_make_sense() {
        let many: Vec<_> = (0..=super::PACKAGE_COUNT_MAX).map(|number| format!("\"p{number}\"")).collect();
        let found = messages(&format!("[packages]\ninstall = [{}]\n", many.join(",")));
        assert_eq!(found, ["`install` has 2001 entries, more than 2000"]);
    }
}
