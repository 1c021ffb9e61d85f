use amint_types::Severity;

use super::wanted::{Wanted, check};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// Guessing and idling have limits.
pub(in crate::rules) struct Limits;

static META: RuleMeta = RuleMeta {
    id: "SSH-017",
    title: "sshd limits tries, waiting and idle sessions",
    requirements: &["B6", "CIS-5.1"],
    rationale: "Few tries and short waits make guessing slow and keep connections free for those who may log in; a \
                session that no longer answers is closed.",
    remedy: "Set `MaxAuthTries` to at most 4, `LoginGraceTime` to 1..60, `MaxSessions` to at most 10, `MaxStartups` to \
             10:30:60 or less, `ClientAliveInterval` to 15..300 and `ClientAliveCountMax` to 1..3.",
    severities: Severities::hardened(Severity::Low),
};

const WANTED: [Wanted; 6] = [
    Wanted { keyword: "ClientAliveCountMax", value: "3", accepts: |value| is_within(value, 1, 3) },
    Wanted { keyword: "ClientAliveInterval", value: "300", accepts: |value| is_within(value, 15, 300) },
    Wanted { keyword: "LoginGraceTime", value: "60", accepts: |value| is_within(value, 1, 60) },
    Wanted { keyword: "MaxAuthTries", value: "4", accepts: |value| is_within(value, 1, 4) },
    Wanted { keyword: "MaxSessions", value: "10", accepts: |value| is_within(value, 0, 10) },
    Wanted {
        keyword: "MaxStartups",
        value: "10:30:60",
        accepts: |value| {
            let parts: Vec<Option<u64>> = value.split(':').map(|part| part.parse().ok()).collect();
            matches!(parts[..], [Some(start), Some(_), Some(full)] if start <= 10 && full <= 60)
                || matches!(parts[..], [Some(full)] if full <= 10)
        },
    },
];

impl Rule for Limits {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        check(cx, &WANTED, None)
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            for wanted in &WANTED {
                cx.set_sshd(wanted.keyword, wanted.value);
            }
            Ok(())
        })
    }
}

fn is_within(value: &str, least: u64, most: u64) -> bool {
    seconds(value).is_some_and(|number| (least..=most).contains(&number))
}

/// Reads a number, or a time as sshd writes it: `1m30s`, `2h`.
fn seconds(text: &str) -> Option<u64> {
    let mut total: u64 = 0;
    let mut number = String::new();
    for letter in text.chars() {
        let factor = match letter.to_ascii_lowercase() {
            digit if digit.is_ascii_digit() => {
                number.push(digit);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(factor)?)?;
        number.clear();
    }
    if number.is_empty() {
        (!text.is_empty()).then_some(total)
    } else {
        total.checked_add(number.parse().ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::seconds;
    use crate::testing::Fixture;

    #[test]
    fn times_are_read_as_sshd_writes_them() {
        assert_eq!(
            [seconds("90"), seconds("1m30s"), seconds("1h"), seconds(""), seconds("x")],
            [Some(90), Some(90), Some(3600), None, None]
        );
    }

    #[test]
    fn no_limit_is_no_pass() {
        let fixture =
            Fixture::with_sshd("LoginGraceTime 0\nMaxStartups 100\nMaxAuthTries 3\nClientAliveInterval 1m\n");
        let findings = fixture.findings("SSH-017").join("\n");
        assert!(findings.contains("LoginGraceTime") && findings.contains("MaxStartups"));
        assert!(!findings.contains("MaxAuthTries") && !findings.contains("ClientAliveInterval"));
        fixture.harden_twice();
        assert!(fixture.is_pass("SSH-017"));
    }
}
