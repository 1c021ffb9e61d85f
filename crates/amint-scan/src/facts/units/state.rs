//! Whether a unit is enabled, in the words of `systemctl is-enabled`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use amint_disk::tree::FileKind;

use super::names::{instance, is_instance, is_template, kind, template, with_instance};
use super::search::{FOLDERS, Found, absolute_target, all_names, find, is_masked, place};
use super::unit::{read, values};
use crate::{CheckError, Context};

/// The folder whose links say what the owner of the machine wants.
const CONFIG: &str = "/etc/systemd/system";

/// How a unit is enabled (`systemctl(1)`, "is-enabled").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitState {
    /// Something in `/etc` pulls it in.
    Enabled,
    /// Its file lies outside the search path.
    Linked,
    /// The name is another name of a unit.
    Alias,
    /// It cannot be started.
    Masked,
    /// It cannot be enabled; other units pull it in.
    Static,
    /// It can be enabled, and is not.
    Disabled,
    /// It is not enabled itself, but enables others, or is under another name.
    Indirect,
}

impl UnitState {
    /// Returns the word that systemctl uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enabled => "enabled",
            Self::Linked => "linked",
            Self::Alias => "alias",
            Self::Masked => "masked",
            Self::Static => "static",
            Self::Disabled => "disabled",
            Self::Indirect => "indirect",
        }
    }
}

/// Returns the state of a unit; none when there is no such unit.
pub fn state(cx: &Context<'_>, name: &str) -> Result<Option<UnitState>, CheckError> {
    let Some(found) = find(cx, name)? else { return Ok(None) };
    let Found::File { path, name: real } = found else { return Ok(Some(UnitState::Masked)) };
    let is_alias = real != name && template(&real) != template(name);
    if is_alias && !is_instance(name) {
        return Ok(Some(UnitState::Alias));
    }
    let install = Install::read(cx, &path, &real)?;
    match install.search(cx, true)? {
        Search::Config => return Ok(Some(UnitState::Enabled)),
        Search::Elsewhere => return Ok(Some(UnitState::Static)),
        Search::SameName => return Ok(Some(UnitState::Linked)),
        Search::Nowhere => {}
    }
    if matches!(install.search(cx, false)?, Search::Config) {
        return Ok(Some(UnitState::Indirect));
    }
    Ok(Some(if install.has_rules {
        UnitState::Disabled
    } else if install.has_also {
        UnitState::Indirect
    } else {
        UnitState::Static
    }))
}

/// What the `[Install]` section of a unit says.
struct Install {
    name: String,
    known: BTreeSet<String>,
    has_rules: bool,
    has_also: bool,
}

/// Where something was found that enables a unit.
#[derive(PartialEq)]
enum Search {
    Config,
    Elsewhere,
    SameName,
    Nowhere,
}

impl Install {
    fn read(cx: &Context<'_>, path: &Path, name: &str) -> Result<Self, CheckError> {
        let entries = read(cx, path)?;
        let words = |key: &str| -> Vec<String> {
            let values = values(&entries, "Install", key);
            values.iter().flat_map(|entry| entry.value.split_whitespace()).map(str::to_owned).collect()
        };
        let mut known = BTreeSet::from([name.to_owned()]);
        let aliases = words("Alias");
        let instance = instance(name).unwrap_or_default();
        known.extend(aliases.iter().map(|alias| alias.replace("%i", instance)));
        if let (true, Some(default)) = (is_template(name), words("DefaultInstance").first()) {
            known.insert(with_instance(name, default));
        }
        let has_rules = ["WantedBy", "RequiredBy", "UpheldBy"].iter().any(|key| !words(key).is_empty())
            || !aliases.is_empty();
        Ok(Self { name: name.to_owned(), known, has_rules, has_also: !words("Also").is_empty() })
    }

    fn search(&self, cx: &Context<'_>, is_name_wanted: bool) -> Result<Search, CheckError> {
        let (mut is_elsewhere, mut is_same_name, mut is_below) = (false, false, false);
        for folder in FOLDERS {
            match self.search_folder(cx, folder, is_name_wanted, is_below)? {
                Search::Config if folder == CONFIG => return Ok(Search::Config),
                Search::Config => is_elsewhere = true,
                Search::SameName => is_same_name |= folder == CONFIG,
                _ => {}
            }
            is_below |= cx.metadata(Path::new(folder).join(&self.name))?.is_some();
        }
        // An instance says more than a name: one that a package pulls in is on.
        if is_elsewhere && is_instance(&self.name) {
            return Ok(Search::Elsewhere);
        }
        Ok(if is_same_name { Search::SameName } else { Search::Nowhere })
    }

    fn search_folder(
        &self,
        cx: &Context<'_>,
        folder: &str,
        is_name_wanted: bool,
        is_below: bool,
    ) -> Result<Search, CheckError> {
        let mut result = Search::Nowhere;
        for entry in cx.list(folder)? {
            let name = entry.name.to_string_lossy().into_owned();
            if matches!(kind(&name), "wants" | "requires" | "upholds") {
                for link in cx.list(Path::new(folder).join(&name))? {
                    let link_name = link.name.to_string_lossy().into_owned();
                    let is_ours = link_name == self.name || template(&link_name) == self.name;
                    if link.kind == FileKind::Link
                        && is_ours
                        && (!is_name_wanted || self.known.contains(&link_name))
                    {
                        return Ok(Search::Config);
                    }
                }
            } else if entry.kind == FileKind::Link {
                let target = absolute_target(cx, &Path::new(folder).join(&name))?;
                let is_target = target.file_name().is_some_and(|target| target == self.name.as_str());
                let is_name = !is_below && name == self.name;
                if is_target && is_name {
                    result = Search::SameName;
                } else if (is_target || is_name) && (!is_name_wanted || self.known.contains(&name)) {
                    return Ok(Search::Config);
                }
            }
        }
        Ok(result)
    }
}

/// Tells whether something in any folder wants, requires or upholds the unit or, of a template, an instance of it.
pub fn is_enabled(cx: &Context<'_>, name: &str) -> Result<bool, CheckError> {
    if place(cx, &template(name))?.is_none() && place(cx, name)?.is_none() || is_masked(cx, name)? {
        return Ok(false);
    }
    let real = match find(cx, name)? {
        Some(Found::File { name, .. }) => name,
        _ => name.to_owned(),
    };
    let names = all_names(cx, &real)?;
    let links = cx.fact(links)?;
    Ok(links
        .values()
        .flat_map(BTreeMap::keys)
        .any(|link| names.contains(link) || (names.contains(&template(link)) && is_template(&real))))
}

/// Lists what lies in the `.wants`, `.requires` and `.upholds` folders of each unit, with the link.
pub fn links(cx: &Context<'_>) -> Result<BTreeMap<String, BTreeMap<String, PathBuf>>, CheckError> {
    let mut links: BTreeMap<String, BTreeMap<String, PathBuf>> = BTreeMap::new();
    for folder in FOLDERS {
        for entry in cx.list(folder)? {
            let name = entry.name.to_string_lossy().into_owned();
            let Some((owner, "wants" | "requires" | "upholds")) = name.rsplit_once('.') else { continue };
            let folder = Path::new(folder).join(&name);
            for link in cx.list(&folder)? {
                let path = folder.join(&link.name);
                let link_name = link.name.to_string_lossy().into_owned();
                let pulled = links.entry(owner.to_owned()).or_default();
                pulled.entry(link_name).or_insert(path);
            }
        }
    }
    // A link to /dev/null in a more important folder takes one of the same name away.
    for pulled in links.values_mut() {
        let mut gone = Vec::new();
        for (name, path) in pulled.iter() {
            let is_link = cx.metadata(path)?.is_some_and(|metadata| metadata.is_link());
            if is_link && absolute_target(cx, path)? == Path::new("/dev/null") {
                gone.push(name.clone());
            }
        }
        pulled.retain(|name, _| !gone.contains(name));
    }
    Ok(links)
}
