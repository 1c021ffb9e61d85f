//! `[packages]`: what is installed.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;

use schemars::JsonSchema;
use serde::Serialize;

use super::base::Base;
use crate::problems::{Problem, Problems};
use crate::schema;
use crate::table::{Located, Table, quoted_list, values};
use crate::text::{archive, package};

pub(crate) const KEYS: [&str; 4] = ["install", "recommends", "pins", "hold"];
pub(crate) const PIN_KEYS: [&str; 4] = ["package", "suite", "version", "priority"];

/// Most packages that a recipe names.
const PACKAGE_COUNT_MAX: usize = 2000;
/// Most pins of a recipe.
const PIN_COUNT_MAX: usize = 500;

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
    /// Which versions of packages are preferred; of several pins that fit, the first one counts.
    #[schemars(default)]
    pub pins: Vec<Pin>,
    /// Packages that stay at the version in the lock file: `amint update` leaves them.
    #[schemars(schema_with = "schema::held_packages", default)]
    pub hold: Vec<String>,
}

/// Says how much some versions of a package are preferred, as in `apt_preferences(5)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields, transform = schema::pin_target)]
pub struct Pin {
    /// The package's name; `*` and `?` stand for anything.
    #[schemars(extend("pattern" = package::GLOB_PATTERN))]
    pub package: String,
    /// Which versions are meant: exactly one of `suite` and `version`.
    #[schemars(skip)]
    pub target: PinTarget,
    /// How much they are preferred, as in `apt_preferences(5)`: the highest priority wins over newer versions.
    /// Debian's own have 500, its backports 100; below 0 a version is never installed.
    #[schemars(schema_with = "schema::priority")]
    pub priority: i16,
}

/// The versions that a pin means.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PinTarget {
    /// Those of a suite, by its id: `trixie-backports`, or `repo:NAME` for a repository of the recipe.
    Suite(String),
    /// Those that fit; `*` and `?` stand for anything.
    Version(String),
}

/// Returns the section, and the place of the suite or version of each pin.
pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> (Packages, Vec<Range<usize>>) {
    let Some(table) = root.table(problems, "packages", "[packages]", &KEYS) else {
        return (Packages::default(), Vec::new());
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
    let recommends = table.boolean(problems, "recommends").unwrap_or_default();
    let (pins, spans) = parse_pins(&table, problems);
    let hold = table.parsed_list(problems, "hold", PACKAGE_COUNT_MAX, package::bare_name);
    let hold = hold.map(values).unwrap_or_default();
    (Packages { install: values(install), recommends, pins, hold }, spans)
}

fn parse_pins(packages: &Table<'_>, problems: &mut Problems<'_>) -> (Vec<Pin>, Vec<Range<usize>>) {
    let tables = packages.tables(problems, "pins", "pins", PIN_COUNT_MAX, &PIN_KEYS);
    let mut seen = HashSet::new();
    let mut pins = Vec::with_capacity(tables.len());
    for table in tables {
        table.require(problems, "package");
        table.require(problems, "priority");
        let package = table.parsed(problems, "package", package::glob);
        let target = parse_target(&table, problems);
        let priority = priority(&table, problems);
        let (Some(package), Some((target, span))) = (package, target) else { continue };
        if !seen.insert((package.value.clone(), target.clone())) {
            let message = format!("`{}` is pinned twice to the same versions", package.value);
            problems.push(Problem::error(package.span, message));
        }
        let Some(priority) = priority else { continue };
        pins.push((Pin { package: package.value, target, priority }, span));
    }
    pins.into_iter().unzip()
}

fn parse_target(table: &Table<'_>, problems: &mut Problems<'_>) -> Option<(PinTarget, Range<usize>)> {
    let chosen = table.exactly_one(problems, &["suite", "version"]);
    let suite = table.parsed(problems, "suite", archive::suite_id);
    let version = table.parsed(problems, "version", package::version_glob);
    match chosen? {
        "suite" => suite.map(|suite| (PinTarget::Suite(suite.value), suite.span)),
        _ => version.map(|version| (PinTarget::Version(version.value), version.span)),
    }
}

/// Reads how much something is preferred (`apt_preferences(5)`, where 0 has no meaning).
pub(super) fn priority(table: &Table<'_>, problems: &mut Problems<'_>) -> Option<i16> {
    let Located { value, span } = table.integer(problems, "priority", i16::MIN..=i16::MAX)?;
    if value == 0 {
        let problem = Problem::error(span, "`priority` must not be 0");
        problems.push(problem.hint("500 is usual; below 0 a version is never installed"));
        return None;
    }
    Some(value)
}

/// Refuses pins to suites that nothing comes from.
pub(crate) fn check_pins(
    packages: &Packages,
    spans: &[Range<usize>],
    base: &Base,
    repositories: &HashSet<String>,
    problems: &mut Problems<'_>,
) {
    let debian = base.debian;
    let mut known = vec![debian.to_string(), format!("{debian}-security"), format!("{debian}-updates")];
    known.extend(base.backports_suite());
    let mut names: Vec<_> = repositories.iter().map(|name| format!("repo:{name}")).collect();
    names.sort();
    known.extend(names);
    for (pin, span) in packages.pins.iter().zip(spans) {
        let PinTarget::Suite(suite) = &pin.target else { continue };
        if known.contains(suite) {
            continue;
        }
        let problem = Problem::relation(span.clone(), format!("no packages come from suite `{suite}`"));
        problems.push(if *suite == format!("{debian}-backports") {
            problem.hint("set `backports = true` in `[base]`")
        } else if repositories.contains(suite) {
            problem.hint(format!("write `repo:{suite}` for the repository"))
        } else {
            problem.hint(format!("known: {}", quoted_list(known.iter().map(String::as_str), "and")))
        });
    }
}

#[cfg(test)]
mod tests {
    use super::PinTarget;
    use crate::section::testing::{errors, messages, recipe};

    #[test]
    fn installs_nothing_more_by_default() {
        let packages = recipe("").packages;
        assert!(packages.install.is_empty() && !packages.recommends);
        assert!(packages.pins.is_empty() && packages.hold.is_empty());
    }

    #[test]
    fn reports_every_wrong_package_at_its_own_place() {
        let found =
            errors("[packages]\ninstall = [\"nginx\", \"Curl\", \"vim/sid\", \"nginx\", \"nginx=1.2\", 7]\n");
        let texts: Vec<_> = found.iter().map(|(text, _, _)| text.as_str()).collect();
        assert_eq!(texts, ["\"Curl\"", "\"vim/sid\"", "\"nginx\"", "\"nginx=1.2\"", "7"]);
    }

    #[test]
    fn reads_pins_to_a_suite_or_to_versions() {
        let packages = recipe(
            "backports = true\n[packages]\nhold = [\"nginx\", \"g++\"]\npins = [\n\
             { package = \"nginx*\", suite = \"trixie-backports\", priority = 700 },\n\
             { package = \"curl\", version = \"8.14.*\", priority = -1 },\n]\n",
        )
        .packages;
        assert_eq!(packages.hold, ["nginx", "g++"]);
        assert_eq!(packages.pins[0].target, PinTarget::Suite("trixie-backports".to_owned()));
        assert_eq!(packages.pins[1].target, PinTarget::Version("8.14.*".to_owned()));
        assert_eq!(packages.pins[1].priority, -1);
    }

    #[test]
    fn wants_exactly_one_of_suite_and_version() {
        let pin = |keys: &str| errors(&format!("[packages]\npins = [{{ {keys} }}]\n"))[0].1.clone();
        assert_eq!(pin("package = \"a*\", priority = 1"), "`pins` needs exactly one of `suite` or `version`");
        assert_eq!(
            pin("package = \"a*\", suite = \"trixie\", version = \"1\", priority = 1"),
            "`pins` has `suite` and `version`: exactly one of `suite` or `version` is allowed"
        );
        assert_eq!(pin("package = \"a*\", version = \"1\", priority = 0"), "`priority` must not be 0");
        assert_eq!(
            pin("package = \"a*\", version = \"1\", priority = 99999"),
            "`priority` must lie between -32768 and 32767"
        );
        assert_eq!(pin("package = \"a*\", version = \"1\""), "missing key `priority` in `pins`");
        assert_eq!(pin("package = \"A\", version = \"1\", priority = 1"), "`A` is not a package name");
        let pin = "{ package = \"a*\", version = \"1\", priority = 1 }";
        assert_eq!(
            messages(&format!("[packages]\npins = [{pin}, {pin}]\n")),
            ["`a*` is pinned twice to the same versions"]
        );
    }

    #[test]
    fn refuses_pins_to_suites_that_nothing_comes_from() {
        let hint = |suite: &str, section: &str| {
            let pin = format!("pins = [{{ package = \"a\", suite = \"{suite}\", priority = 1 }}]");
            let found = errors(&format!("[packages]\n{pin}\n{section}"));
            assert_eq!(found[0].1, format!("no packages come from suite `{suite}`"));
            found[0].2.clone()
        };
        let vendor = "[[repository]]\nname = \"vendor\"\nurl = \"https://packages.vendor.example/\"\n\
            suite = \"stable\"\nkeyring = \"a.asc\"\n";
        assert_eq!(hint("trixie-backports", ""), "set `backports = true` in `[base]`");
        assert_eq!(hint("vendor", vendor), "write `repo:vendor` for the repository");
        assert_eq!(
            hint("sid", vendor),
            "known: `trixie`, `trixie-security`, `trixie-updates` and `repo:vendor`"
        );
        let pin = "pins = [{ package = \"a\", suite = \"repo:vendor\", priority = 1 }]";
        recipe(&format!("[packages]\n{pin}\n{vendor}"));
    }

    #[test]
    fn holds_names_without_versions() {
        let found = errors("[packages]\nhold = [\"nginx=1.2\", \"Curl\", \"g++\", \"g++\"]\n");
        let messages: Vec<_> = found.iter().map(|(_, message, _)| message.as_str()).collect();
        assert_eq!(
            messages,
            ["`nginx=1.2` has a version", "`Curl` is not a package name", "`g++` is listed twice"]
        );
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
