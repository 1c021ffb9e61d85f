//! Letters of a line, and the words that they make.

/// Letters that end a word unless they are escaped.
const ENDS: &str = ",=:()!>#\"";

/// Walks over the letters of one line.
pub(super) struct Scanner {
    letters: Vec<char>,
    at: usize,
}

impl Scanner {
    pub(super) fn new(text: &str) -> Self {
        Self { letters: text.chars().collect(), at: 0 }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.letters.get(self.at).copied()
    }

    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    /// Skips blanks, and the letter after them if it is this one.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        self.skip_blanks();
        let is_there = self.peek() == Some(wanted);
        self.at += usize::from(is_there);
        is_there
    }

    pub(super) fn is_at_end(&mut self) -> bool {
        self.skip_blanks();
        self.at >= self.letters.len()
    }

    /// Tells whether an odd number of `!` stands here, and skips them.
    pub(super) fn negation(&mut self) -> bool {
        let mut is_negated = false;
        while self.eat('!') {
            is_negated = !is_negated;
        }
        self.skip_blanks();
        is_negated
    }

    /// Reads one of the known labels with the sign behind it; else stays.
    pub(super) fn label(&mut self, known: &[&'static str], sign: char) -> Option<&'static str> {
        self.skip_blanks();
        let start = self.at;
        while self.peek().is_some_and(|letter| letter.is_ascii_uppercase() || letter == '_') {
            self.at += 1;
        }
        let label: String = self.letters[start..self.at].iter().collect();
        let found = known.iter().find(|known| **known == label).copied();
        if found.is_some() && self.eat(sign) {
            return found;
        }
        self.at = start;
        None
    }

    /// Reads what stands between quotes; the first quote is here.
    pub(super) fn quoted(&mut self) -> Result<String, String> {
        self.at += 1;
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            self.at += 1;
            match (letter, self.peek()) {
                ('"', _) => return Ok(text),
                ('\\', Some('"')) => {
                    self.at += 1;
                    text.push('"');
                }
                _ => text.push(letter),
            }
        }
        Err("a quote is not closed".to_owned())
    }

    /// Reads letters up to a blank or an end, of which `allowed` are none.
    pub(super) fn word(&mut self, allowed: &str) -> Result<String, String> {
        self.skip_blanks();
        let mut text = String::new();
        while let Some(letter) = self.peek() {
            let is_end = ENDS.contains(letter) && !allowed.contains(letter);
            if letter.is_whitespace() || is_end {
                break;
            }
            self.at += 1;
            match letter {
                '\\' => text.push(self.escaped().ok_or("a backslash ends the line")?),
                _ => text.push(letter),
            }
        }
        if text.is_empty() { Err("a word is missing".to_owned()) } else { Ok(text) }
    }

    /// Reads arguments up to an unescaped `,`, `:`, `=` or `#`; blanks are squeezed.
    pub(super) fn arguments(&mut self) -> Result<Vec<String>, String> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            let mut text = String::new();
            while let Some(letter) = self.peek().filter(|letter| !letter.is_whitespace()) {
                if ",:=#".contains(letter) {
                    break;
                }
                self.at += 1;
                text.push(letter);
                if letter == '\\' {
                    let next = self.peek().ok_or("a backslash ends the line")?;
                    self.at += 1;
                    // Only what separates is unescaped; escapes of patterns are for the one who matches.
                    if ",:=# \t".contains(next) {
                        text.pop();
                    }
                    text.push(next);
                }
            }
            if text.is_empty() {
                return Ok(words);
            }
            words.push(text);
        }
    }

    /// Reads an IPv6 address with its mask, which holds the letters that end other words; else stays.
    pub(super) fn address(&mut self) -> Option<String> {
        self.skip_blanks();
        let rest = &self.letters[self.at..];
        let length = rest
            .iter()
            .position(|letter| !(letter.is_ascii_hexdigit() || ":./".contains(*letter)))
            .unwrap_or(rest.len());
        let text: String = rest[..length].iter().collect();
        let address = text.split('/').next().unwrap_or_default();
        if address.contains(':') && address.parse::<std::net::Ipv6Addr>().is_ok() {
            self.at += length;
            return Some(text);
        }
        None
    }

    /// Reads the letter after a backslash; `\x20` is a letter by its number.
    fn escaped(&mut self) -> Option<char> {
        let hex: Option<String> =
            self.letters.get(self.at + 1..self.at + 3).map(|digits| digits.iter().collect());
        if self.peek() == Some('x')
            && let Some(Ok(number)) = hex.map(|digits| u8::from_str_radix(&digits, 16))
        {
            self.at += 3;
            return Some(char::from(number));
        }
        let letter = self.peek()?;
        self.at += 1;
        Some(letter)
    }
}
