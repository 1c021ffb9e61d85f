//! Presets: what is enabled when nobody decided.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::names::{instance, is_template, kind, with_instance};
use crate::{CheckError, Context, glob};

/// Where presets live on the disk, most important first.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system-preset",
    "/usr/local/lib/systemd/system-preset",
    "/lib/systemd/system-preset",
    "/usr/lib/systemd/system-preset",
];
/// How many rules are read.
const RULES_MAX: usize = 10_000;

/// The rules of all presets, the first that fits a unit counts.
#[derive(Clone, Debug, Default)]
pub struct Presets {
    rules: Vec<(bool, String, Vec<String>)>,
}

impl Presets {
    /// Reads the presets.
    pub fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut files: BTreeMap<String, PathBuf> = BTreeMap::new();
        for folder in FOLDERS {
            for entry in cx.list(folder)? {
                let name = entry.name.to_string_lossy().into_owned();
                if kind(&name) == "preset" && !name.starts_with('.') {
                    files.entry(name).or_insert_with(|| Path::new(folder).join(&entry.name));
                }
            }
        }
        let mut rules = Vec::new();
        for path in files.into_values() {
            if !cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                continue;
            }
            for line in cx.text(&path)?.unwrap_or_default().lines() {
                let mut words = line.split_whitespace();
                let is_enabled = match words.next() {
                    Some("enable") => true,
                    Some("disable") => false,
                    _ => continue,
                };
                let Some(pattern) = words.next() else { continue };
                if rules.len() >= RULES_MAX {
                    return Err(CheckError::Limit { path, limit: RULES_MAX, what: "rules of presets" });
                }
                rules.push((is_enabled, pattern.to_owned(), words.map(str::to_owned).collect()));
            }
        }
        Ok(Self { rules })
    }

    /// Tells whether a unit is to be enabled; what no rule speaks of is.
    pub fn enables(&self, name: &str) -> bool {
        for (is_enabled, pattern, instances) in &self.rules {
            if glob::is_match(pattern, name) {
                return *is_enabled;
            }
            // `enable foo@.service a b` speaks of these instances of the template.
            let is_instance =
                instance(name).is_some_and(|instance| instances.iter().any(|one| one == instance));
            if is_template(pattern) && is_instance && *pattern == with_instance(name, "") {
                return *is_enabled;
            }
        }
        true
    }
}

/// Tells whether the next boot takes itself for the first, and applies the presets (`machine-id(5)`).
pub fn is_first_boot(cx: &Context<'_>) -> Result<bool, CheckError> {
    let id = cx.text("/etc/machine-id")?;
    Ok(id.is_none_or(|id| id.trim() == "uninitialized"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn the_first_rule_that_fits_counts_and_files_hide_those_of_the_same_name() {
        let fixture = Fixture::new()
            .file("/usr/lib/systemd/system-preset/90-x.preset", "enable *\n")
            .file("/etc/systemd/system-preset/90-x.preset", "# nothing but\ndisable *\n")
            .file("/usr/lib/systemd/system-preset/10-y.preset", "enable ssh*\nenable a@.service one two\n");
        let presets = fixture.with(|cx| Presets::load(cx).unwrap());
        assert!(presets.enables("ssh.service"));
        assert!(presets.enables("a@two.service"));
        assert!(!presets.enables("a@three.service"));
        assert!(!presets.enables("web.service"));
        assert!(Presets::default().enables("web.service"));
    }
}
