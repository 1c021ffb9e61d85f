//! Expressions of licences: `GPL-2.0-only WITH Classpath-exception-2.0 OR MIT`, `GPL-2+ or MIT, and Zlib`.
//!
//! SPDX (<https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/>) binds `AND` tighter than `OR`; in Debian's
//! copyright files a comma before the operator binds it looser than those without
//! (<https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/#license-syntax>). Parts that are missing are
//! left out and parentheses that are not closed end at the end, because tags are written by hand.

/// How deep parentheses may stand in each other; what is deeper is one unknown name.
const DEPTH_MAX: u32 = 32;
/// Most words of an expression; more make it one unknown name.
const WORDS_MAX: usize = 1024;
const TOO_LONG: &str = "more than 1024 words";

/// An expression of licences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// One licence, as it was written, with `with …` where it has that.
    Name(String),
    /// All hold.
    All(Vec<Expression>),
    /// The taker chooses.
    Any(Vec<Expression>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token<'a> {
    Open,
    Close,
    Comma,
    And,
    Or,
    Word(&'a str),
}

impl Expression {
    /// Reads an expression; text that is none becomes one name, nothing becomes a name without text.
    pub fn parse(text: &str) -> Self {
        let tokens = tokens(text);
        if tokens.len() > WORDS_MAX {
            return Self::Name(TOO_LONG.to_owned());
        }
        let mut reader = Reader { tokens: &tokens, at: 0 };
        let mut parts = Vec::new();
        // A `)` too many ends a part and is left out.
        while reader.at < tokens.len() {
            parts.extend(reader.loose(0));
            reader.at += 1;
        }
        Self::all(parts).unwrap_or_else(|| Self::Name(String::new()))
    }

    fn all(mut parts: Vec<Self>) -> Option<Self> {
        if parts.len() > 1 { Some(Self::All(parts)) } else { parts.pop() }
    }

    fn any(mut parts: Vec<Self>) -> Option<Self> {
        if parts.len() > 1 { Some(Self::Any(parts)) } else { parts.pop() }
    }
}

fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    for word in text.split_whitespace() {
        // Parentheses inside a word belong to it: `BSD(3-clause)`.
        let start = word.trim_start_matches('(');
        found.extend(std::iter::repeat_n(Token::Open, word.len() - start.len()));
        let (start, has_comma) = match start.trim_end_matches([',', ';']) {
            cut if cut.len() < start.len() => (cut, true),
            cut => (cut, false),
        };
        let mut core = start;
        let mut closed = 0;
        while core.ends_with(')') && core.matches(')').count() > core.matches('(').count() {
            core = core.strip_suffix(')').unwrap_or(core);
            closed += 1;
        }
        match core.to_ascii_lowercase().as_str() {
            "" => {}
            "and" | "&" | "&&" | "and/or" | "/" => found.push(Token::And),
            "or" | "|" | "||" => found.push(Token::Or),
            _ => found.push(Token::Word(core)),
        }
        found.extend(std::iter::repeat_n(Token::Close, closed));
        if has_comma {
            found.push(Token::Comma);
        }
        if found.len() > WORDS_MAX {
            break;
        }
    }
    found
}

struct Reader<'a> {
    tokens: &'a [Token<'a>],
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    /// Parts between commas: `, or` chooses, every other comma adds.
    fn loose(&mut self, depth: u32) -> Option<Expression> {
        let mut sums = Vec::new();
        let mut choices = Vec::new();
        choices.extend(self.any(depth));
        while self.peek() == Some(Token::Comma) {
            self.at += 1;
            let is_choice = self.peek() == Some(Token::Or);
            while matches!(self.peek(), Some(Token::And | Token::Or)) {
                self.at += 1;
            }
            if !is_choice {
                sums.extend(Expression::any(std::mem::take(&mut choices)));
            }
            choices.extend(self.any(depth));
        }
        sums.extend(Expression::any(choices));
        Expression::all(sums)
    }

    fn any(&mut self, depth: u32) -> Option<Expression> {
        let mut parts = Vec::new();
        parts.extend(self.all(depth));
        while self.peek() == Some(Token::Or) {
            self.at += 1;
            parts.extend(self.all(depth));
        }
        Expression::any(parts)
    }

    fn all(&mut self, depth: u32) -> Option<Expression> {
        let mut parts = Vec::new();
        loop {
            match self.peek() {
                Some(Token::And) => self.at += 1,
                Some(Token::Open) => {
                    self.at += 1;
                    parts.extend(self.group(depth));
                }
                Some(Token::Word(_)) => parts.push(self.name()),
                Some(Token::Or | Token::Comma | Token::Close) | None => return Expression::all(parts),
            }
        }
    }

    fn group(&mut self, depth: u32) -> Option<Expression> {
        if depth >= DEPTH_MAX {
            self.at = self.tokens.len();
            return Some(Expression::Name("more than 32 parentheses".to_owned()));
        }
        let found = self.loose(depth + 1);
        if self.peek() == Some(Token::Close) {
            self.at += 1;
        }
        found
    }

    fn name(&mut self) -> Expression {
        let mut name = String::new();
        while let Some(Token::Word(word)) = self.peek() {
            if !name.is_empty() {
                name.push(' ');
            }
            name.push_str(word);
            self.at += 1;
            self.remark(&mut name);
        }
        Expression::Name(name)
    }

    /// Takes a remark of one group of plain words to its name: `BSD (3 clause)`, `MIT (BSD like)`.
    fn remark(&mut self, name: &mut String) {
        if self.peek() != Some(Token::Open) {
            return;
        }
        let mut words = Vec::new();
        for (index, token) in self.tokens.iter().enumerate().skip(self.at + 1) {
            match token {
                Token::Word(word) => words.push(*word),
                Token::Close if !words.is_empty() => {
                    name.push_str(" (");
                    name.push_str(&words.join(" "));
                    name.push(')');
                    self.at = index + 1;
                    return;
                }
                _ => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Expression {
        Expression::Name(text.to_owned())
    }

    #[test]
    fn binds_and_tighter_than_or() {
        assert_eq!(
            Expression::parse("A AND B OR C"),
            Expression::Any(vec![Expression::All(vec![name("A"), name("B")]), name("C")])
        );
        assert_eq!(
            Expression::parse("A and (B or C)"),
            Expression::All(vec![name("A"), Expression::Any(vec![name("B"), name("C")])])
        );
    }

    #[test]
    fn a_comma_binds_looser() {
        assert_eq!(
            Expression::parse("A or B, and C"),
            Expression::All(vec![Expression::Any(vec![name("A"), name("B")]), name("C")])
        );
        assert_eq!(Expression::parse("A, B"), Expression::All(vec![name("A"), name("B")]));
        assert_eq!(
            Expression::parse("A and B, or C"),
            Expression::Any(vec![Expression::All(vec![name("A"), name("B")]), name("C")])
        );
    }

    #[test]
    fn keeps_words_of_one_name_together() {
        assert_eq!(Expression::parse("GPL-2+ with OpenSSL exception"), name("GPL-2+ with OpenSSL exception"));
        assert_eq!(
            Expression::parse("BSD (3 clause) or MIT"),
            Expression::Any(vec![name("BSD (3 clause)"), name("MIT")])
        );
        assert_eq!(Expression::parse(" ,"), name(""));
        assert_eq!(Expression::parse("A) and ((B"), Expression::All(vec![name("A"), name("B")]));
    }

    #[test]
    fn deep_parentheses_end() {
        for text in ["(".repeat(500) + "MIT", "(".repeat(100_000) + "MIT", "MIT ".repeat(2000)] {
            assert!(matches!(Expression::parse(&text), Expression::Name(_)));
            assert_eq!(crate::classify(&text).class, crate::LicenseClass::Unknown);
        }
    }
}
