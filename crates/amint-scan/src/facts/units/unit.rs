//! The settings of a unit.

use std::path::{Path, PathBuf};

use super::drop_ins::drop_ins;
use super::search::{Found, absolute_target, find};
use crate::{CheckError, Context};

/// One `Key=value` line of a unit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The section: `Service`.
    pub section: String,
    /// The key.
    pub key: String,
    /// The value, with lines that go on joined.
    pub value: String,
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

/// Reads a unit with its drop-ins; none when there is no such unit or it is masked.
pub fn load(cx: &Context<'_>, name: &str) -> Result<Option<Vec<Entry>>, CheckError> {
    let Some(Found::File { path, name }) = find(cx, name)? else { return Ok(None) };
    let mut entries = read(cx, &path)?;
    for path in drop_ins(cx, &name)? {
        entries.extend(read(cx, &path)?);
    }
    Ok(Some(entries))
}

/// Returns the values of a key; an empty value forgets those before it.
pub fn values<'unit>(unit: &'unit [Entry], section: &str, key: &str) -> Vec<&'unit Entry> {
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

/// Returns the last value of a key that is on or off; none when it is not set or neither.
pub fn switch(unit: &[Entry], section: &str, key: &str) -> Option<bool> {
    match values(unit, section, key).last()?.value.to_ascii_lowercase().as_str() {
        "1" | "yes" | "y" | "true" | "t" | "on" => Some(true),
        "0" | "no" | "n" | "false" | "f" | "off" => Some(false),
        _ => None,
    }
}

/// Reads one file of settings.
pub(super) fn read(cx: &Context<'_>, path: &Path) -> Result<Vec<Entry>, CheckError> {
    let is_link = cx.metadata(path)?.is_some_and(|metadata| metadata.is_link());
    if is_link && absolute_target(cx, path)? == Path::new("/dev/null") {
        return Ok(Vec::new());
    }
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
