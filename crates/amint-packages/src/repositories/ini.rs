//! Files of sections and `key = value`, as dnf, yum and zypper read them (`dnf.conf(5)`).

use crate::Problems;
use crate::bytes::{lines, text};

/// Most keys of one section that are kept.
const ENTRIES_MAX: usize = 1000;
/// Most sections of one file that are kept.
const SECTIONS_MAX: usize = 10_000;

/// A section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub(super) name: String,
    pub(super) line: u64,
    entries: Vec<(String, String)>,
}

impl Section {
    /// Returns a value; of several with the same key the last counts.
    pub(super) fn get(&self, key: &str) -> Option<&str> {
        let found = self.entries.iter().rev().find(|(name, _)| name == key);
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }
}

/// Reads all sections.
pub(super) fn read(content: &[u8], problems: &mut Problems) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for (number, line) in lines(content) {
        let line = text(line);
        let trimmed = line.trim();
        if trimmed.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            if sections.len() >= SECTIONS_MAX {
                problems.add(number, "there are too many sections");
                break;
            }
            sections.push(Section { name: name.0.trim().to_owned(), line: number, entries: Vec::new() });
            continue;
        }
        let Some(section) = sections.last_mut() else {
            problems.add(number, "a line is in no section");
            continue;
        };
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = section.entries.last_mut()
        {
            value.push('\n');
            value.push_str(trimmed);
            continue;
        }
        match trimmed.split_once(['=', ':']) {
            Some((key, value)) if section.entries.len() < ENTRIES_MAX => {
                section.entries.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
            }
            _ => problems.add(number, "a line is no setting"),
        }
    }
    sections
}
