//! Ranges of upstream versions: `>=1.6`, `>=7.4 <8`, `>=4.0.4 | >=3.6.9 <4.0`.
//!
//! Only the numbers at the front are compared: the tables speak of releases, never of packaging or previews.

use std::cmp::Ordering;

const PARTS_MAX: usize = 8;

/// Tells whether a version lies in the ranges; none where it begins with no number.
pub(crate) fn is_within(ranges: &str, version: &str) -> Option<bool> {
    let version = numbers(version)?;
    Some(ranges.split('|').any(|range| {
        range.split_whitespace().all(|bound| {
            let (is_least, other) = match (bound.strip_prefix(">="), bound.strip_prefix('<')) {
                (Some(other), _) => (true, other),
                (None, Some(other)) => (false, other),
                (None, None) => return false,
            };
            numbers(other).is_some_and(|other| (compare(&version, &other) != Ordering::Less) == is_least)
        })
    }))
}

/// Reads the numbers of an upstream version: `5:7.4.1-1` and `v7.4.1` have 7, 4 and 1.
fn numbers(version: &str) -> Option<Vec<u64>> {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.strip_prefix('v').unwrap_or(version);
    let mut found = Vec::new();
    for part in version.split('.').take(PARTS_MAX) {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let Some(number) = part.get(..end).and_then(|digits| digits.parse().ok()) else { break };
        found.push(number);
        if end != part.len() {
            break;
        }
    }
    (!found.is_empty()).then_some(found)
}

fn compare(left: &[u64], right: &[u64]) -> Ordering {
    (0..left.len().max(right.len()))
        .map(|index| left.get(index).unwrap_or(&0).cmp(right.get(index).unwrap_or(&0)))
        .find(|order| *order != Ordering::Equal)
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_upstream_numbers() {
        for (ranges, version, expected) in [
            (">=1.6", "1.6.0-1", true),
            (">=1.6", "1.5.7-1", false),
            (">=1.6", "1.10", true),
            (">=7.4 <8", "6:7.4.2-1rl1~bookworm1", true),
            (">=7.4 <8", "6:8.0.0-1rl1", false),
            (">=7.4 <8", "5:7.0.15-1~deb12u1", false),
            (">=4.0.4 | >=3.6.9 <4.0", "4.0.3", false),
            (">=4.0.4 | >=3.6.9 <4.0", "3.6.9", true),
            (">=4.0.4 | >=3.6.9 <4.0", "3.6.8", false),
            (">=1.6", "v1.9.0", true),
            (">=0.14", "0.14.0+build", true),
        ] {
            assert_eq!(is_within(ranges, version), Some(expected), "{ranges} {version}");
        }
        assert_eq!(is_within(">=1", "(devel)"), None);
        assert_eq!(is_within(">=1", ""), None);
        assert_eq!(is_within(">=1", "99999999999999999999999"), None);
    }
}
