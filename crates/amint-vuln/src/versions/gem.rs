//! `RubyGems`: runs of digits and of letters; letters are before digits, and what is missing is 0.
//!
//! <https://docs.ruby-lang.org/en/master/Gem/Version.html>

use std::cmp::Ordering;

use super::number::{compare_digits, compare_padded, is_number, take_while};

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (segments(left), segments(right));
    compare_padded(&left, &right, "0", |left, right| match (is_number(left), is_number(right)) {
        (true, true) => compare_digits(left, right),
        (false, false) => left.cmp(right),
        (left, right) => left.cmp(&right),
    })
}

fn segments(text: &str) -> Vec<&str> {
    let mut segments = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (digits, after) = take_while(rest, |byte| byte.is_ascii_digit());
        if !digits.is_empty() {
            segments.push(digits);
            rest = after;
            continue;
        }
        let (letters, after) = take_while(rest, |byte| byte.is_ascii_alphabetic());
        if !letters.is_empty() {
            segments.push(letters);
            rest = after;
            continue;
        }
        let mut characters = rest.chars();
        // A hyphen begins a prerelease.
        if characters.next() == Some('-') {
            segments.push("pre");
        }
        rest = characters.as_str();
    }
    without_zeros(&segments)
}

/// Drops zeros at the end, and those before the first word: 1.0.rc1 is 1.rc1.
fn without_zeros<'a>(segments: &[&'a str]) -> Vec<&'a str> {
    let word = segments.iter().position(|segment| !is_number(segment)).unwrap_or(segments.len());
    let (numbers, words) = segments.split_at(word);
    let strip = |part: &[&'a str]| {
        let zero_count =
            part.iter().rev().take_while(|segment| segment.bytes().all(|byte| byte == b'0')).count();
        part.iter().take(part.len() - zero_count).copied().collect::<Vec<_>>()
    };
    let mut kept = strip(numbers);
    kept.extend(strip(words));
    kept
}
