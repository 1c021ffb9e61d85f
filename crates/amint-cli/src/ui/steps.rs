//! What the reporters remember of each step.

use std::collections::VecDeque;

use amint_types::report::StepTime;
use amint_types::{Event, StepOutcome, Unit};

/// How many lines of a step's programs are kept for the case that it fails.
pub(super) const TAIL_LINES_MAX: usize = 20;

/// One step, from its start on.
#[derive(Debug)]
pub(super) struct StepRecord {
    pub(super) step: String,
    pub(super) title: String,
    pub(super) unit: Unit,
    pub(super) total: Option<u64>,
    /// The last lines that programs of the step wrote, already printable.
    pub(super) tail: VecDeque<String>,
    finished: Option<(StepOutcome, u64, Option<String>)>,
}

/// All steps of a run, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct StepLog {
    steps: Vec<StepRecord>,
}

impl StepLog {
    /// Takes in an event. Engines may tell of a step that never began; it is then known by its id.
    pub(super) fn record(&mut self, event: &Event) {
        match event {
            Event::StepStarted { step, title, total, unit } => {
                self.steps.push(StepRecord {
                    step: step.clone(),
                    title: title.clone(),
                    unit: *unit,
                    total: *total,
                    tail: VecDeque::new(),
                    finished: None,
                });
            }
            Event::StepProgress { step, total: Some(total), .. } => self.get(step).total = Some(*total),
            Event::StepFinished { step, outcome, elapsed_ms, detail } => {
                self.get(step).finished = Some((*outcome, *elapsed_ms, detail.clone()));
            }
            Event::Log { step, line, .. } => {
                let tail = &mut self.get(step).tail;
                if tail.len() == TAIL_LINES_MAX {
                    tail.pop_front();
                }
                tail.push_back(amint_report::printable_line(line));
            }
            _ => {}
        }
    }

    /// Returns the newest step of that id, made up if none began.
    pub(super) fn get(&mut self, step: &str) -> &mut StepRecord {
        let index = self.steps.iter().rposition(|record| record.step == step).unwrap_or_else(|| {
            self.steps.push(StepRecord {
                step: step.to_owned(),
                title: step.to_owned(),
                unit: Unit::Items,
                total: None,
                tail: VecDeque::new(),
                finished: None,
            });
            self.steps.len() - 1
        });
        &mut self.steps[index]
    }

    /// Returns how long each ended step took; those that were skipped took no time and are left out.
    pub(super) fn times(&self) -> Vec<StepTime> {
        self.steps
            .iter()
            .filter_map(|record| {
                let (outcome, elapsed_ms, detail) = record.finished.as_ref()?;
                (!matches!(outcome, StepOutcome::Skipped | StepOutcome::Reused)).then(|| StepTime {
                    step: record.step.clone(),
                    title: record.title.clone(),
                    elapsed_ms: *elapsed_ms,
                    detail: detail.clone(),
                })
            })
            .collect()
    }
}
