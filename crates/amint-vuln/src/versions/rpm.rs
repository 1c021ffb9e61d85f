//! The order of rpm: `rpm-version(7)`.

use std::cmp::Ordering;

use super::number::{compare_digits, is_number, take_while};

/// A version of an rpm package in its three parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Evr<'a> {
    /// The epoch's digits, empty where none is written: the same as 0.
    pub epoch: &'a str,
    /// What its authors call the version.
    pub version: &'a str,
    /// The release of the package, empty where none is written.
    pub release: &'a str,
}

impl<'a> Evr<'a> {
    /// Splits `[epoch:]version[-release]`. Every text can be split.
    pub fn new(text: &'a str) -> Self {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) if epoch.is_empty() || is_number(epoch) => (epoch, rest),
            // rpm writes this for packages without epoch in some queries.
            Some(("(none)", rest)) => ("", rest),
            _ => ("", text),
        };
        let (version, release) = rest.rsplit_once('-').unwrap_or((rest, ""));
        Self { epoch, version, release }
    }
}

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (Evr::new(left), Evr::new(right));
    compare_digits(left.epoch, right.epoch)
        .then_with(|| compare_parts(left.version, right.version))
        .then_with(|| compare_parts(left.release, right.release))
}

/// Compares two versions, or two releases, without the other parts.
pub fn compare_parts(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (left, right);
    loop {
        let (one, other);
        (one, left) = next(left);
        (other, right) = next(right);
        let order = one.rank().cmp(&other.rank()).then_with(|| match (one, other) {
            (Segment::Digits(one), Segment::Digits(other)) => compare_digits(one, other),
            (Segment::Letters(one), Segment::Letters(other)) => one.cmp(other),
            _ => Ordering::Equal,
        });
        if order.is_ne() || one == Segment::End {
            return order;
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment<'a> {
    Tilde,
    End,
    Caret,
    Letters(&'a str),
    Digits(&'a str),
}

impl Segment<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::Tilde => 0,
            Self::End => 1,
            Self::Caret => 2,
            Self::Letters(_) => 3,
            Self::Digits(_) => 4,
        }
    }
}

/// Takes the next segment; all that is neither letter, digit, `~` nor `^` only separates.
fn next(text: &str) -> (Segment<'_>, &str) {
    let start = text.bytes().position(|byte| byte.is_ascii_alphanumeric() || byte == b'~' || byte == b'^');
    let Some(rest) = start.and_then(|start| text.get(start..)) else { return (Segment::End, "") };
    if let Some(rest) = rest.strip_prefix('~') {
        return (Segment::Tilde, rest);
    }
    if let Some(rest) = rest.strip_prefix('^') {
        return (Segment::Caret, rest);
    }
    let (digits, after) = take_while(rest, |byte| byte.is_ascii_digit());
    if !digits.is_empty() {
        return (Segment::Digits(digits), after);
    }
    let (letters, after) = take_while(rest, |byte| byte.is_ascii_alphabetic());
    (Segment::Letters(letters), after)
}
