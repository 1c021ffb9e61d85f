//! Maven: <https://maven.apache.org/pom.html#version-order-specification>.
//!
//! A version is a list of tokens, cut at `.`, `-`, `_` and between letters and digits. Empty tokens, zeros, `final`,
//! `ga` and `release` say nothing where they end a list. What the specification leaves open is decided so that the
//! order stays one: qualifiers, nothing, more qualifiers, numbers after a hyphen, numbers after a dot.

use std::cmp::Ordering;

use super::number::{compare_digits, compare_padded, is_zero, take_while};

#[derive(Clone, Copy, Debug)]
enum Token<'a> {
    /// Known words by their place: 5 is that of a release, of which nothing is written.
    Known(u8),
    Word(&'a str),
    HyphenNumber(&'a str),
    DotNumber(&'a str),
}

const NOTHING: Token<'static> = Token::Known(5);

impl Token<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::Known(_) => 0,
            Self::Word(_) => 1,
            Self::HyphenNumber(_) => 2,
            Self::DotNumber(_) => 3,
        }
    }

    fn says_nothing(self) -> bool {
        match self {
            Self::Known(place) => place == 5,
            Self::Word(_) => false,
            Self::HyphenNumber(digits) | Self::DotNumber(digits) => is_zero(digits),
        }
    }
}

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    compare_padded(&tokens(&left), &tokens(&right), NOTHING, |left, right| {
        left.rank().cmp(&right.rank()).then_with(|| match (left, right) {
            (Token::Known(left), Token::Known(right)) => left.cmp(&right),
            (Token::Word(left), Token::Word(right)) => left.cmp(right),
            (Token::HyphenNumber(left), Token::HyphenNumber(right))
            | (Token::DotNumber(left), Token::DotNumber(right)) => compare_digits(left, right),
            _ => Ordering::Equal,
        })
    })
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut rest = text;
    // The first number counts as one after a dot.
    let mut is_dot = true;
    loop {
        let (digits, after) = take_while(rest, |byte| byte.is_ascii_digit());
        let is_hyphen = !is_dot;
        if digits.is_empty() {
            let end = rest
                .find(|character: char| character.is_ascii_digit() || matches!(character, '.' | '-' | '_'))
                .unwrap_or(rest.len());
            let (word, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
            let is_before_digit = after.starts_with(|character: char| character.is_ascii_digit());
            if !word.is_empty() {
                trim(&mut tokens);
                tokens.push(qualifier(word, is_before_digit));
            }
            rest = after;
        } else {
            if is_hyphen {
                trim(&mut tokens);
            }
            tokens.push(if is_hyphen { Token::HyphenNumber(digits) } else { Token::DotNumber(digits) });
            rest = after;
        }
        let mut characters = rest.chars();
        match characters.next() {
            None => break,
            Some('.') => (is_dot, rest) = (true, characters.as_str()),
            Some('-' | '_') => (is_dot, rest) = (false, characters.as_str()),
            // Between letters and digits stands a hyphen that is not written.
            Some(_) => is_dot = false,
        }
    }
    trim(&mut tokens);
    tokens
}

fn trim(tokens: &mut Vec<Token<'_>>) {
    while tokens.last().is_some_and(|token| token.says_nothing()) {
        tokens.pop();
    }
}

fn qualifier(word: &str, is_before_digit: bool) -> Token<'_> {
    match word {
        "alpha" => Token::Known(0),
        "a" if is_before_digit => Token::Known(0),
        "beta" => Token::Known(1),
        "b" if is_before_digit => Token::Known(1),
        "milestone" => Token::Known(2),
        "m" if is_before_digit => Token::Known(2),
        "rc" | "cr" => Token::Known(3),
        "snapshot" => Token::Known(4),
        "ga" | "final" | "release" => NOTHING,
        "sp" => Token::Known(6),
        word => Token::Word(word),
    }
}
