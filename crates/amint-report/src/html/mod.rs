//! The HTML page of a build; its frame, style and script serve the page of a scan too.
//!
//! One file, readable without scripts, styled by one embedded sheet. A content security policy names the
//! digests of that sheet and of the only script (the filter of long tables), so that nothing an image
//! smuggles into its report could ever run. Values reach the templates through askama's HTML escaping; the
//! finished page then loses every control character in one pass, so no value can be forgotten.

mod disk;
pub(crate) mod frame;
mod page;
pub(crate) mod prose;
mod rules;
mod times;

use amint_types::Severity;
use amint_types::report::BuildReport;
use askama::Template;

use crate::ReportError;
use crate::text::printable;

/// Renders a build's report as one self-contained HTML page, judged at its own gate.
pub fn html(report: &BuildReport) -> Result<String, ReportError> {
    html_at(report, report.gate)
}

/// Renders a build's report as one self-contained HTML page, judged at `gate`.
pub fn html_at(report: &BuildReport, gate: Severity) -> Result<String, ReportError> {
    let page = page::Page::new(report, gate);
    let text = page.render().map_err(|source| ReportError::Render { format: "HTML", source })?;
    Ok(printable(&text).into_owned())
}

/// Counts things with their noun: `1 rule`, `14,812 files`.
pub(crate) fn count(number: impl TryInto<u64>, noun: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    if number == 1 { format!("1 {noun}") } else { format!("{} {noun}s", grouped(number)) }
}

pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes `part` of `whole` as a percentage with two decimals, by integers only so that every machine writes
/// the same digits.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0".to_owned();
    }
    let hundredths = u128::from(part.min(whole)) * 10_000 / u128::from(whole);
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

/// Writes a share with as many digits as a reader can use.
fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "0\u{a0}%".to_owned();
    }
    let tenths = u128::from(part.min(whole)) * 1000 / u128::from(whole);
    match tenths {
        0 if part > 0 => "<\u{a0}0.1\u{a0}%".to_owned(),
        0..100 => format!("{}.{}\u{a0}%", tenths / 10, tenths % 10),
        _ => format!("{}\u{a0}%", tenths / 10),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_with_their_noun() {
        assert_eq!(count(1_u64, "rule"), "1 rule");
        assert_eq!(count(0_u64, "rule"), "0 rules");
        assert_eq!(count(1_014_812_u64, "file"), "1,014,812 files");
    }

    #[test]
    fn percentages_stay_within_the_whole() {
        assert_eq!(percent(1, 3), "33.33");
        assert_eq!(percent(5, 3), "100.00");
        assert_eq!(percent(u64::MAX, u64::MAX), "100.00");
        assert_eq!(percent(1, 0), "0");
        let shares = [(0, 9), (1, 9000), (3, 97), (61, 97), (1, 0)].map(|(part, whole)| share(part, whole));
        assert_eq!(shares, ["0.0\u{a0}%", "<\u{a0}0.1\u{a0}%", "3.0\u{a0}%", "62\u{a0}%", "0\u{a0}%"]);
    }
}
