//! Finding the file of a unit.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::names::{is_instance, kind, template};
use crate::{CheckError, Context};

/// Where units live on the disk, most important first.
pub(super) const FOLDERS: [&str; 6] = [
    "/etc/systemd/system.control",
    "/etc/systemd/system",
    "/etc/systemd/system.attached",
    "/usr/local/lib/systemd/system",
    "/lib/systemd/system",
    "/usr/lib/systemd/system",
];
/// How many names one unit may lead to.
const ALIASES_MAX: usize = 32;

/// What a name leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A file with settings, and the name that it has in the end.
    File { path: PathBuf, name: String },
    /// Nothing may start it.
    Masked { path: PathBuf },
}

/// Returns the first place of exactly this name.
pub(super) fn place(cx: &Context<'_>, name: &str) -> Result<Option<(usize, PathBuf)>, CheckError> {
    for (index, folder) in FOLDERS.iter().enumerate() {
        let path = Path::new(folder).join(name);
        if cx.metadata(&path)?.is_some() {
            return Ok(Some((index, path)));
        }
    }
    Ok(None)
}

/// Follows a name through aliases and templates to what counts in the end.
pub(super) fn find(cx: &Context<'_>, name: &str) -> Result<Option<Found>, CheckError> {
    let mut name = name.to_owned();
    for _ in 0..ALIASES_MAX {
        let mut found = place(cx, &name)?;
        if found.is_none() && is_instance(&name) {
            found = place(cx, &template(&name))?;
        }
        let Some((_, path)) = found else { return Ok(None) };
        let Some(metadata) = cx.metadata(&path)? else { return Ok(None) };
        if metadata.is_link() {
            let target = absolute_target(cx, &path)?;
            if target == Path::new("/dev/null") {
                return Ok(Some(Found::Masked { path }));
            }
            if let Some(next) = alias_name(&target, &name) {
                if next == name {
                    // A link to a less important folder under the same name: that file counts.
                    return file(cx, target, name);
                }
                name = next;
                continue;
            }
            return file(cx, target, name);
        }
        return file(cx, path, name);
    }
    Ok(None)
}

fn file(cx: &Context<'_>, path: PathBuf, name: String) -> Result<Option<Found>, CheckError> {
    Ok(match cx.metadata_following(&path)? {
        Some(metadata) if metadata.is_file() && metadata.bytes > 0 => Some(Found::File { path, name }),
        Some(_) => Some(Found::Masked { path }),
        None => None,
    })
}

/// Returns where a link leads, without links of folders on the way.
pub(super) fn absolute_target(cx: &Context<'_>, path: &Path) -> Result<PathBuf, CheckError> {
    let target = cx.tree().read_link(path)?;
    let joined = path.parent().unwrap_or(Path::new("/")).join(target);
    let mut plain = PathBuf::from("/");
    for part in joined.components() {
        match part {
            std::path::Component::ParentDir => {
                plain.pop();
            }
            std::path::Component::Normal(name) => plain.push(name),
            _ => {}
        }
    }
    Ok(plain)
}

/// The name that a link to `target` makes another name for; none when the target is outside the search path.
pub(super) fn alias_name(target: &Path, name: &str) -> Option<String> {
    let folder = target.parent()?;
    if !FOLDERS.iter().any(|known| folder == Path::new(known)) {
        return None;
    }
    let target = target.file_name()?.to_str()?;
    if kind(target) != kind(name) {
        return None;
    }
    // An alias of a template stands for the instances too.
    match super::names::instance(name) {
        Some(instance) if super::names::is_template(target) => {
            Some(super::names::with_instance(target, instance))
        }
        _ => Some(target.to_owned()),
    }
}

/// Returns every name of a unit: its own, and the links that lead to it.
pub(super) fn all_names(cx: &Context<'_>, name: &str) -> Result<BTreeSet<String>, CheckError> {
    let mut all = BTreeSet::from([name.to_owned()]);
    let aliases = cx.fact(|cx| Aliases::load(cx))?;
    let mut pending = vec![name.to_owned()];
    while let Some(current) = pending.pop() {
        let wanted = [current.clone(), template(&current)];
        for (alias, target) in aliases.0.iter().filter(|(_, target)| wanted.contains(target)) {
            let instance = super::names::instance(&current).unwrap_or_default();
            let alias = if super::names::is_template(target) {
                super::names::with_instance(alias, instance)
            } else {
                alias.clone()
            };
            if all.len() < ALIASES_MAX && all.insert(alias.clone()) {
                pending.push(alias);
            }
        }
    }
    Ok(all)
}

/// Links of the folders that are other names of units: name and what it stands for.
struct Aliases(Vec<(String, String)>);

impl Aliases {
    fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut found = Vec::new();
        let mut seen = BTreeSet::new();
        for folder in FOLDERS {
            for entry in cx.list(folder)? {
                let name = entry.name.to_string_lossy().into_owned();
                let is_link = entry.kind == amint_disk::tree::FileKind::Link;
                // A name in a more important folder hides those of the same name.
                if !seen.insert(name.clone()) || !is_link {
                    continue;
                }
                let target = absolute_target(cx, &Path::new(folder).join(&entry.name))?;
                if let Some(target) = alias_name(&target, &name).filter(|target| *target != name) {
                    found.push((name, target));
                }
            }
        }
        Ok(Self(found))
    }
}

/// Returns the file of a unit, of an instance that of its template.
pub fn path_of(cx: &Context<'_>, name: &str) -> Result<Option<PathBuf>, CheckError> {
    let found = match place(cx, name)? {
        None if is_instance(name) => place(cx, &template(name))?,
        found => found,
    };
    Ok(found.map(|(_, path)| path))
}

/// Tells whether a unit is masked: its file is a link to `/dev/null`, or empty.
pub fn is_masked(cx: &Context<'_>, name: &str) -> Result<bool, CheckError> {
    Ok(matches!(find(cx, name)?, Some(Found::Masked { .. })))
}

/// Lists the names of all units, aliases too.
pub fn names(cx: &Context<'_>) -> Result<Vec<String>, CheckError> {
    let mut names = Vec::new();
    for folder in FOLDERS {
        names.extend(cx.list(folder)?.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()));
    }
    names.retain(|name| !matches!(kind(name), "wants" | "requires" | "upholds" | "d" | ""));
    names.sort();
    names.dedup();
    Ok(names)
}
