use std::path::Path;

use amint_types::Severity;

use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, Rule, RuleMeta, Severities, Verdict};

/// New files are not for everybody.
pub(in crate::rules) struct DefaultUmask;

static META: RuleMeta = RuleMeta {
    id: "ACC-011",
    title: "new files are closed to others",
    requirements: &["B6", "CIS-5.4"],
    rationale: "With a mask of 022 every new file can be read by every account of the machine.",
    remedy: "Set `UMASK 027` in /etc/login.defs, which PAM's pam_umask reads.",
    severities: Severities::hardened(Severity::Low),
};

const PATH: &str = "/etc/login.defs";

impl Rule for DefaultUmask {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(text) = cx.text(PATH)? else {
            return Ok(Verdict::NotApplicable("there is no /etc/login.defs".to_owned()));
        };
        let Some((line, value)) = umask(&text) else {
            return Ok(Verdict::Fail(vec![finding("no UMASK is set, wanted: 027", Path::new(PATH))]));
        };
        let is_closed = u32::from_str_radix(value, 8).is_ok_and(|mask| mask & 0o027 == 0o027);
        if is_closed {
            return Ok(Verdict::Pass);
        }
        let message = format!("UMASK is {value}, wanted: 027");
        Ok(Verdict::Fail(vec![finding_at(message, Path::new(PATH), line, &format!("UMASK {value}"))]))
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            if !matches!(DefaultUmask.check(&cx.look())?, Verdict::Fail(_)) {
                return Ok(());
            }
            let text = cx.look().text(PATH)?.unwrap_or_default();
            let mut content: String =
                text.split_inclusive('\n').filter(|line| umask(line).is_none()).collect();
            if !content.is_empty() && !content.ends_with('\n') {
                content.push('\n');
            }
            content.push_str("UMASK 027\n");
            cx.replace(PATH, content.as_bytes())
        })
    }
}

/// Finds the last setting, which is the one that counts.
fn umask(text: &str) -> Option<(u32, &str)> {
    let lines = (1_u32..).zip(text.lines());
    let settings = lines.filter_map(|(number, line)| {
        let mut words = line.split_whitespace();
        (words.next() == Some("UMASK")).then_some((number, words.next()?))
    });
    settings.last()
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    #[test]
    fn a_mask_that_lets_others_read_is_replaced() {
        let fixture = Fixture::new().file("/etc/login.defs", "#UMASK 027\nUMASK\t\t022\nUID_MIN 1000");
        assert_eq!(fixture.findings("ACC-011"), ["/etc/login.defs:2 UMASK is 022, wanted: 027"]);
        fixture.harden_twice();
        assert_eq!(fixture.read("/etc/login.defs"), "#UMASK 027\nUID_MIN 1000\nUMASK 027\n");
        assert!(Fixture::new().file("/etc/login.defs", "UMASK 077\n").is_pass("ACC-011"));
    }
}
