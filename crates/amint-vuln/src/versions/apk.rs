//! The order of Alpine's package manager: `apk-package(5)`, section on versions.
//!
//! A version is `number{.number}[letter]{_suffix[number]}[~hash][-r#]`.

use std::cmp::Ordering;

use super::number::{compare_digits, take_while};

/// Suffixes before a release, then those after it.
const SUFFIXES_BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const SUFFIXES_AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    Before(usize),
    End,
    Unknown(&'a str),
    Revision(&'a str),
    Hash(&'a str),
    SuffixNumber(&'a str),
    After(usize),
    Letter(u8),
    Number(&'a str),
    FirstNumber(&'a str),
}

impl Token<'_> {
    /// Where a token sorts when another kind stands against it.
    fn rank(self) -> u8 {
        match self {
            Self::Before(_) => 0,
            Self::End => 1,
            Self::Unknown(_) => 2,
            Self::Revision(_) => 3,
            Self::Hash(_) => 4,
            Self::SuffixNumber(_) => 5,
            Self::After(_) => 6,
            Self::Letter(_) => 7,
            Self::Number(_) => 8,
            Self::FirstNumber(_) => 9,
        }
    }

    fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Unknown(left), Self::Unknown(right)) | (Self::Hash(left), Self::Hash(right)) => {
                left.cmp(right)
            }
            (Self::Before(left), Self::Before(right)) | (Self::After(left), Self::After(right)) => {
                left.cmp(&right)
            }
            (Self::Letter(left), Self::Letter(right)) => left.cmp(&right),
            (Self::Revision(left), Self::Revision(right))
            | (Self::SuffixNumber(left), Self::SuffixNumber(right))
            | (Self::FirstNumber(left), Self::FirstNumber(right)) => compare_digits(left, right),
            (Self::Number(left), Self::Number(right)) => compare_number(left, right),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

/// Numbers with a zero before them are fractions: 1.02 is before 1.1.
fn compare_number(left: &str, right: &str) -> Ordering {
    match (left.starts_with('0'), right.starts_with('0')) {
        (false, false) => compare_digits(left, right),
        (true, true) => left.cmp(right),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

struct Tokens<'a> {
    rest: &'a str,
    is_first: bool,
    is_after_suffix: bool,
}

impl<'a> Tokens<'a> {
    fn new(text: &'a str) -> Self {
        Self { rest: text, is_first: true, is_after_suffix: false }
    }

    fn next(&mut self) -> Token<'a> {
        let text = self.rest;
        let is_digit = |byte: u8| byte.is_ascii_digit();
        let is_after_suffix = std::mem::replace(&mut self.is_after_suffix, false);
        let is_first = std::mem::replace(&mut self.is_first, false);
        if text.is_empty() {
            return Token::End;
        }
        let (digits, after) = take_while(text, is_digit);
        if !digits.is_empty() && (is_first || is_after_suffix) {
            self.rest = after;
            return if is_first { Token::FirstNumber(digits) } else { Token::SuffixNumber(digits) };
        }
        if let Some(rest) = text.strip_prefix('.') {
            let (digits, after) = take_while(rest, is_digit);
            if !digits.is_empty() {
                self.rest = after;
                return Token::Number(digits);
            }
        }
        if let Some(rest) = text.strip_prefix("-r") {
            let (digits, after) = take_while(rest, is_digit);
            if !digits.is_empty() && after.is_empty() {
                self.rest = after;
                return Token::Revision(digits);
            }
        }
        if let Some(rest) = text.strip_prefix('~') {
            let (hash, after) = take_while(rest, |byte| byte.is_ascii_hexdigit());
            self.rest = after;
            return Token::Hash(hash);
        }
        self.letter_or_suffix(text, is_first)
    }

    fn letter_or_suffix(&mut self, text: &'a str, is_first: bool) -> Token<'a> {
        if let Some(rest) = text.strip_prefix('_') {
            let (word, after) = take_while(rest, |byte| byte.is_ascii_lowercase());
            let find = |names: &[&str]| names.iter().position(|name| *name == word);
            if let Some(index) = find(&SUFFIXES_BEFORE) {
                (self.rest, self.is_after_suffix) = (after, true);
                return Token::Before(index);
            }
            if let Some(index) = find(&SUFFIXES_AFTER) {
                (self.rest, self.is_after_suffix) = (after, true);
                return Token::After(index);
            }
        }
        let (letters, after) = take_while(text, |byte| byte.is_ascii_lowercase());
        if let (false, [letter]) = (is_first, letters.as_bytes()) {
            self.rest = after;
            return Token::Letter(*letter);
        }
        self.rest = "";
        Token::Unknown(text)
    }
}

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (mut left, mut right) = (Tokens::new(left), Tokens::new(right));
    loop {
        let (one, other) = (left.next(), right.next());
        let order = one.compare(other);
        if order.is_ne() || one == Token::End {
            return order;
        }
    }
}
