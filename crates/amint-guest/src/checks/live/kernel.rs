//! Does the newest kernel of the image run?

use crate::checks::boot_facts::shortened;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// Judges `uname -r` and the kernels under `/boot`.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let (seen, summary) = match snapshot.section("kernel") {
        Ok(text) => {
            let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
            match lines.next() {
                Some(running) => {
                    let newest = lines.max_by(|left, right| parts(left).cmp(&parts(right)));
                    compare(running, newest)
                }
                None => (Seen::Unknown("the kernel does not tell its release".to_owned()), String::new()),
            }
        }
        Err(reason) => (Seen::Unknown(reason), String::new()),
    };
    judged(promises, vec![("VUL-003", seen)], &summary)
}

fn compare(running: &str, newest: Option<&str>) -> (Seen, String) {
    let running_text = shortened(running, 80);
    match newest {
        Some(newest) if parts(newest) > parts(running) => {
            let text = format!("{running_text} runs, {} is installed", shortened(newest, 80));
            (Seen::Violated(text), String::new())
        }
        Some(_) => (Seen::Holds, format!("{running_text} runs, and none newer is installed")),
        None => (Seen::Holds, format!("{running_text} runs; /boot names no kernels by release")),
    }
}

/// The numbers of a release, for comparing: `6.1.0-41-cloud-amd64` is 6, 1, 0, 41.
fn parts(release: &str) -> Vec<u64> {
    release
        .split(|letter: char| !letter.is_ascii_digit())
        .filter(|part| !part.is_empty())
        .take(8)
        .map(|part| part.parse().unwrap_or(u64::MAX))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(text: &str) -> Seen {
        let snapshot = Snapshot::parse(&format!("@@kernel\n{text}@@end\n"));
        judge(&snapshot, &Promises::default()).seen.remove(0).1
    }

    #[test]
    fn older_kernel_that_runs_beside_a_newer_one_is_seen() {
        assert_eq!(seen("6.1.0-41-cloud-amd64\n6.1.0-9-cloud-amd64\n6.1.0-41-cloud-amd64\n"), Seen::Holds);
        assert_eq!(
            seen("6.1.0-9-amd64\n6.1.0-41-amd64\n"),
            Seen::Violated("6.1.0-9-amd64 runs, 6.1.0-41-amd64 is installed".to_owned())
        );
        assert!(matches!(seen(""), Seen::Unknown(_)));
    }
}
