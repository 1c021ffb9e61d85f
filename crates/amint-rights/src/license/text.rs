//! Licences in free text, by sentences that are theirs alone.

use std::collections::BTreeSet;

use crate::table::rows;

const PHRASES: &str = include_str!("../../data/phrases.tsv");
/// How much of a text is looked at.
const TEXT_BYTES_MAX: usize = 512 * 1024;

/// Returns SPDX names of the licences whose sentences a text holds, sorted: for copyright files without fields, where
/// the package declares nothing. It finds what is told, not what is left out; only the first 512 KiB are looked at.
pub fn recognise(content: &[u8]) -> Vec<String> {
    let content = content.get(..TEXT_BYTES_MAX).unwrap_or(content);
    let text = flat(&String::from_utf8_lossy(content));
    let found: BTreeSet<&str> = rows::<2>(PHRASES)
        .filter(|[_, phrases]| phrases.split(" & ").all(|phrase| text.contains(phrase)))
        .map(|[name, _]| name)
        .collect();
    found.into_iter().map(str::to_owned).collect()
}

/// Lower-case words with one blank between; marks of comments and quotes are left out.
fn flat(text: &str) -> String {
    let mut found = String::with_capacity(text.len());
    for word in text.split(|letter: char| letter.is_whitespace() || "*#\"`".contains(letter)) {
        if !word.is_empty() && word != "//" && word != ";;" {
            if !found.is_empty() {
                found.push(' ');
            }
            found.push_str(&word.to_ascii_lowercase());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::assert_shape;

    #[test]
    fn finds_sentences_over_ends_of_lines() {
        assert_shape::<2>(PHRASES);
        let text =
            b" * Permission is hereby granted, free of charge,\n * to any person\n *  obtaining a copy of";
        assert_eq!(recognise(text), ["MIT"]);
        assert_eq!(
            recognise(b"This may not be used for commercial purposes."),
            ["LicenseRef-non-commercial"]
        );
        assert!(recognise(b"all is well").is_empty());
        assert!(recognise(&[0xff; 100]).is_empty());
    }
}
