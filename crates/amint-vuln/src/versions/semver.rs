//! Semantic versions (<https://semver.org/spec/v2.0.0.html>, section 11) and those of Go.
//!
//! Read with a free hand: any number of core numbers, of any length, and `v` or `=` before them. Build metadata says
//! nothing.

use std::cmp::Ordering;

use super::number::{compare_digits, compare_padded, is_number, take_while};

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (split(left), split(right));
    compare_core(left.0, right.0).then_with(|| compare_prerelease(left.1, right.1, Case::Matters))
}

/// Go's own versions have no hyphen before `rc1` and `beta1`.
pub(super) fn compare_go(left: &str, right: &str) -> Ordering {
    let (left, right) = (go(left), go(right));
    compare(&left, &right)
}

fn go(text: &str) -> String {
    let Some(rest) = text.strip_prefix("go") else { return text.to_owned() };
    // Vendors add a word after a space or a hyphen: `go1.21.3 X:boringcrypto`.
    let rest = rest.split([' ', '-']).next().unwrap_or(rest);
    let (numbers, word) = take_while(rest, |byte| byte.is_ascii_digit() || byte == b'.');
    if word.is_empty() {
        return rest.to_owned();
    }
    let (name, number) = take_while(word, |byte| byte.is_ascii_alphabetic());
    format!("{numbers}-{name}.{number}")
}

/// Whether case counts in names of prereleases.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Matters,
    Ignored,
}

/// Returns core and prerelease.
pub(super) fn split(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches(['v', 'V', '=']).trim_start();
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    text.split_once('-').unwrap_or((text, ""))
}

/// Compares dotted numbers; missing ones are 0, and what is no number is before all numbers.
pub(super) fn compare_core(left: &str, right: &str) -> Ordering {
    let left: Vec<&str> = left.split('.').collect();
    let right: Vec<&str> = right.split('.').collect();
    compare_padded(&left, &right, "0", |left, right| match (is_number(left), is_number(right)) {
        (true, true) => compare_digits(left, right),
        (false, false) => left.cmp(right),
        (left, right) => left.cmp(&right),
    })
}

pub(super) fn compare_prerelease(left: &str, right: &str, case: Case) -> Ordering {
    match (left.is_empty(), right.is_empty()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    let left: Vec<Option<&str>> = left.split('.').map(Some).collect();
    let right: Vec<Option<&str>> = right.split('.').map(Some).collect();
    compare_padded(&left, &right, None, |left, right| match (left, right) {
        (Some(left), Some(right)) => match (is_number(left), is_number(right)) {
            (true, true) => compare_digits(left, right),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) if case == Case::Ignored => {
                left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase())
            }
            (false, false) => left.cmp(right),
        },
        (left, right) => left.is_some().cmp(&right.is_some()),
    })
}
