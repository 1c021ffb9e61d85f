//! How many of each group were judged how.

use std::collections::BTreeMap;

use crate::{Expectation, Judgement, Outcome};

/// How many cases of a group were judged how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Flaws for which a rule exists.
    pub planted: u32,
    /// Flaws that were found.
    pub found: u32,
    /// Flaws that were not found, or not as bad as they are.
    pub missed: u32,
    /// Decoys.
    pub decoys: u32,
    /// Decoys of which some rule said something, at any severity.
    pub alarms: u32,
    /// Decoys that some rule called high or critical.
    pub severe_alarms: u32,
    /// Cases at which a rule panicked.
    pub crashes: u32,
    /// Flaws for which no rule exists yet.
    pub pending: u32,
}

impl Tally {
    /// Counts one more case.
    pub fn add(&mut self, judgement: &Judgement) {
        match (judgement.case.expectation(), judgement.outcome) {
            (Expectation::Flaw, Outcome::Pending) => self.pending += 1,
            (Expectation::Flaw, _) => self.planted += 1,
            (Expectation::Decoy, _) => self.decoys += 1,
        }
        match (judgement.case.expectation(), judgement.outcome) {
            (Expectation::Flaw, Outcome::AsExpected) => self.found += 1,
            (_, Outcome::Missed) => self.missed += 1,
            (_, Outcome::Remark) => self.alarms += 1,
            (_, Outcome::FalseAlarm) => {
                self.alarms += 1;
                self.severe_alarms += 1;
            }
            (_, Outcome::Crash) => self.crashes += 1,
            _ => {}
        }
    }

    /// Returns which part of the planted flaws was found, in per cent.
    pub fn recall_percent(&self) -> f64 {
        percent(self.found, self.planted)
    }

    /// Returns which part of the decoys was called a flaw, in per cent.
    pub fn alarm_percent(&self) -> f64 {
        percent(self.alarms, self.decoys)
    }
}

fn percent(part: u32, whole: u32) -> f64 {
    if whole == 0 { 0.0 } else { f64::from(part) * 100.0 / f64::from(whole) }
}

/// Counts judgements by group.
pub fn tally(judged: &[Judgement]) -> BTreeMap<String, Tally> {
    let mut groups: BTreeMap<String, Tally> = BTreeMap::new();
    for judgement in judged {
        groups.entry(judgement.case.group().to_owned()).or_default().add(judgement);
    }
    groups
}
