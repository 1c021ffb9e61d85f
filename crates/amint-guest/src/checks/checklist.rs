//! The list of checks of one boot test.

use std::time::Instant;

use amint_types::Severity;
use amint_types::report::{CheckOutcome, CheckResult};

use crate::checks::confirmed::confirmed_by;

/// What the running machine says of one rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// The rule holds.
    Holds,
    /// It does not, and this is what was seen.
    Violated(String),
    /// It could not be found out.
    Unknown(String),
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) outcome: CheckOutcome,
    pub(crate) detail: String,
    /// How bad it is; none where nothing is wrong, or where any failure is one.
    pub(crate) severity: Option<Severity>,
    /// What was seen of single rules, where the check tells them apart.
    pub(crate) seen: Vec<(&'static str, Seen)>,
}

impl Verdict {
    fn new(outcome: CheckOutcome, detail: impl Into<String>) -> Self {
        Self { outcome, detail: detail.into(), severity: None, seen: Vec::new() }
    }

    pub(crate) fn pass(detail: impl Into<String>) -> Self {
        Self::new(CheckOutcome::Pass, detail)
    }

    pub(crate) fn fail(detail: impl Into<String>) -> Self {
        Self::new(CheckOutcome::Fail, detail)
    }

    pub(crate) fn skipped(detail: impl Into<String>) -> Self {
        Self::new(CheckOutcome::Skipped, detail)
    }

    /// Tells of something that is not as it should be and does not fail the boot test.
    pub(crate) fn noted(detail: impl Into<String>) -> Self {
        Self::new(CheckOutcome::Noted, detail)
    }

    /// Passes or fails.
    pub(crate) fn of(is_good: bool, detail: impl Into<String>) -> Self {
        if is_good { Self::pass(detail) } else { Self::fail(detail) }
    }
}

/// A question that could not be asked is a failed check: unknown is not good.
impl From<Result<Self, String>> for Verdict {
    fn from(answer: Result<Self, String>) -> Self {
        answer.unwrap_or_else(|reason| Self::fail(format!("could not be asked: {reason}")))
    }
}

/// The checks of one boot test, in the order of the report.
#[derive(Debug, Default)]
pub(crate) struct Checklist {
    entries: Vec<Entry>,
    current: Option<(usize, Instant)>,
}

#[derive(Debug)]
struct Entry {
    id: String,
    title: String,
    requirements: Vec<String>,
    result: Option<(Verdict, u64)>,
}

impl Checklist {
    /// Puts a check on the list.
    pub(crate) fn add(&mut self, id: &str, title: &str, requirements: &[&str]) {
        self.entries.push(Entry {
            id: id.to_owned(),
            title: title.to_owned(),
            requirements: requirements.iter().map(|&id| id.to_owned()).collect(),
            result: None,
        });
    }

    /// Notes that the check `id`, which is on the list, is being asked now.
    pub(crate) fn begin(&mut self, id: &str) {
        let index = self.entries.iter().position(|entry| entry.id == id);
        self.current = Some((index.expect("every check is put on the list first"), Instant::now()));
    }

    /// Notes what the check that is being asked found.
    pub(crate) fn finish(&mut self, verdict: Verdict) {
        if let Some((index, start)) = self.current.take() {
            let elapsed_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.entries[index].result = Some((verdict, elapsed_ms));
        }
    }

    /// Notes what the check `id` found, out of turn.
    pub(crate) fn set(&mut self, id: &str, verdict: Verdict, elapsed_ms: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.id == id) {
            entry.result = Some((verdict, elapsed_ms));
        }
    }

    /// Fails the check that is being asked, because of `reason`.
    pub(crate) fn interrupt(&mut self, reason: &str) {
        self.finish(Verdict::fail(reason));
    }

    /// Returns how many checks are done and how many there are.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let done = self.entries.iter().filter(|entry| entry.result.is_some()).count();
        (done as u64, self.entries.len() as u64)
    }

    /// Tells whether a check failed.
    pub(crate) fn has_failure(&self) -> bool {
        let mut results = self.entries.iter().filter_map(|entry| entry.result.as_ref());
        results.any(|(verdict, _)| verdict.outcome == CheckOutcome::Fail)
    }

    /// Returns each check that is done, with what it found.
    pub(crate) fn verdicts(&self) -> impl Iterator<Item = (&str, &Verdict)> {
        self.entries.iter().filter_map(|entry| Some((entry.id.as_str(), &entry.result.as_ref()?.0)))
    }

    /// Returns all results; what was not asked is skipped because of `reason`.
    pub(crate) fn into_results(self, reason: &str) -> Vec<CheckResult> {
        let result = |entry: Entry| {
            let (verdict, elapsed_ms) = entry.result.unwrap_or_else(|| (Verdict::skipped(reason), 0));
            CheckResult {
                rules: confirmed_by(&entry.id).iter().map(|&rule| rule.to_owned()).collect(),
                id: entry.id,
                title: entry.title,
                requirements: entry.requirements,
                severity: verdict.severity,
                outcome: verdict.outcome,
                detail: verdict.detail,
                elapsed_ms,
            }
        };
        self.entries.into_iter().map(result).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interrupted_check_fails_and_those_behind_it_are_skipped() {
        let mut list = Checklist::default();
        for id in ["first", "second", "third"] {
            list.add(id, "title", &["A9"]);
        }
        list.begin("first");
        list.finish(Verdict::pass("fine"));
        assert!(!list.has_failure());
        list.begin("second");
        list.interrupt("stuck");
        assert_eq!(list.counts(), (2, 3));
        assert!(list.has_failure());
        let results = list.into_results("the guest was gone");
        let outcomes: Vec<_> =
            results.iter().map(|result| (&result.outcome, result.detail.as_str())).collect();
        assert_eq!(
            outcomes,
            [
                (&CheckOutcome::Pass, "fine"),
                (&CheckOutcome::Fail, "stuck"),
                (&CheckOutcome::Skipped, "the guest was gone")
            ]
        );
    }

    #[test]
    fn question_that_could_not_be_asked_is_no_pass() {
        assert_eq!(Verdict::from(Err("gone".to_owned())).outcome, CheckOutcome::Fail);
    }
}
