//! What every page has: the frame around it, states as marks, facts in the head.

use amint_types::Digest;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

const STYLE: &str = include_str!("../../templates/report.css");
const SCRIPT: &str = include_str!("../../templates/filter.js");

/// What `frame.html` sees.
pub(crate) struct Frame<'a> {
    pub(crate) style: &'static str,
    pub(crate) script: &'static str,
    pub(crate) policy: String,
    pub(crate) tool_version: &'a str,
}

impl<'a> Frame<'a> {
    pub(crate) fn new(tool_version: &'a str) -> Self {
        Self { style: STYLE, script: SCRIPT, policy: policy(), tool_version }
    }
}

/// Allows the embedded style sheet and script by their digests, and nothing else at all.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Digest::of(text.as_bytes()).as_bytes());
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

/// A state in words and as a mark, never by colour alone.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    pub(crate) symbol: &'static str,
    pub(crate) word: &'static str,
    pub(crate) class: &'static str,
}

impl Mark {
    pub(crate) const PASSED: Self = Self { symbol: "✓", word: "passed", class: "good" };
    pub(crate) const FAILED: Self = Self { symbol: "✗", word: "failed", class: "bad" };
    pub(crate) const SKIPPED: Self = Self { symbol: "–", word: "skipped", class: "open" };
    pub(crate) const NOTED: Self = Self { symbol: "!", word: "noted", class: "open" };
    pub(crate) const WAIVED: Self = Self { symbol: "~", word: "waived", class: "open" };
    pub(crate) const NOT_EVALUATED: Self = Self { symbol: "?", word: "not evaluated", class: "open" };
    pub(crate) const NOT_APPLICABLE: Self = Self { symbol: "–", word: "not applicable", class: "open" };
    pub(crate) const INCOMPLETE: Self = Self { symbol: "?", word: "incomplete", class: "open" };
}

/// One number of the head, with its unit or origin below.
pub(crate) struct Fact {
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
}

pub(crate) fn date_time(timestamp: Timestamp) -> String {
    timestamp.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
