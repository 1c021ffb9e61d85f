//! What the rules say of a case, beside what they say of its base.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use amint_disk::tree::FileTree;
use amint_scan::{Profile, ScanRequest, rules, scan};
use amint_types::report::RuleOutcome;
use amint_types::{NullSink, Severity};

use crate::{Case, Corpus, CorpusError, Expectation};

/// What a rule says of a case and not of its base.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Alarm {
    /// How bad.
    pub severity: Severity,
    /// The rule's id.
    pub rule: String,
    /// Where; empty when the rule could not look.
    pub path: String,
    /// What it says.
    pub message: String,
}

/// How a case was judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// A flaw was found, or a decoy was passed in silence.
    AsExpected,
    /// A flaw was not found, or not where or not as bad as it is.
    Missed,
    /// A decoy was called a flaw, below a high severity.
    Remark,
    /// A decoy was called a flaw of a high or critical severity.
    FalseAlarm,
    /// A rule panicked.
    Crash,
    /// A flaw was not found, and a rule that is meant to find it does not exist.
    Pending,
}

/// A case, judged.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The case.
    pub case: Case,
    /// How it went.
    pub outcome: Outcome,
    /// What the rules say of the case and not of its base, the worst first.
    pub alarms: Vec<Alarm>,
}

/// Judges cases; what is said of bases is remembered.
pub struct Judge<'corpus> {
    corpus: &'corpus Corpus,
    bases: RefCell<BTreeMap<BaseKey, BTreeSet<Alarm>>>,
}

type BaseKey = (String, Vec<Profile>, String, Vec<u16>);

impl<'corpus> Judge<'corpus> {
    /// Makes a judge that has judged nothing yet.
    pub fn new(corpus: &'corpus Corpus) -> Self {
        Self { corpus, bases: RefCell::default() }
    }

    /// Judges one case.
    ///
    /// # Errors
    /// Fails when the case's tree cannot be built; whatever rules do is an outcome.
    pub fn judge(&self, case: Case) -> Result<Judgement, CorpusError> {
        let request = case.request();
        let Some(mut alarms) = alarms(&self.corpus.tree(&case)?, &request) else {
            return Ok(Judgement { case, outcome: Outcome::Crash, alarms: Vec::new() });
        };
        if case.entries.is_empty() {
            // A base alone: only what would stop its publication counts.
            let objections = &case.header.remarks;
            alarms.retain(|alarm| alarm.severity >= Severity::High && !objections.contains(&alarm.rule));
        } else {
            let header = &case.header;
            let key =
                (header.base.clone(), header.profiles.clone(), header.user.clone(), header.ports.clone());
            if !self.bases.borrow().contains_key(&key) {
                let of_base = self::alarms(self.corpus.base(&case)?, &request).unwrap_or_default();
                self.bases.borrow_mut().insert(key.clone(), of_base);
            }
            alarms.retain(|alarm| !self.bases.borrow()[&key].contains(alarm));
        }
        let alarms: Vec<Alarm> = alarms.into_iter().rev().collect();
        let outcome = match case.expectation() {
            Expectation::Flaw => judge_flaw(&case, &alarms),
            Expectation::Decoy => judge_decoy(&case, &alarms),
        };
        Ok(Judgement { case, outcome, alarms })
    }
}

fn judge_flaw(case: &Case, alarms: &[Alarm]) -> Outcome {
    let header = &case.header;
    let is_it = |alarm: &&Alarm| {
        !alarm.path.is_empty()
            && header.rules.contains(&alarm.rule)
            && header.severity.is_none_or(|least| alarm.severity >= least)
            && header.at.as_ref().is_none_or(|at| alarm.path.contains(at.as_str()))
    };
    if alarms.iter().any(|alarm| is_it(&alarm)) {
        Outcome::AsExpected
    } else if header.rules.iter().all(|id| exists(id)) {
        Outcome::Missed
    } else {
        Outcome::Pending
    }
}

fn judge_decoy(case: &Case, alarms: &[Alarm]) -> Outcome {
    let mut outcome = Outcome::AsExpected;
    for alarm in alarms {
        if alarm.severity >= Severity::High {
            return Outcome::FalseAlarm;
        }
        if !case.header.remarks.contains(&alarm.rule) {
            outcome = Outcome::Remark;
        }
    }
    outcome
}

fn exists(id: &str) -> bool {
    rules().iter().any(|rule| rule.meta().id == id)
}

/// Asks all rules about a tree; none when one panics.
///
/// Lines are left out: what stands above a finding moves it, and it is the same finding.
pub fn alarms(tree: &dyn FileTree, request: &ScanRequest) -> Option<BTreeSet<Alarm>> {
    let report = catch_unwind(AssertUnwindSafe(|| scan(tree, request, &NullSink))).ok()?.ok()?;
    let mut alarms = BTreeSet::new();
    for result in report.rules {
        let alarm = |path: &str, message: &str, severity: Severity| Alarm {
            severity,
            rule: result.rule.clone(),
            path: path.to_owned(),
            message: message.to_owned(),
        };
        match &result.outcome {
            RuleOutcome::Fail { findings } => {
                let found = findings.iter();
                alarms.extend(found.map(|finding| {
                    let severity = finding.severity.unwrap_or(result.severity);
                    alarm(&finding.evidence.path, &finding.message, severity)
                }));
            }
            RuleOutcome::NotEvaluated { reason } => {
                alarms.insert(alarm("", reason, result.severity));
            }
            _ => {}
        }
    }
    Some(alarms)
}
