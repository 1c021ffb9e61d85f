//! Kinds that the name of their file betrays: files where programs keep passwords and tokens.
//!
//! Their content is held up to 4 MiB and judged as a whole, since many of these files are read line by line or as JSON.

mod table;

use amint_types::Severity;
use regex::bytes::{Regex, RegexBuilder};
use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};
use zeroize::Zeroize as _;

use crate::kind::Hit;
use crate::scanner::Telling;

pub(crate) use table::NAMED;

/// Bytes of such a file that are judged.
const CONTENT_BYTES_MAX: usize = 4 << 20;
/// Findings of one row in one file.
const FOUND_MAX: usize = 200;

/// A row: files, and what in them is a secret.
#[derive(Clone, Copy)]
pub(crate) struct Named {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) severity: Severity,
    /// The end of the path from a `/` on; `*` and the end of the name; or, with a `/` at the end, the folder.
    pub(crate) names: &'static [&'static str],
    /// Each line, or the whole; the first group is the secret.
    pub(crate) expression: &'static str,
    /// Whether people choose the value.
    pub(crate) is_chosen: bool,
}

/// What was found, with places in the content that was held.
pub(crate) struct Found {
    pub(crate) telling: Telling,
    pub(crate) hit: Hit,
    pub(crate) line: u32,
}

/// The content of a file whose name betrays it.
pub(crate) struct NamedContent {
    rows: Vec<&'static Named>,
    content: Vec<u8>,
    is_cut: bool,
}

static EXPRESSIONS: LazyLock<Mutex<HashMap<&'static str, Regex>>> = LazyLock::new(Mutex::default);

impl NamedContent {
    /// Returns a holder if any row is for files of that name.
    pub(crate) fn for_path(path: &str) -> Option<Self> {
        let rows: Vec<&'static Named> =
            NAMED.iter().filter(|row| row.names.iter().any(|name| matches(path, name))).collect();
        (!rows.is_empty()).then(|| Self { rows, content: Vec::new(), is_cut: false })
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let room = CONTENT_BYTES_MAX - self.content.len();
        self.is_cut |= bytes.len() > room;
        self.content.extend_from_slice(bytes.get(..room.min(bytes.len())).unwrap_or_default());
    }

    pub(crate) fn is_cut(&self) -> bool {
        self.is_cut
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.content
    }

    /// Returns what is secret in the content, in the order of the rows.
    pub(crate) fn find(&self) -> Vec<Found> {
        self.rows.iter().flat_map(|row| self.find_row(row)).collect()
    }

    fn find_row(&self, row: &Named) -> Vec<Found> {
        let expression = expression(row);
        let telling = Telling {
            id: row.id,
            title: row.title,
            rule: row.rule,
            severity: row.severity,
            entropy_min: 0.0,
            examples: &[],
            is_chosen: row.is_chosen,
        };
        let (mut line, mut counted) = (1_u32, 0);
        let mut found = Vec::new();
        for value in
            expression.captures_iter(&self.content).filter_map(|captures| captures.get(1)).take(FOUND_MAX)
        {
            let between = self.content.get(counted..value.start()).unwrap_or_default();
            let newlines = u32::try_from(memchr::memchr_iter(b'\n', between).count()).unwrap_or(u32::MAX);
            line = line.saturating_add(newlines);
            counted = value.start();
            let hit = Hit { start: value.start(), end: value.end(), ..Hit::default() };
            found.push(Found { telling, hit, line });
        }
        found
    }
}

impl Drop for NamedContent {
    fn drop(&mut self) {
        self.content.zeroize();
    }
}

fn matches(path: &str, name: &str) -> bool {
    if name.ends_with('/') {
        return path.rsplit_once('/').is_some_and(|(folder, _)| folder.ends_with(name.trim_end_matches('/')));
    }
    match name.strip_prefix('*') {
        Some(end) => path.len() > end.len() && path.ends_with(end),
        None => path.ends_with(name) || name.strip_prefix('/').is_some_and(|name| path == name),
    }
}

fn expression(row: &Named) -> Regex {
    let mut known = EXPRESSIONS.lock().unwrap_or_else(PoisonError::into_inner);
    let compiled = known.entry(row.id).or_insert_with(|| {
        let builder = &mut RegexBuilder::new(row.expression);
        builder.unicode(false).multi_line(true).build().expect("a test compiles the expression of each row")
    });
    compiled.clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_expression_compiles_and_has_a_group() {
        for row in NAMED {
            assert_eq!(expression(row).captures_len(), 2, "{}", row.id);
        }
    }

    #[test]
    fn names_match_whole_parts_of_a_path() {
        assert!(matches("/root/.netrc", "/.netrc") && matches(".netrc", "/.netrc"));
        assert!(!matches("/root/x.netrc", "/.netrc"));
        assert!(matches("/srv/a.tfstate", "*.tfstate") && !matches("/srv/a.tfstate.gz", "*.tfstate"));
    }
}
