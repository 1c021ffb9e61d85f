//! Patterns with `*`, `?` and `[…]`, over names and over a tree.

use std::path::{Path, PathBuf};

use crate::{CheckError, Context};

/// How many files one pattern may stand for.
const MATCHES_MAX: usize = 10_000;

/// Tells whether `text` as a whole fits `pattern`. Linear in the text for each `*`: no blow-up.
pub(crate) fn is_match(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut seen) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while seen < text.len() {
        if pattern.get(at) == Some(&'*') {
            at += 1;
            retry = Some((at, seen));
            continue;
        }
        if let Some(next) = match_one(&pattern, at, text[seen]) {
            at = next;
            seen += 1;
            continue;
        }
        let Some((after_star, tried)) = retry else { return false };
        at = after_star;
        seen = tried + 1;
        retry = Some((after_star, seen));
    }
    pattern[at..].iter().all(|letter| *letter == '*')
}

/// Matches one letter and returns where the pattern goes on.
fn match_one(pattern: &[char], at: usize, letter: char) -> Option<usize> {
    match pattern.get(at)? {
        '?' => Some(at + 1),
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == letter).then_some(at + 2),
        '[' => match_set(pattern, at, letter),
        same => (*same == letter).then_some(at + 1),
    }
}

fn match_set(pattern: &[char], at: usize, letter: char) -> Option<usize> {
    let is_negated = matches!(pattern.get(at + 1), Some('!' | '^'));
    let first = at + 1 + usize::from(is_negated);
    // A `]` right at the start stands for itself; a set without an end is a plain `[`.
    let Some(length) = pattern.get(first + 1..).and_then(|rest| rest.iter().position(|end| *end == ']'))
    else {
        return (letter == '[').then_some(at + 1);
    };
    let end = first + 1 + length;
    let set = &pattern[first..end];
    let mut is_in = false;
    let mut index = 0;
    while index < set.len() {
        if index + 2 < set.len() && set[index + 1] == '-' {
            is_in |= (set[index]..=set[index + 2]).contains(&letter);
            index += 3;
        } else {
            is_in |= set[index] == letter;
            index += 1;
        }
    }
    (is_in != is_negated).then_some(end + 1)
}

/// Lists the paths of the tree that fit an absolute pattern, in the order in which glob(3) gives them.
pub(crate) fn expand(cx: &Context<'_>, pattern: &str) -> Result<Vec<PathBuf>, CheckError> {
    let mut found = vec![PathBuf::from("/")];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for folder in found {
            if !part.contains(['*', '?', '[', '\\']) {
                let path = folder.join(part);
                if cx.metadata(&path)?.is_some() {
                    next.push(path);
                }
                continue;
            }
            for entry in cx.list(&folder)? {
                let name = entry.name.to_string_lossy();
                let is_hidden = name.starts_with('.') && !part.starts_with('.');
                if !is_hidden && is_match(part, &name) {
                    next.push(folder.join(&entry.name));
                }
            }
            if next.len() > MATCHES_MAX {
                return Err(CheckError::Limit {
                    path: Path::new(pattern).to_owned(),
                    limit: MATCHES_MAX,
                    what: "matches",
                });
            }
        }
        found = next;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn patterns_match_whole_names() {
        for (pattern, text, expected) in [
            ("*.conf", "50-cloud-init.conf", true),
            ("*.conf", "x.conf.dpkg-new", false),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "acb", false),
            ("?0-[a-c!]*", "10-!", true),
            ("[!a]", "a", false),
            ("[]x]", "]", true),
            ("[x", "[x", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("", "", true),
        ] {
            assert_eq!(is_match(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn many_stars_do_not_hang() {
        assert!(!is_match(&"*a".repeat(200), &"a".repeat(199).replace("aa", "ab")));
    }

    #[test]
    fn paths_come_in_order_and_hidden_files_stay_hidden() {
        let fixture =
            Fixture::new().file("/etc/x/b.conf", "").file("/etc/x/a.conf", "").file("/etc/x/.c.conf", "");
        let found = fixture.with(|cx| expand(cx, "/e*/x/*.conf").unwrap());
        assert_eq!(found, [Path::new("/etc/x/a.conf"), Path::new("/etc/x/b.conf")]);
    }
}
