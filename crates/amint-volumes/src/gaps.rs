//! Ranges that nothing covers.

use std::ops::Range;

/// Returns what of `whole` none of `covered` covers, in order.
pub(crate) fn uncovered(whole: Range<u64>, covered: impl Iterator<Item = Range<u64>>) -> Vec<Range<u64>> {
    let mut covered: Vec<Range<u64>> = covered.filter(|range| range.start < range.end).collect();
    covered.sort_by_key(|range| (range.start, range.end));
    let mut gaps = Vec::new();
    let mut done = whole.start;
    for range in covered {
        let start = range.start.min(whole.end);
        if start > done {
            gaps.push(done..start);
        }
        done = done.max(range.end);
    }
    if done < whole.end {
        gaps.push(done..whole.end);
    }
    gaps
}

/// Merges ranges that touch or overlap.
pub(crate) fn merge(mut ranges: Vec<Range<u64>>) -> Vec<Range<u64>> {
    ranges.retain(|range| range.start < range.end);
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{merge, uncovered};

    #[test]
    fn gaps_are_what_no_range_covers() {
        let covered = [10..20, 15..30, 40..50, 90..200];
        assert_eq!(uncovered(0..100, covered.clone().into_iter()), [0..10, 30..40, 50..90]);
        assert_eq!(uncovered(12..18, covered.into_iter()), []);
        assert_eq!(uncovered(0..5, std::iter::empty()), std::iter::once(0..5).collect::<Vec<_>>());
    }

    #[test]
    fn touching_ranges_become_one() {
        assert_eq!(merge(vec![5..9, 0..5, 20..20, 30..31]), [0..9, 30..31]);
    }
}
