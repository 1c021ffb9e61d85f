//! Did everything start?

use std::fmt::Write as _;
use std::time::Duration;

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;
use crate::ssh::quoted;

/// How many failed units are described.
const UNITS_MAX: usize = 5;
/// How many lines of each unit's journal are shown.
const JOURNAL_LINES: u32 = 12;

/// Waits until the system is up and asks which units failed.
pub(crate) async fn failed_units(guest: &Guest, patience: Duration) -> Verdict {
    ask(guest, patience).await.into()
}

async fn ask(guest: &Guest, patience: Duration) -> Result<Verdict, String> {
    let script = "command -v systemctl >/dev/null || { echo none; exit 0; }
        systemctl is-system-running --wait
        systemctl list-units --failed --plain --no-legend --no-pager --full";
    let output = guest.run_within(script, patience).await?;
    let (state, failed) = parse(&output.stdout);
    if state == "none" {
        return Ok(Verdict::skipped("there is no systemd to ask"));
    }
    if failed.is_empty() {
        let is_up = matches!(state, "running" | "degraded");
        return Ok(Verdict::of(is_up, format!("the system is `{}`, no unit failed", shortened(state, 40))));
    }
    let mut detail = format!("{} failed: {}", plural(failed.len()), failed.join(", "));
    for unit in failed.iter().take(UNITS_MAX) {
        let script = format!("journalctl -b -q --no-pager -o cat -n {JOURNAL_LINES} -u {}", quoted(unit));
        let journal = guest.run_as_root(&script).await.map_or_else(|reason| reason, |output| output.stdout);
        // Writing to a string cannot fail.
        let _ = write!(detail, "\n{unit}:\n{}", shortened(journal.trim_end(), 4000));
    }
    Ok(Verdict::fail(detail))
}

fn plural(count: usize) -> String {
    if count == 1 { "1 unit".to_owned() } else { format!("{count} units") }
}

/// Takes the answer apart: the state of the system, and the names of failed units.
fn parse(text: &str) -> (&str, Vec<String>) {
    let mut lines = text.lines();
    let state = lines.next().unwrap_or_default().trim();
    let failed = lines.filter_map(|line| line.split_whitespace().next());
    (state, failed.map(|unit| shortened(unit, 200)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_units_are_named() {
        let text =
            "degraded\nfoo.service loaded failed failed Foo\n  bar.mount  loaded failed failed /bar\n\n";
        assert_eq!(parse(text), ("degraded", vec!["foo.service".to_owned(), "bar.mount".to_owned()]));
        assert_eq!(parse("running\n"), ("running", vec![]));
        assert_eq!(parse(""), ("", vec![]));
    }
}
