//! The tables, made ready: keywords indexed, expressions compiled when first needed.

use std::sync::{LazyLock, OnceLock};

use regex::bytes::{Captures, Regex, RegexBuilder};

use crate::finding::KindInfo;
use crate::keywords::Keywords;
use crate::kind::{Hit, Kind, Matcher, Window};
use crate::kinds::ALL;
use crate::named::NAMED;

/// Between a name and its value: `"name": "value"`, `name => 'value'`, `name=value`.
const ASSIGNMENT: &str = r#"^([A-Za-z0-9_.\-]{1,64})["'`\]]{0,2}[ \t]{0,8}(?:=>|:=|[=:,])[ \t]{0,8}["'`]?"#;

/// One of these words stands in a name whose value is a secret.
const SECRET_NAMES: [&str; 9] = ["key", "token", "secret", "pass", "auth", "cred", "pat", "pwd", "webhook"];

static ENGINE: LazyLock<Engine> = LazyLock::new(Engine::new);

pub(crate) struct Engine {
    pub(crate) kinds: Vec<&'static Kind>,
    pub(crate) keywords: Keywords,
    expressions: Vec<OnceLock<Regex>>,
}

impl Engine {
    pub(crate) fn shared() -> &'static Self {
        &ENGINE
    }

    fn new() -> Self {
        let kinds: Vec<&'static Kind> = ALL.iter().flat_map(|table| table.iter()).collect();
        let words = kinds
            .iter()
            .enumerate()
            .flat_map(|(index, kind)| kind.keywords.iter().map(move |word| (*word, index)));
        let keywords = Keywords::new(words);
        let expressions = kinds.iter().map(|_| OnceLock::new()).collect();
        Self { kinds, keywords, expressions }
    }

    /// Looks whether a secret of the kind stands where its keyword does.
    pub(crate) fn examine(&self, index: usize, window: &Window<'_>) -> Option<Hit> {
        let kind = self.kinds.get(index)?;
        match kind.matcher {
            Matcher::Token(_) => self.token(index, kind, window),
            Matcher::Assigned(_) => self.assigned(index, kind, window),
            Matcher::Code(check) => check(window),
        }
    }

    fn expression(&self, index: usize, kind: &Kind) -> Option<&Regex> {
        Some(self.expressions.get(index)?.get_or_init(|| compile(kind)))
    }

    fn token(&self, index: usize, kind: &Kind, window: &Window<'_>) -> Option<Hit> {
        let start = window.at.saturating_sub(kind.lead_bytes);
        let end = window.bytes.len().min(window.at.saturating_add(kind.bytes_max));
        let searched = window.bytes.get(start..end)?;
        let keyword_at = window.at - start;
        let expression = self.expression(index, kind)?;
        let covers = |found: &Captures<'_>| {
            found.get(0).is_some_and(|all| (all.start()..all.end()).contains(&keyword_at))
        };
        let found = match kind.lead_bytes {
            0 => expression.captures(searched)?,
            _ => expression.captures_iter(searched).find(covers)?,
        };
        let (all, group) = (found.get(0)?, found.get(1));
        let value = group.unwrap_or(all);
        if !begins_apart(window.bytes, start + all.start()) || !ends_apart(window.bytes, start + value.end())
        {
            return None;
        }
        let shown = if group.is_none() { public_prefix(kind, value.as_bytes()) } else { String::new() };
        Some(Hit { start: start + value.start(), end: start + value.end(), shown, ..Hit::default() })
    }

    fn assigned(&self, index: usize, kind: &Kind, window: &Window<'_>) -> Option<Hit> {
        let ahead = window.ahead();
        let searched = ahead.get(..ahead.len().min(kind.bytes_max)).unwrap_or_default();
        let found = self.expression(index, kind)?.captures(searched)?;
        let name = found.get(1)?.as_bytes().to_ascii_lowercase();
        let value = found.get(2)?;
        if !SECRET_NAMES.iter().any(|word| memchr::memmem::find(&name, word.as_bytes()).is_some())
            || !ends_apart(window.bytes, window.at + value.end())
        {
            return None;
        }
        Some(Hit { start: window.at + value.start(), end: window.at + value.end(), ..Hit::default() })
    }
}

fn compile(kind: &Kind) -> Regex {
    let pattern = match kind.matcher {
        Matcher::Token(pattern) if kind.lead_bytes == 0 => format!("^(?:{pattern})"),
        Matcher::Token(pattern) => pattern.to_owned(),
        Matcher::Assigned(value) => format!("{ASSIGNMENT}({value})"),
        Matcher::Code(_) => String::new(),
    };
    RegexBuilder::new(&pattern).unicode(false).build().expect("a test compiles the expression of each kind")
}

/// What of a value is the provider's, not the customer's.
fn public_prefix(kind: &Kind, value: &[u8]) -> String {
    let prefix = kind
        .keywords
        .iter()
        .filter(|word| value.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)))
        .max_by_key(|word| word.len());
    prefix.map(|word| String::from_utf8_lossy(word).into_owned()).unwrap_or_default()
}

/// Tells whether no longer word contains the beginning; an escape such as `\n` or `%3D` is no word.
pub(crate) fn begins_apart(bytes: &[u8], start: usize) -> bool {
    // What begins with a sign ends any word before it.
    if bytes.get(start).is_some_and(|first| !first.is_ascii_alphanumeric()) {
        return true;
    }
    let before = |distance: usize| start.checked_sub(distance).and_then(|at| bytes.get(at)).copied();
    match before(1) {
        Some(byte) if byte.is_ascii_alphanumeric() || byte == b'_' => {
            (before(2) == Some(b'\\') && matches!(byte, b'n' | b'r' | b't')) || before(3) == Some(b'%')
        }
        _ => true,
    }
}

/// Tells whether no longer word contains the end.
pub(crate) fn ends_apart(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
}

/// Returns how many kinds of secrets are known.
pub fn kind_count() -> usize {
    kinds().count()
}

/// Returns all kinds: those that are known anywhere, then those that the name of their file betrays.
pub fn kinds() -> impl Iterator<Item = KindInfo> {
    let anywhere = Engine::shared().kinds.iter().map(|kind| KindInfo {
        id: kind.id,
        title: kind.title,
        rule: kind.rule,
        severity: kind.severity,
    });
    anywhere.chain(NAMED.iter().map(|named| KindInfo {
        id: named.id,
        title: named.title,
        rule: named.rule,
        severity: named.severity,
    }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_expression_compiles_and_every_keyword_can_be_found() {
        for kind in &Engine::shared().kinds {
            compile(kind);
            assert!(
                !kind.keywords.is_empty() && kind.keywords.iter().all(|word| word.len() >= 3),
                "{}",
                kind.id
            );
            assert!(
                kind.bytes_max <= crate::SECRET_BYTES_MAX && kind.lead_bytes < crate::BEHIND_BYTES_MAX,
                "{}",
                kind.id
            );
        }
    }

    #[test]
    fn every_id_is_told_once() {
        let ids: BTreeSet<&str> = kinds().map(|kind| kind.id).collect();
        assert_eq!(ids.len(), kind_count());
    }
}
