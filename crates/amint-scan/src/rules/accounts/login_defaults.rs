use std::fmt::Write;
use std::path::Path;

use amint_types::Severity;

use crate::rule::{finding, finding_at};
use crate::{CheckError, Context, Fix, FixContext, Rule, RuleMeta, Severities, Verdict};

/// What new accounts, new files and idle sessions begin with.
pub(in crate::rules) struct LoginDefaults;

static META: RuleMeta = RuleMeta {
    id: "ACC-011",
    title: "new files, passwords and sessions begin closed",
    requirements: &["B6", "CIS-5.4"],
    rationale: "With a mask of 022 every new file can be read by every account of the machine; weak hashes are cracked \
                quickly; sessions that nobody sits at stay open for whoever finds them.",
    remedy: "Set `UMASK 027` and `ENCRYPT_METHOD SHA512` or `YESCRYPT` in /etc/login.defs, and `TMOUT` of at most 900 in /etc/profile.d.",
    severities: Severities::hardened(Severity::Low),
};

const PATH: &str = "/etc/login.defs";
const TIMEOUT: &str = "/etc/profile.d/amint-timeout.sh";
const TIMEOUT_SECONDS_MAX: u32 = 900;

/// A line of login.defs, the value that is written, and whether a value will do.
struct Default {
    key: &'static str,
    value: &'static str,
    accepts: fn(&str) -> bool,
}

// Ages of passwords are left alone: an account without a password that knows its key only would be shut out by
// one that has run out.
const DEFAULTS: [Default; 2] = [
    Default {
        key: "UMASK",
        value: "027",
        accepts: |value| u32::from_str_radix(value, 8).is_ok_and(|mask| mask & 0o027 == 0o027),
    },
    Default {
        key: "ENCRYPT_METHOD",
        value: "SHA512",
        accepts: |value| matches!(value, "YESCRYPT" | "SHA512" | "BCRYPT"),
    },
];

fn is_within(value: &str, least: u32, most: u32) -> bool {
    value.parse().is_ok_and(|number: u32| (least..=most).contains(&number))
}

impl Rule for LoginDefaults {
    fn meta(&self) -> &'static RuleMeta {
        &META
    }

    fn check(&self, cx: &Context<'_>) -> Result<Verdict, CheckError> {
        let Some(text) = cx.text(PATH)? else {
            return Ok(Verdict::NotApplicable("there is no /etc/login.defs".to_owned()));
        };
        let mut findings = Vec::new();
        for Default { key, value: wanted, accepts } in DEFAULTS {
            match setting(&text, key) {
                None => findings.push(finding(format!("no {key} is set, wanted: {wanted}"), Path::new(PATH))),
                Some((_, value)) if accepts(value) => {}
                Some((line, value)) => {
                    let message = format!("{key} is {value}, wanted: {wanted}");
                    findings.push(finding_at(message, Path::new(PATH), line, &format!("{key} {value}")));
                }
            }
        }
        if !ends_idle_sessions(cx)? {
            let message = format!("TMOUT is not set to {TIMEOUT_SECONDS_MAX} seconds or less");
            findings.push(finding(message, Path::new("/etc/profile.d")));
        }
        Ok(findings.into())
    }

    fn fix(&self) -> Option<Fix> {
        Some(|cx| {
            let look = cx.look();
            if !matches!(LoginDefaults.check(&look)?, Verdict::Fail(_)) {
                return Ok(());
            }
            mend_defaults(cx, &look.text(PATH)?.unwrap_or_default())?;
            if ends_idle_sessions(&look)? || look.metadata("/etc/profile")?.is_none() {
                return Ok(());
            }
            // Only where nobody sets it before: a variable that is read-only already must not be set again.
            let content = format!("# Written by amint.\nTMOUT={TIMEOUT_SECONDS_MAX}\nexport TMOUT\n");
            cx.write(TIMEOUT, &content, 0o644)
        })
    }
}

fn mend_defaults(cx: &FixContext<'_>, text: &str) -> Result<(), CheckError> {
    let wrong: Vec<&Default> = DEFAULTS
        .iter()
        .filter(|default| setting(text, default.key).is_none_or(|(_, value)| !(default.accepts)(value)))
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let is_kept = |line: &&str| wrong.iter().all(|default| setting(line, default.key).is_none());
    let mut content: String = text.split_inclusive('\n').filter(is_kept).collect();
    if !content.is_empty() && !content.ends_with('\n') {
        content.push('\n');
    }
    for Default { key, value, .. } in wrong {
        let _ = writeln!(content, "{key} {value}");
    }
    cx.replace(PATH, content.as_bytes())
}

/// Tells whether shells end when nobody types.
fn ends_idle_sessions(cx: &Context<'_>) -> Result<bool, CheckError> {
    let mut paths =
        ["/etc/profile", "/etc/bash.bashrc", "/etc/bashrc"].map(std::path::PathBuf::from).to_vec();
    for entry in cx.list("/etc/profile.d")? {
        let path = Path::new("/etc/profile.d").join(entry.name);
        if path.extension().is_some_and(|extension| extension == "sh") {
            paths.push(path);
        }
    }
    for path in paths {
        for line in cx.text(&path)?.unwrap_or_default().lines() {
            let words = line.split('#').next().unwrap_or_default().split([' ', '\t', ';']);
            let values = words.filter_map(|word| word.strip_prefix("TMOUT="));
            if values.into_iter().any(|value| is_within(value.trim_matches('"'), 1, TIMEOUT_SECONDS_MAX)) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

/// Finds the last line of a key, which is the one that counts.
fn setting<'text>(text: &'text str, key: &str) -> Option<(u32, &'text str)> {
    let lines = (1_u32..).zip(text.lines());
    let settings = lines.filter_map(|(number, line)| {
        let mut words = line.split_whitespace();
        (words.next() == Some(key)).then_some((number, words.next()?))
    });
    settings.last()
}

#[cfg(test)]
mod tests {
    use crate::testing::Fixture;

    const GOOD: &str = "ENCRYPT_METHOD YESCRYPT\nPASS_MAX_DAYS 99999\n";

    #[test]
    fn what_is_too_open_is_replaced_and_the_rest_stays() {
        let fixture = Fixture::new()
            .file("/etc/profile", "# TMOUT=600\n")
            .file("/etc/login.defs", &format!("#UMASK 027\nUMASK\t\t022\n{GOOD}UID_MIN 1000"));
        assert_eq!(
            fixture.findings("ACC-011"),
            [
                "/etc/login.defs:2 UMASK is 022, wanted: 027",
                "/etc/profile.d TMOUT is not set to 900 seconds or less"
            ]
        );
        fixture.harden_twice();
        assert_eq!(fixture.read("/etc/login.defs"), format!("#UMASK 027\n{GOOD}UID_MIN 1000\nUMASK 027\n"));
        assert!(fixture.is_pass("ACC-011"));
    }

    #[test]
    fn stricter_values_pass_and_weak_hashes_do_not() {
        let fixture = |text: &str| {
            Fixture::new()
                .file("/etc/login.defs", text)
                .file("/etc/profile.d/x.sh", "readonly TMOUT=600 ; export TMOUT\n")
        };
        assert!(fixture(&format!("UMASK 077\n{GOOD}")).is_pass("ACC-011"));
        assert_eq!(fixture(&format!("UMASK 077\n{GOOD}ENCRYPT_METHOD MD5\n")).findings("ACC-011").len(), 1);
    }
}
