//! The tables below `data/`: lines of fields between tabs, `#` begins a comment.

/// Returns the rows that have exactly `N` fields; tests see to it that all rows of our tables do.
pub(crate) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter_map(|line| <[&str; N]>::try_from(line.split('\t').collect::<Vec<_>>()).ok())
}

/// Returns what stands in a field, where `-` is nothing.
pub(crate) fn field(text: &'static str) -> Option<&'static str> {
    (text != "-").then_some(text)
}

/// Returns the words of a field, where `-` is none.
pub(crate) fn words(text: &'static str) -> Vec<&'static str> {
    field(text).map(|text| text.split_whitespace().collect()).unwrap_or_default()
}

#[cfg(test)]
pub(crate) fn assert_shape<const N: usize>(text: &'static str) {
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        assert_eq!(line.split('\t').count(), N, "{line}");
        assert!(line.split('\t').all(|field| !field.trim().is_empty()), "an empty field: {line}");
        assert!(line.is_ascii(), "{line}");
    }
}
