//! Do two instances of one image differ where they must?

use std::collections::BTreeSet;

use crate::boot::Guest;
use crate::checks::Verdict;
use crate::checks::boot_facts::shortened;

/// What identifies one instance.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traces {
    /// The public host keys: type and key.
    pub(crate) host_keys: BTreeSet<String>,
    /// The machine id.
    pub(crate) machine_id: String,
}

/// Asks what identifies the instance.
pub(crate) async fn traces(guest: &Guest) -> Result<Traces, String> {
    let script = "echo machine-id $(cat /etc/machine-id); cat /etc/ssh/ssh_host_*_key.pub 2>/dev/null";
    let output = guest.run(script).await?;
    let mut traces = parse(&output.stdout);
    // The key that the server really showed, wherever it keeps it.
    if let Some(line) = guest.target.host_key().and_then(|key| key.to_openssh().ok()) {
        traces.host_keys.extend(host_key(&line));
    }
    Ok(traces)
}

fn parse(answer: &str) -> Traces {
    let mut traces = Traces::default();
    for line in answer.lines().take(100) {
        match line.strip_prefix("machine-id") {
            Some(id) => traces.machine_id = shortened(id.trim(), 80),
            None => traces.host_keys.extend(host_key(line)),
        }
    }
    traces
}

/// Returns type and key of a public key's line, without its comment, which names the host.
fn host_key(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    let (kind, key) = (words.next()?, words.next()?);
    (kind.starts_with("ssh-") || kind.starts_with("ecdsa-"))
        .then(|| format!("{kind} {}", shortened(key, 2000)))
}

/// Compares two instances: the verdicts on host keys and on machine ids.
pub(crate) fn compare(first: &Traces, second: &Traces) -> (Verdict, Verdict) {
    let shared: Vec<&str> = first
        .host_keys
        .intersection(&second.host_keys)
        .map(|key| key.split(' ').next().unwrap_or_default())
        .collect();
    let host_keys = if first.host_keys.is_empty() || second.host_keys.is_empty() {
        Verdict::fail("no host key was seen")
    } else if shared.is_empty() {
        Verdict::pass(format!(
            "{} and {} host keys, none the same",
            first.host_keys.len(),
            second.host_keys.len()
        ))
    } else {
        Verdict::fail(format!("two instances have the same host keys: {}", shared.join(", ")))
    };
    let ids = format!("{} and {}", first.machine_id, second.machine_id);
    let are_ids = [first, second].iter().all(|traces| {
        traces.machine_id.len() == 32 && traces.machine_id.bytes().all(|byte| byte.is_ascii_hexdigit())
    });
    let machine_ids = if are_ids {
        Verdict::of(first.machine_id != second.machine_id, ids)
    } else {
        Verdict::fail(format!("not a machine id: {ids}"))
    };
    (host_keys, machine_ids)
}

#[cfg(test)]
mod tests {
    use amint_types::report::CheckOutcome::{Fail, Pass};

    use super::*;

    const FIRST: &str =
        "machine-id 0123456789abcdef0123456789abcdef\nssh-ed25519 AAAA1 root@a\nssh-rsa BBBB1 root@a\n";
    const SECOND: &str =
        "machine-id fedcba9876543210fedcba9876543210\nssh-ed25519 AAAA2 root@b\nssh-rsa BBBB2 root@b\n";

    fn outcomes(first: &str, second: &str) -> (bool, bool) {
        let (keys, ids) = compare(&parse(first), &parse(second));
        for verdict in [&keys, &ids] {
            assert!(matches!(verdict.outcome, Pass | Fail));
        }
        (keys.outcome == Pass, ids.outcome == Pass)
    }

    #[test]
    fn different_instances_pass() {
        assert_eq!(outcomes(FIRST, SECOND), (true, true));
    }

    #[test]
    fn one_shared_key_is_enough_to_fail() {
        assert_eq!(outcomes(FIRST, &SECOND.replace("BBBB2", "BBBB1")), (false, true));
    }

    #[test]
    fn shared_or_missing_machine_id_fails() {
        let same = SECOND.replace("fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef");
        assert_eq!(outcomes(FIRST, &same), (true, false));
        assert_eq!(outcomes("machine-id uninitialized\n", "machine-id \n"), (false, false));
    }
}
