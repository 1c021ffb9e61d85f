//! Can anybody log in with a password?

use crate::checks::boot_facts::shortened;
use crate::checks::live::{Snapshot, judged};
use crate::checks::{Seen, Verdict};
use crate::promises::Promises;

/// How many accounts are named.
const NAMES_MAX: usize = 10;

/// Judges the kinds of all passwords; the hashes themselves never leave the machine.
pub(crate) fn judge(snapshot: &Snapshot, promises: &Promises) -> Verdict {
    let rows: Result<Vec<(&str, &str)>, String> = snapshot.section("accounts").and_then(|text| {
        let rows: Option<Vec<_>> = text.lines().map(|line| line.rsplit_once(' ')).collect();
        rows.filter(|rows| !rows.is_empty()).ok_or_else(|| "the accounts cannot be read".to_owned())
    });
    let rows = match rows {
        Ok(rows) => rows,
        Err(reason) => {
            let seen = ["ACC-001", "ACC-002", "ACC-004", "ACC-005"]
                .map(|rule| (rule, Seen::Unknown(reason.clone())));
            return judged(promises, seen.to_vec(), &reason);
        }
    };
    let of = |kinds: &[&str]| -> Vec<&str> {
        let mut names: Vec<&str> =
            rows.iter().filter(|(_, kind)| kinds.contains(kind)).map(|(name, _)| *name).collect();
        names.sort_unstable();
        names.dedup();
        names
    };
    let told = |text: &str, names: Vec<&str>| {
        if names.is_empty() {
            return Seen::Holds;
        }
        let named: Vec<String> = names.iter().take(NAMES_MAX).map(|name| shortened(name, 64)).collect();
        Seen::Violated(format!("{text}: {}", named.join(", ")))
    };
    let root_open = of(&["hash", "empty"]).into_iter().filter(|name| *name == "root").collect();
    let superusers = of(&["superuser"]).into_iter().filter(|name| *name != "root").collect();
    let seen = vec![
        ("ACC-001", told("no password is needed for", of(&["empty"]))),
        ("ACC-002", told("a password is set for", of(&["hash", "locked-hash"]))),
        ("ACC-004", told("not locked", root_open)),
        ("ACC-005", told("has all the rights of root", superusers)),
    ];
    let locked = of(&["locked"]).len();
    judged(promises, seen, &format!("{locked} accounts, every one without a password that works"))
}

#[cfg(test)]
mod tests {
    use amint_types::Severity;
    use amint_types::report::CheckOutcome;

    use super::*;
    use crate::promises::tests::passed;

    fn verdict(rows: &str) -> Verdict {
        let rules = ["ACC-001", "ACC-002", "ACC-004", "ACC-005"].map(|rule| (rule, Severity::Critical));
        judge(&Snapshot::parse(&format!("@@accounts\n{rows}@@end\n")), &passed(&rules))
    }

    #[test]
    fn locked_accounts_pass() {
        let verdict = verdict("root locked\nec2-user locked\nroot superuser\n");
        assert_eq!(verdict.outcome, CheckOutcome::Pass, "{}", verdict.detail);
    }

    #[test]
    fn every_kind_of_open_account_is_named() {
        for (rows, expected) in [
            ("guest empty\n", "ACC-001 (critical): no password is needed for: guest"),
            ("root hash\n", "ACC-004 (critical): not locked: root"),
            ("old locked-hash\n", "ACC-002 (critical): a password is set for: old"),
            ("root superuser\ntoor superuser\n", "ACC-005 (critical): has all the rights of root: toor"),
        ] {
            let verdict = verdict(&format!("sys locked\n{rows}"));
            assert_eq!(verdict.outcome, CheckOutcome::Fail);
            assert!(verdict.detail.contains(expected), "{}", verdict.detail);
        }
    }

    #[test]
    fn accounts_that_cannot_be_read_are_no_pass() {
        assert_eq!(verdict("").outcome, CheckOutcome::Fail);
        assert_eq!(verdict("nonsense\n").outcome, CheckOutcome::Fail);
    }
}
