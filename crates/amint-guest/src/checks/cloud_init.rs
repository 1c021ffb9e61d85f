//! Did cloud-init do its work, and from the right data source?

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::Value;

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;

/// Waits until cloud-init is done and asks how it went.
pub(crate) async fn cloud_init(guest: &Guest, patience: Duration) -> Verdict {
    let script = "command -v cloud-init >/dev/null || { echo none; exit 0; }
        cloud-init status --wait >/dev/null 2>&1; echo $?
        cat /run/cloud-init/result.json";
    guest.run_within(script, patience).await.map(|output| judge(&output.stdout)).into()
}

/// Judges the exit code of `cloud-init status --wait` on the first line and `result.json` behind it.
fn judge(answer: &str) -> Verdict {
    let (code, result) = answer.split_once('\n').unwrap_or((answer, ""));
    if code.trim() == "none" {
        return Verdict::skipped("the image has no cloud-init");
    }
    let Some(result) =
        serde_json::from_str::<Value>(result).ok().and_then(|mut value| value.get_mut("v1").map(Value::take))
    else {
        return Verdict::fail(format!("exit code {}, and no readable result", shortened(code, 20)));
    };
    let source = shortened(result.get("datasource").and_then(Value::as_str).unwrap_or("none"), 80);
    let errors = strings(result.get("errors"));
    let warnings: Vec<String> = match result.get("recoverable_errors") {
        Some(Value::Object(levels)) => levels.values().flat_map(|level| strings(Some(level))).collect(),
        _ => Vec::new(),
    };
    // 2 means done with warnings (cloud-init 23.4 and later); older ones know 0 and 1 only.
    let is_done = matches!(code.trim(), "0" | "2");
    let mut detail = format!("exit code {}, data source {source}", shortened(code.trim(), 20));
    for (name, items) in [("errors", &errors), ("warnings", &warnings)] {
        if !items.is_empty() {
            // Writing to a string cannot fail.
            let _ = write!(detail, "; {name}: {}", items.join("; "));
        }
    }
    Verdict::of(is_done && errors.is_empty() && source.contains("Ec2"), detail)
}

fn strings(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    items.iter().take(10).map(|item| shortened(item.as_str().unwrap_or("?"), 300)).collect()
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome;

    use super::*;

    fn answer(code: &str, source: &str, errors: &str, recoverable: &str) -> Verdict {
        judge(&format!(
            "{code}\n{{\"v1\": {{\"datasource\": \"{source}\", \"errors\": {errors}, \
             \"recoverable_errors\": {recoverable}}}}}"
        ))
    }

    #[test]
    fn done_from_ec2_passes_and_warnings_are_shown() {
        assert_eq!(answer("0", "DataSourceEc2Local", "[]", "{}").outcome, CheckOutcome::Pass);
        let verdict = answer("2", "DataSourceEc2Local", "[]", "{\"WARNING\": [\"no swap\"]}");
        assert_eq!(verdict.outcome, CheckOutcome::Pass);
        assert!(verdict.detail.contains("no swap"), "{}", verdict.detail);
    }

    #[test]
    fn errors_and_other_sources_fail() {
        let verdict = answer("1", "DataSourceEc2Local", "[\"('locale', boom)\"]", "{}");
        assert_eq!(verdict.outcome, CheckOutcome::Fail);
        assert!(verdict.detail.contains("boom"), "{}", verdict.detail);
        assert_eq!(answer("0", "DataSourceNone", "[]", "{}").outcome, CheckOutcome::Fail);
        assert_eq!(answer("2", "DataSourceEc2", "[\"x\"]", "{}").outcome, CheckOutcome::Fail);
    }

    #[test]
    fn nonsense_is_no_pass() {
        for answer in ["", "0", "0\n", "0\n{}", "0\n[1", "0\n{\"v1\": 7}", "\n\n\n"] {
            assert_eq!(judge(answer).outcome, CheckOutcome::Fail, "{answer:?}");
        }
        assert_eq!(judge("none\n").outcome, CheckOutcome::Skipped);
    }
}
