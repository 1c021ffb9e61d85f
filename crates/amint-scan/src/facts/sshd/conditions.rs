//! `Match` blocks.

use super::keywords::Version;
use crate::glob;

/// One test of a `Match` line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Criterion {
    /// What is tested, in lower case: `user`, `address`.
    pub kind: String,
    /// The patterns, separated by commas.
    pub patterns: String,
}

/// What must hold for the directives of a block to count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// All tests of the line and of the blocks around it; empty for `Match all`.
    pub criteria: Vec<Criterion>,
}

impl Condition {
    /// Tells whether everyone meets the condition.
    pub fn is_always(&self) -> bool {
        self.criteria.is_empty()
    }

    /// Returns the condition as text: `User alice Address 10.0.0.0/8`.
    pub fn text(&self) -> String {
        if self.is_always() {
            return "all".to_owned();
        }
        let parts: Vec<String> = self
            .criteria
            .iter()
            .map(|criterion| format!("{} {}", criterion.kind, criterion.patterns))
            .collect();
        parts.join(" ")
    }

    /// Tells whether somebody called `user` may meet the condition.
    pub fn may_match_user(&self, user: &str) -> bool {
        let users = self.criteria.iter().filter(|criterion| criterion.kind == "user");
        users.into_iter().all(|criterion| is_match_list(&criterion.patterns, user))
    }
}

/// Tells whether `text` fits a list of patterns, of which those with `!` forbid.
pub(super) fn is_match_list(patterns: &str, text: &str) -> bool {
    let mut is_found = false;
    for pattern in patterns.split(',') {
        match pattern.strip_prefix('!') {
            Some(forbidden) if glob::is_match(forbidden, text) => return false,
            Some(_) => {}
            None => is_found |= glob::is_match(pattern, text),
        }
    }
    is_found
}

/// Reads the words of a `Match` line.
pub(super) fn parse(words: &[String], version: Option<Version>) -> Result<Vec<Criterion>, String> {
    let mut criteria = Vec::new();
    let mut words = words.iter();
    let mut count = 0;
    while let Some(word) = words.next() {
        count += 1;
        let (kind, joined) = match word.split_once('=') {
            Some((kind, value)) => (kind.to_ascii_lowercase(), Some(value.to_owned())),
            None => (word.to_ascii_lowercase(), None),
        };
        match kind.as_str() {
            "all" if count == 1 && words.len() == 0 => return Ok(Vec::new()),
            "all" => return Err("`all` must stand alone".to_owned()),
            "invalid-user" if is_known(version, (9, 9)) => {
                criteria.push(Criterion { kind, patterns: String::new() });
                continue;
            }
            "user" | "group" | "host" | "localaddress" | "localport" | "rdomain" | "address" => {}
            "version" | "sessiontype" | "command" if is_known(version, (10, 0)) => {}
            other => return Err(format!("unknown criterion `{other}`")),
        }
        let patterns = joined.or_else(|| words.next().cloned()).filter(|value| !value.is_empty());
        let patterns = patterns.ok_or_else(|| format!("`{kind}` has no patterns"))?;
        if kind == "localport" && patterns.parse::<u16>().is_err() {
            return Err(format!("`{patterns}` is no port"));
        }
        criteria.push(Criterion { kind, patterns });
    }
    if criteria.is_empty() { Err("no criteria".to_owned()) } else { Ok(criteria) }
}

/// Tells whether a version knows what came with `since`; an unknown version may.
fn is_known(version: Option<Version>, since: Version) -> bool {
    version.is_none_or(|version| version >= since)
}
