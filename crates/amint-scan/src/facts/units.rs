//! Unit files of systemd: which one counts, its drop-ins, and whether it is enabled or masked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{CheckError, Context};

/// Where units live, most important first.
const FOLDERS: [&str; 4] = [
    "/etc/systemd/system",
    "/usr/local/lib/systemd/system",
    "/usr/lib/systemd/system",
    "/lib/systemd/system",
];

/// One `Key=value` line of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) section: String,
    pub(crate) key: String,
    pub(crate) value: String,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
}

/// Reads a unit with its drop-ins; none when there is no such unit or it is masked.
pub(crate) fn load(cx: &Context<'_>, name: &str) -> Result<Option<Vec<Entry>>, CheckError> {
    let mut entries = Vec::new();
    let Some(path) = path_of(cx, name)? else { return Ok(None) };
    if is_masked(cx, name)? {
        return Ok(None);
    }
    entries.extend(read(cx, &path)?);
    // A drop-in hides those of the same name in less important folders.
    let mut drop_ins: BTreeMap<String, PathBuf> = BTreeMap::new();
    for folder in FOLDERS {
        let folder = Path::new(folder).join(format!("{name}.d"));
        for entry in cx.list(&folder)? {
            let file_name = entry.name.to_string_lossy().into_owned();
            let is_conf = Path::new(&file_name).extension().is_some_and(|extension| extension == "conf");
            if is_conf {
                drop_ins.entry(file_name).or_insert_with(|| folder.join(&entry.name));
            }
        }
    }
    for path in drop_ins.values() {
        entries.extend(read(cx, path)?);
    }
    Ok(Some(entries))
}

/// Returns the values of a key; an empty value forgets those before it.
pub(crate) fn values<'unit>(unit: &'unit [Entry], section: &str, key: &str) -> Vec<&'unit Entry> {
    let mut found = Vec::new();
    for entry in unit.iter().filter(|entry| entry.section == section && entry.key == key) {
        if entry.value.is_empty() {
            found.clear();
        } else {
            found.push(entry);
        }
    }
    found
}

/// Returns the file of a unit.
pub(crate) fn path_of(cx: &Context<'_>, name: &str) -> Result<Option<PathBuf>, CheckError> {
    for folder in FOLDERS {
        let path = Path::new(folder).join(name);
        if cx.metadata(&path)?.is_some() {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Tells whether a unit is masked: a link to `/dev/null`, or an empty file.
pub(crate) fn is_masked(cx: &Context<'_>, name: &str) -> Result<bool, CheckError> {
    let Some(path) = path_of(cx, name)? else { return Ok(false) };
    match cx.metadata(&path)? {
        Some(metadata) if metadata.is_link() => Ok(cx.tree().read_link(&path)? == Path::new("/dev/null")),
        Some(metadata) => Ok(metadata.is_file() && metadata.bytes == 0),
        None => Ok(false),
    }
}

/// Tells whether something wants or requires the unit.
pub(crate) fn is_enabled(cx: &Context<'_>, name: &str) -> Result<bool, CheckError> {
    if is_masked(cx, name)? || path_of(cx, name)?.is_none() {
        return Ok(false);
    }
    for folder in FOLDERS {
        for entry in cx.list(folder)? {
            let target = entry.name.to_string_lossy().into_owned();
            if matches!(extension(&target), "wants" | "requires")
                && cx.metadata(Path::new(folder).join(&target).join(name))?.is_some()
            {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Lists the names of all units.
pub(crate) fn names(cx: &Context<'_>) -> Result<Vec<String>, CheckError> {
    let mut names = Vec::new();
    for folder in FOLDERS {
        names.extend(cx.list(folder)?.into_iter().map(|entry| entry.name.to_string_lossy().into_owned()));
    }
    names.retain(|name| !matches!(extension(name), "wants" | "requires" | "d"));
    names.sort();
    names.dedup();
    Ok(names)
}

/// Returns what stands after the last dot.
fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

fn read(cx: &Context<'_>, path: &Path) -> Result<Vec<Entry>, CheckError> {
    let text = cx.text(path)?.unwrap_or_default();
    let mut entries = Vec::new();
    let mut section = String::new();
    let mut joined = String::new();
    let mut first_line = 1;
    for (index, line) in text.lines().enumerate() {
        if joined.is_empty() {
            first_line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        }
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        joined.push_str(line);
        if joined.ends_with('\\') {
            joined.pop();
            joined.push(' ');
            continue;
        }
        let whole = std::mem::take(&mut joined);
        if let Some(name) = whole.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            name.clone_into(&mut section);
        } else if let Some((key, value)) = whole.split_once('=') {
            entries.push(Entry {
                section: section.clone(),
                key: key.trim().to_owned(),
                value: value.trim().to_owned(),
                path: path.to_owned(),
                line: first_line,
            });
        }
    }
    Ok(entries)
}
