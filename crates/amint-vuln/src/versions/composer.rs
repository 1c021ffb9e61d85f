//! Composer: versions are made of four numbers and a stability, and compared as PHP's `version_compare` does.
//!
//! <https://getcomposer.org/doc/articles/versions.md>, <https://www.php.net/version_compare>

use std::cmp::Ordering;

use super::number::{compare_digits, compare_padded, take_while};

#[derive(Clone, Copy)]
enum Token<'a> {
    Word(&'a str),
    Stability(u8),
    End,
    Number(&'a str),
    Patch,
}

impl Token<'_> {
    fn rank(self) -> u8 {
        match self {
            Self::Word(_) => 0,
            Self::Stability(_) => 1,
            Self::End => 2,
            Self::Number(_) => 3,
            Self::Patch => 4,
        }
    }
}

pub(super) fn compare(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.to_ascii_lowercase(), right.to_ascii_lowercase());
    compare_padded(&tokens(&left), &tokens(&right), Token::End, |left, right| {
        left.rank().cmp(&right.rank()).then_with(|| match (left, right) {
            (Token::Word(left), Token::Word(right)) => left.cmp(right),
            (Token::Stability(left), Token::Stability(right)) => left.cmp(&right),
            (Token::Number(left), Token::Number(right)) => compare_digits(left, right),
            _ => Ordering::Equal,
        })
    })
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let text = text.trim_start_matches('v');
    let text = text.split_once('+').map_or(text, |(text, _)| text);
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut is_core = true;
    while !rest.is_empty() {
        let (digits, after) = take_while(rest, |byte| byte.is_ascii_digit());
        if !digits.is_empty() {
            tokens.push(Token::Number(digits));
            rest = after;
            continue;
        }
        let (letters, after) = take_while(rest, |byte| byte.is_ascii_alphabetic());
        if letters.is_empty() {
            let mut characters = rest.chars();
            if characters.next() == Some('-') {
                fill_core(&mut tokens, &mut is_core);
            }
            rest = characters.as_str();
            continue;
        }
        fill_core(&mut tokens, &mut is_core);
        tokens.push(match letters {
            "dev" => Token::Stability(0),
            "alpha" | "a" => Token::Stability(1),
            "beta" | "b" => Token::Stability(2),
            "rc" => Token::Stability(3),
            "stable" => Token::End,
            "pl" | "p" | "patch" => Token::Patch,
            word => Token::Word(word),
        });
        rest = after;
    }
    fill_core(&mut tokens, &mut is_core);
    tokens
}

/// Composer writes all versions with four numbers before it compares them.
fn fill_core(tokens: &mut Vec<Token<'_>>, is_core: &mut bool) {
    if std::mem::replace(is_core, false) {
        while tokens.len() < 4 {
            tokens.push(Token::Number("0"));
        }
    }
}
