//! Keywords of sshd that must have a certain value for everyone.

use crate::rule::{finding, finding_at};
use crate::sshd::{Setting, SshdConfig, When};
use crate::{CheckError, Context, Verdict};

/// What is said when there is nothing to judge.
pub(super) const NO_SERVER: &str = "no ssh server is installed";

/// A keyword and the values that are right.
pub(super) struct Wanted {
    /// The keyword, as people write it.
    pub(super) keyword: &'static str,
    /// The right value, for people and for the fix.
    pub(super) value: &'static str,
    /// Tells whether a value is right.
    pub(super) accepts: fn(&str) -> bool,
}

/// A switch that must be off.
pub(super) const fn off(keyword: &'static str) -> Wanted {
    Wanted { keyword, value: "no", accepts: |value| value == "no" }
}

/// Checks keywords for everyone, or for one user.
pub(super) fn check(cx: &Context<'_>, wanted: &[Wanted], user: Option<&str>) -> Result<Verdict, CheckError> {
    let Some(config) = cx.sshd()? else { return Ok(Verdict::NotApplicable(NO_SERVER.to_owned())) };
    let mut findings = Vec::new();
    for Wanted { keyword, value, accepts } in wanted {
        for setting in config.reachable(keyword, user) {
            if !accepts(&setting.text()) {
                findings.push(report(config, &setting, keyword, value));
            }
        }
    }
    Ok(findings.into())
}

/// Tells of one setting that is not as wanted.
pub(super) fn report(
    config: &SshdConfig,
    setting: &Setting,
    keyword: &str,
    wanted: &str,
) -> amint_types::report::Finding {
    let value = setting.text();
    let whom = match &setting.when {
        When::Always => String::new(),
        When::Match(condition) => format!(" for connections that match `{condition}`"),
    };
    match &setting.place {
        Some(place) => {
            let message = format!("{keyword} is `{value}`{whom}, wanted: {wanted}");
            finding_at(message, &place.path, place.line, &format!("{keyword} {value}"))
        }
        None => finding(
            format!("{keyword} is not set, and sshd's own default is `{value}`, wanted: {wanted}"),
            config.main(),
        ),
    }
}
