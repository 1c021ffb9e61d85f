//! Severities in words and in numbers.

use amint_types::Severity;

/// Returns the base score of a CVSS vector (2.0, 3.0, 3.1 or 4.0), times ten; none when it is not one.
pub fn cvss_tenths(vector: &str) -> Option<u8> {
    const VECTOR_BYTES_MAX: usize = 512;
    let vector = vector.trim();
    if vector.len() > VECTOR_BYTES_MAX {
        return None;
    }
    if !is_complete(vector) {
        return None;
    }
    let score = vector.parse::<cvss::Cvss>().ok()?.score();
    tenths(score)
}

/// Tells whether all base metrics are there: without some the score would be 0, and the vulnerability none.
fn is_complete(vector: &str) -> bool {
    let needed: &[&str] = if vector.starts_with("CVSS:4") {
        &["AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"]
    } else if vector.starts_with("CVSS:3") {
        &["AV", "AC", "PR", "UI", "S", "C", "I", "A"]
    } else {
        &["AV", "AC", "Au", "C", "I", "A"]
    };
    let names = || vector.split('/').filter_map(|metric| metric.split(':').next());
    needed.iter().all(|wanted| names().any(|name| name == *wanted))
}

/// Rounds a score to tenths.
fn tenths(score: f64) -> Option<u8> {
    if !(0.0..=10.0).contains(&score) {
        return None;
    }
    let rounded = (score * 10.0).round();
    // Integers only: no cast from a float can then go wrong.
    (0..=100_u8).find(|tenths| (f64::from(*tenths) - rounded).abs() < 0.5)
}

/// Returns the severity of a score (CVSS 3.1 section 5).
pub fn severity_of_score(tenths: u8) -> Severity {
    match tenths {
        0 => Severity::Info,
        1..=39 => Severity::Low,
        40..=69 => Severity::Medium,
        70..=89 => Severity::High,
        _ => Severity::Critical,
    }
}

/// Returns the severity that a word of some feed means.
pub fn severity_of_word(word: &str) -> Option<Severity> {
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "important" | "high" => Severity::High,
        "moderate" | "medium" => Severity::Medium,
        "low" => Severity::Low,
        "negligible" | "none" | "informational" => Severity::Info,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn computes_the_scores_that_the_publishers_print() {
        // CVE-2024-6387, CVE-2014-0160, CVE-2021-44228 in the words of the NVD; the last one of FIRST's examples.
        assert_eq!(cvss_tenths("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H"), Some(81));
        assert_eq!(cvss_tenths("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"), Some(75));
        assert_eq!(cvss_tenths("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H"), Some(100));
        assert_eq!(cvss_tenths("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"), Some(93));
        assert_eq!(cvss_tenths("AV:N/AC:L/Au:N/C:P/I:N/A:N"), Some(50));
        assert_eq!(cvss_tenths("CVSS:3.1/AV:N"), None);
        assert_eq!(cvss_tenths("nonsense"), None);
        assert_eq!(tenths(f64::NAN), None);
    }

    #[test]
    fn understands_the_words_of_all_feeds() {
        assert_eq!(severity_of_word("Important"), Some(Severity::High));
        assert_eq!(severity_of_word("MODERATE"), Some(Severity::Medium));
        assert_eq!(severity_of_word("unknown"), None);
        assert_eq!(severity_of_score(81), Severity::High);
    }
}
