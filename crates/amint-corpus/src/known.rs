//! The cases that are known to be judged otherwise than expected.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fmt, fs};

use crate::{CorpusError, Judgement, Outcome};

/// The cases that are known to be judged otherwise than expected, with reasons.
#[derive(Clone, Debug, Default)]
pub struct Known {
    reasons: BTreeMap<String, String>,
}

/// Where the list and the judgements differ.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KnownDifference {
    /// A case is judged otherwise than expected, and the list does not say so.
    Unexpected(String, Outcome),
    /// The list says so of a case that is judged as expected, or that is not there.
    Stale(String),
}

impl fmt::Display for KnownDifference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected(case, outcome) => write!(formatter, "{case}: {outcome:?}"),
            Self::Stale(case) => write!(formatter, "{case} is as expected now: take it out of known.txt"),
        }
    }
}

impl Known {
    /// Reads the list: `group/name: reason` in each line, and comments that begin with `#`.
    pub fn load(path: &Path) -> Result<Self, CorpusError> {
        let text = fs::read_to_string(path)
            .map_err(|source| CorpusError::Read { path: path.to_owned(), source: source.into() })?;
        let mut reasons = BTreeMap::new();
        for (line, text) in (1..).zip(text.lines()) {
            if text.is_empty() || text.starts_with('#') {
                continue;
            }
            let failed = |what: &str| CorpusError::Line {
                name: path.display().to_string(),
                line,
                what: what.to_owned(),
            };
            let (case, reason) = text.split_once(": ").ok_or_else(|| failed("a reason is missing"))?;
            if reasons.insert(case.to_owned(), reason.to_owned()).is_some() {
                return Err(failed("the case stands there twice"));
            }
        }
        Ok(Self { reasons })
    }

    /// Returns the reason for a case.
    pub fn reason(&self, case: &str) -> Option<&str> {
        self.reasons.get(case).map(String::as_str)
    }

    /// Compares the list with what was judged.
    pub fn compare(&self, judged: &[Judgement]) -> Vec<KnownDifference> {
        let mut differences = Vec::new();
        let mut left = self.reasons.clone();
        for judgement in judged {
            let name = &judgement.case.name;
            let is_known = left.remove(name).is_some();
            let is_expected = matches!(judgement.outcome, Outcome::AsExpected | Outcome::Pending);
            if is_known && is_expected {
                differences.push(KnownDifference::Stale(name.clone()));
            } else if !is_known && !is_expected {
                differences.push(KnownDifference::Unexpected(name.clone(), judgement.outcome));
            }
        }
        differences.extend(left.into_keys().map(KnownDifference::Stale));
        differences
    }
}
