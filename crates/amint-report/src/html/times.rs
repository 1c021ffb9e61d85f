//! Build steps as a waterfall: each bar begins where the one before ended.

use amint_types::report::StepTime;

use super::page::duration;
use super::percent;

pub(super) struct StepBar<'a> {
    pub(super) title: &'a str,
    pub(super) detail: Option<&'a str>,
    pub(super) x: String,
    pub(super) width: String,
    pub(super) time: String,
}

impl<'a> StepBar<'a> {
    pub(super) fn all(steps: &'a [StepTime]) -> Vec<Self> {
        let total_ms = steps.iter().map(|step| step.elapsed_ms).fold(0, u64::saturating_add);
        let mut start_ms: u64 = 0;
        steps
            .iter()
            .map(|step| {
                let bar = Self {
                    title: &step.title,
                    detail: step.detail.as_deref(),
                    x: percent(start_ms, total_ms),
                    width: percent(step.elapsed_ms, total_ms),
                    time: duration(step.elapsed_ms),
                };
                start_ms = start_ms.saturating_add(step.elapsed_ms);
                bar
            })
            .collect()
    }
}
