//! The configuration of cloud-init.

use std::path::{Path, PathBuf};

use crate::facts::units;
use crate::facts::yaml::{self, Yaml};
use crate::{CheckError, Context};

pub(crate) const MAIN: &str = "/etc/cloud/cloud.cfg";
pub(crate) const FOLDER: &str = "/etc/cloud/cloud.cfg.d";

/// The configuration of cloud-init, and the files that it comes from.
#[derive(Clone, Debug)]
pub(crate) struct CloudConfig {
    /// All files merged as cloud-init does: a later file wins, maps are joined, lists are replaced.
    pub(crate) merged: Yaml,
    /// Each file, in the order of reading.
    pub(crate) files: Vec<(PathBuf, Yaml)>,
}

impl CloudConfig {
    /// Reads the configuration; none when cloud-init is not installed.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Option<Self>, CheckError> {
        if !cx.exists("/usr/bin/cloud-init")? {
            return Ok(None);
        }
        let mut paths = vec![PathBuf::from(MAIN)];
        for entry in cx.list(FOLDER)? {
            if Path::new(&entry.name).extension().is_some_and(|extension| extension == "cfg") {
                paths.push(Path::new(FOLDER).join(entry.name));
            }
        }
        let mut config = Self { merged: Yaml::Map(std::collections::BTreeMap::new()), files: Vec::new() };
        for path in paths {
            let Some(text) = cx.text(&path)? else { continue };
            let value = yaml::parse(&path, &text)?;
            merge(&mut config.merged, &value);
            config.files.push((path, value));
        }
        Ok(Some(config))
    }

    /// Tells whether a module runs at boot.
    pub(crate) fn has_module(&self, name: &str) -> bool {
        let stages = ["cloud_init_modules", "cloud_config_modules", "cloud_final_modules"];
        let lists = stages.iter().filter_map(|stage| self.merged.at(&[stage]));
        lists.flat_map(Yaml::items).any(|item| {
            // An element may be a list whose first element is the name, and names may use either dash.
            let text = item.items().first().and_then(Yaml::text).unwrap_or_default();
            text.replace('_', "-") == name
        })
    }

    /// Returns the last file that has something at a path of keys.
    pub(crate) fn source(&self, keys: &[&str]) -> &Path {
        let sources = self.files.iter().rev();
        let found = sources.into_iter().find(|(_, value)| value.at(keys).is_some());
        found.map_or(Path::new(MAIN), |(path, _)| path)
    }
}

fn merge(into: &mut Yaml, from: &Yaml) {
    match (into, from) {
        (Yaml::Map(into), Yaml::Map(from)) => {
            for (key, value) in from {
                match into.get_mut(key) {
                    Some(current) => merge(current, value),
                    None => {
                        into.insert(key.clone(), value.clone());
                    }
                }
            }
        }
        // A file that is empty or only comments says nothing.
        (_, from) if from.is_empty() && matches!(from, Yaml::Text(..)) => {}
        (into, from) => *into = from.clone(),
    }
}

/// Tells whether cloud-init will run at boot.
pub(crate) fn is_enabled(cx: &Context<'_>) -> Result<bool, CheckError> {
    if cx.metadata("/etc/cloud/cloud-init.disabled")?.is_some() {
        return Ok(false);
    }
    // The names differ between versions; one unit of the network stage is enough.
    for unit in ["cloud-init-network.service", "cloud-init-main.service", "cloud-init.service"] {
        if units::is_enabled(cx, unit)? {
            return Ok(true);
        }
    }
    // OpenRC.
    for script in ["cloud-init", "cloud-init-local", "cloud-config"] {
        for level in ["boot", "default"] {
            if cx.metadata(format!("/etc/runlevels/{level}/{script}"))?.is_some() {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
