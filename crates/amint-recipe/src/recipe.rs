//! The whole recipe.

use std::ops::Range;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;
use toml::de::DeTable;

use crate::defaults;
use crate::diagnostic::Diagnostics;
use crate::problems::{Problems, RECIPE};
use crate::section::{
    Base, Disk, FileEntry, Harden, Image, Kernel, Lifecycle, Marketplace, Packages, Port, Protocol, Publish,
    Repository, Right, Run, Services, TOP_KEYS, Test, User, Waiver, check_pins, check_ports, parse_base,
    parse_disk, parse_files, parse_harden, parse_image, parse_kernel, parse_lifecycle, parse_marketplace,
    parse_packages, parse_ports, parse_publish, parse_repositories, parse_rights, parse_run, parse_services,
    parse_test, parse_user,
};
use crate::table::{Located, Table, values};

/// The recipe of an image: what it is made of, how it is hardened and tested, and where it goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Recipe {
    /// What the image is called.
    pub image: Image,
    /// What the image is made from.
    pub base: Base,
    /// What is installed.
    #[schemars(default)]
    pub packages: Packages,
    /// Which archives of others packages may come from.
    #[serde(rename = "repository")]
    #[schemars(default)]
    pub repositories: Vec<Repository>,
    /// What is copied into the image, in order.
    #[schemars(default)]
    pub files: Vec<FileEntry>,
    /// What is run within the image, in order, after packages and files are in place.
    #[schemars(default)]
    pub run: Vec<Run>,
    /// Who logs in.
    #[schemars(default)]
    pub user: User,
    /// Which units run.
    #[schemars(default)]
    pub services: Services,
    /// What can be reached from outside, besides SSH.
    #[schemars(default)]
    pub ports: Vec<Port>,
    /// How large the disk is.
    #[schemars(default)]
    pub disk: Disk,
    /// How the kernel is started.
    #[schemars(default)]
    pub kernel: Kernel,
    /// Which rules the image is hardened with and judged by.
    #[schemars(default)]
    pub harden: Harden,
    /// Which rights the seller holds to pass on what is not free.
    #[schemars(default)]
    pub rights: Vec<Right>,
    /// What the booted image has to do.
    #[serde(rename = "test")]
    #[schemars(default)]
    pub tests: Vec<Test>,
    /// Where the image goes.
    #[schemars(default)]
    pub publish: Publish,
    /// How long the image lives.
    #[schemars(default)]
    pub lifecycle: Lifecycle,
    /// How the image is sold.
    #[schemars(default)]
    pub marketplace: Marketplace,
    /// What is probably not meant, though the recipe can be used.
    #[serde(skip)]
    pub warnings: Diagnostics,
    #[serde(skip)]
    pub(crate) places: Places,
}

/// Where in the text things stand that are looked at later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// The path of `[base]` `keyring`.
    pub(crate) keyring: Option<Range<usize>>,
    /// The path of each repository's keyring.
    pub(crate) repositories: Vec<Range<usize>>,
    /// The source of each entry of `[[files]]`.
    pub(crate) files: Vec<Range<usize>>,
    /// The script or command of each `[[run]]`.
    pub(crate) run: Vec<Range<usize>>,
    /// The last day of each waiver.
    pub(crate) waive: Vec<Range<usize>>,
}

impl Recipe {
    /// Returns the ports that are open, by number: those of the recipe, and SSH always (A10).
    pub fn effective_ports(&self) -> Vec<Port> {
        effective(&self.ports)
    }

    /// Returns the waivers that have ended by `today`.
    pub fn expired_waivers(&self, today: Date) -> Vec<&Waiver> {
        self.harden.waive.iter().filter(|waiver| waiver.is_expired(today)).collect()
    }
}

fn effective(ports: &[Port]) -> Vec<Port> {
    let mut all = ports.to_vec();
    let is_ssh = |port: &Port| port.port == defaults::SSH_PORT && port.protocol == Protocol::Tcp;
    if !all.iter().any(is_ssh) {
        all.push(Port::ssh());
    }
    all.sort_by_key(|port| (port.port, port.protocol));
    all
}

/// Reads a recipe from its text; `path` only names it in diagnostics.
///
/// # Errors
/// Fails with everything that is wrong, not only the first mistake.
pub fn parse(text: &str, path: &Path) -> Result<Recipe, Diagnostics> {
    let mut problems = Problems::new(text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    for error in &syntax_errors {
        problems.push_syntax(error);
    }
    let root = Table::new(&mut problems, root.get_ref(), 0..0, "", &TOP_KEYS);
    let recipe = read(&root, &mut problems, path.to_owned());
    match recipe {
        Some(mut recipe) if !problems.has_errors() => {
            recipe.warnings = problems.finish(path);
            Ok(recipe)
        }
        _ => Err(problems.finish(path)),
    }
}

fn read(root: &Table<'_>, problems: &mut Problems<'_>, path: PathBuf) -> Option<Recipe> {
    let image = parse_image(root, problems);
    let base = parse_base(root, problems);
    let (packages, pin_spans) = parse_packages(root, problems);
    let (repositories, repository_names) = parse_repositories(root, problems);
    let (repositories, repository_spans) = split(repositories);
    if let Some((base, _)) = &base {
        check_pins(&packages, &pin_spans, base, &repository_names, problems);
    }
    let (files, file_spans) = split(parse_files(root, problems));
    let (run, run_spans) = split(parse_run(root, problems));
    let user = parse_user(root, problems);
    let services = parse_services(root, problems);
    let ports = parse_ports(root, problems);
    let disk = parse_disk(root, problems);
    let kernel = parse_kernel(root, problems);
    let (harden, waive_spans) = parse_harden(root, problems);
    let rights = parse_rights(root, problems);
    let tests = parse_test(root, problems);
    check_ports(&tests, &effective(&ports), problems);
    let publish = parse_publish(root, problems, &harden.profiles);
    let lifecycle = parse_lifecycle(root, problems);
    let version = image.as_ref().map(|image| &image.version);
    let marketplace = parse_marketplace(root, problems, version, &ports);
    let (base, keyring) = base?;
    Some(Recipe {
        image: image?,
        base,
        packages,
        repositories,
        files,
        run,
        user,
        services,
        ports,
        disk,
        kernel,
        harden,
        rights,
        tests: values(tests),
        publish,
        lifecycle,
        marketplace,
        warnings: Diagnostics { path, items: Vec::new(), omitted: 0, noun: RECIPE.noun },
        places: Places {
            keyring,
            repositories: repository_spans,
            files: file_spans,
            run: run_spans,
            waive: waive_spans,
        },
    })
}

fn split<T>(list: Vec<Located<T>>) -> (Vec<T>, Vec<Range<usize>>) {
    list.into_iter().map(|item| (item.value, item.span)).unzip()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<String> {
        let error = parse(text, Path::new("amint.toml")).unwrap_err();
        error.items.into_iter().map(|item| item.message).collect()
    }

    #[test]
    fn asks_an_empty_text_for_its_sections() {
        assert_eq!(messages(""), ["missing table `[base]`", "missing table `[image]`"]);
    }

    #[test]
    fn tells_where_a_misplaced_key_belongs() {
        let text = "[image]\nname = \"web\"\nversion = \"1\"\nregions = []\n[base]\ndebian = \"trixie\"\n";
        let error = parse(text, Path::new("amint.toml")).unwrap_err();
        assert_eq!(error.items[0].message, "unknown key `regions` in `[image]`");
        assert_eq!(error.items[0].hint.as_deref(), Some("`regions` belongs in `[publish]`"));
    }

    #[test]
    fn reports_syntax_and_values_together() {
        let text = "[image]\nname = \"Web\"\nversion = 1\n[base]\ndebian = trixie\n";
        assert_eq!(
            messages(text),
            [
                "`Web` is not an image name: only lower-case letters, digits, `-`, `_` and `.` are allowed",
                "`version` must be a string, not a whole number",
                "string values must be quoted",
            ]
        );
    }

    #[test]
    fn serialises_with_all_defaults_filled_in() {
        let text = "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n[[run]]\ncommand = \"true\"\n";
        let recipe = parse(text, Path::new("amint.toml")).unwrap();
        let json = serde_json::to_value(&recipe).unwrap();
        assert_eq!(json["user"]["name"], "ec2-user");
        assert_eq!(json["run"][0]["deadline"], "30min");
        assert_eq!(json["harden"]["profiles"], serde_json::json!(["marketplace", "shared-linux"]));
        assert!(json.get("warnings").is_none() && json.get("places").is_none());
    }
}
