//! Text for people, from an image that nobody vouches for.

use amint_types::scan::{Coverage, CoverageStatus, ScanDocument, ScanFinding, ScanVerdict, Waived};

use crate::text::printable_line;

/// The longest text that a report for people shows of one value, in characters.
const SHOWN_CHARACTERS_MAX: usize = 2_000;

/// Makes one printable line of any text: line ends become spaces, control characters visible, and what is far too
/// long to read is cut.
pub(super) fn line(text: &str) -> String {
    let mut lines = text.lines().map(printable_line).filter(|line| !line.trim().is_empty());
    let mut output = lines.next().unwrap_or_default();
    for more in lines {
        output.push(' ');
        output.push_str(&more);
    }
    clipped(output, SHOWN_CHARACTERS_MAX)
}

/// Cuts text to `characters_max` characters, and shows that it did.
pub(super) fn clipped(mut text: String, characters_max: usize) -> String {
    if let Some((place, _)) = text.char_indices().nth(characters_max) {
        text.truncate(place);
        if let Some((last, _)) = text.char_indices().next_back() {
            text.truncate(last);
        }
        text.push('…');
    }
    text
}

/// Returns what a finding is about, with the package and the version that mends it.
pub(super) fn finding_message(finding: &ScanFinding) -> String {
    let mut message = line(&finding.title);
    if let Some(package) = &finding.package {
        let version = finding.version.as_deref().map(|version| format!(" {version}")).unwrap_or_default();
        message.push_str(&line(&format!(" ({package}{version})")));
    }
    if let Some(fixed) = &finding.fixed_version {
        message.push_str(&line(&format!("; fixed in {fixed}")));
    }
    message
}

/// Returns what to do against a finding, where anything is known.
pub(super) fn remedy(finding: &ScanFinding) -> Option<String> {
    if let Some(fix) = &finding.fix {
        return Some(line(fix));
    }
    let fixed = finding.fixed_version.as_deref()?;
    let package = finding.package.as_deref().unwrap_or("the package");
    Some(line(&format!("update {package} to {fixed} or later")))
}

/// Says who accepts a finding, why and until when.
pub(super) fn acceptance(waived: &Waived) -> String {
    line(&format!("accepted until {} by {}: {}", waived.until, waived.owner, waived.reason))
}

/// Tells whether the document's evidence is too thin to say that nothing is wrong.
pub(super) fn is_incomplete(document: &ScanDocument) -> bool {
    matches!(document.verdict, ScanVerdict::Stale | ScanVerdict::Unread)
        || document.coverage.iter().any(|coverage| coverage.status == CoverageStatus::Unread)
}

/// Returns one part of the disk and what was not read of it.
pub(super) fn coverage_message(coverage: &Coverage) -> String {
    let what = match coverage.status {
        CoverageStatus::Read => "was read",
        CoverageStatus::Partial => "was read in part",
        CoverageStatus::Empty => "holds nothing to read",
        _ => "was not read",
    };
    let mut message = line(&format!("partition {} ({}) {what}", coverage.partition, coverage.filesystem));
    if !coverage.notes.is_empty() {
        message.push_str(": ");
        message.push_str(&line(&coverage.notes.join("; ")));
    }
    message
}

/// Joins the verdict's reasons to one sentence.
pub(super) fn reasons(document: &ScanDocument) -> String {
    let reasons: Vec<String> = document.reasons.iter().map(|reason| line(reason)).collect();
    if reasons.is_empty() {
        format!("the verdict is `{}`", document.verdict.as_str())
    } else {
        reasons.join("; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_for_people_is_one_printable_line_of_bounded_length() {
        assert_eq!(line("a\nb\u{202e}\x1b[31mc\r\n\n"), "a b⟨U+202E⟩c");
        let long = line(&"ä".repeat(5_000));
        assert_eq!(long.chars().count(), SHOWN_CHARACTERS_MAX);
        assert!(long.ends_with('…'));
        assert_eq!(clipped("abc".to_owned(), 3), "abc");
    }
}
