//! Reading JSON (RFC 8259), strictly: a name may stand once in an object, and nothing may follow the value.
//!
//! Two readers of one document must not see two things; a name that stands twice is the usual way to get there.

/// How deep values may lie within each other; EC2's documents reach 2.
const DEPTH_MAX: u32 = 16;

/// A value; numbers keep their text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool,
    Number,
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// The text is not the JSON that is read here; the text says what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct JsonError(pub(crate) &'static str);

/// Reads one value that fills the whole text.
pub(crate) fn parse(text: &str) -> Result<Value, JsonError> {
    let mut parser = Parser { text, at: 0 };
    parser.skip_blanks();
    let value = parser.value(0)?;
    parser.skip_blanks();
    if parser.at == text.len() { Ok(value) } else { Err(JsonError("text after the document")) }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, JsonError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(JsonError("a word that is no value"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn value(&mut self, depth: u32) -> Result<Value, JsonError> {
        if depth > DEPTH_MAX {
            return Err(JsonError("values lie too deep within each other"));
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.list(depth),
            Some(b'"') => self.string().map(Value::Text),
            Some(b'n') => self.word("null", Value::Null),
            Some(b't') => self.word("true", Value::Bool),
            Some(b'f') => self.word("false", Value::Bool),
            Some(b'-' | b'0'..=b'9') => self.number(),
            _ => Err(JsonError("a value is missing")),
        }
    }

    fn object(&mut self, depth: u32) -> Result<Value, JsonError> {
        self.at += 1;
        let mut members: Vec<(String, Value)> = Vec::new();
        self.skip_blanks();
        if self.take(b'}') {
            return Ok(Value::Object(members));
        }
        loop {
            self.skip_blanks();
            let name = self.string()?;
            if members.iter().any(|(known, _)| *known == name) {
                return Err(JsonError("a name that stands twice"));
            }
            self.skip_blanks();
            if !self.take(b':') {
                return Err(JsonError("a name without a value"));
            }
            self.skip_blanks();
            let value = self.value(depth + 1)?;
            members.push((name, value));
            self.skip_blanks();
            if self.take(b'}') {
                return Ok(Value::Object(members));
            }
            if !self.take(b',') {
                return Err(JsonError("an object without an end"));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Result<Value, JsonError> {
        self.at += 1;
        let mut items = Vec::new();
        self.skip_blanks();
        if self.take(b']') {
            return Ok(Value::List(items));
        }
        loop {
            self.skip_blanks();
            items.push(self.value(depth + 1)?);
            self.skip_blanks();
            if self.take(b']') {
                return Ok(Value::List(items));
            }
            if !self.take(b',') {
                return Err(JsonError("a list without an end"));
            }
        }
    }

    fn digits(&mut self) -> Result<(), JsonError> {
        let start = self.at;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
        if self.at == start { Err(JsonError("a number without digits")) } else { Ok(()) }
    }

    fn number(&mut self) -> Result<Value, JsonError> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        } else if matches!(self.peek(), Some(b'0'..=b'9')) {
            return Err(JsonError("a number with zeros before it"));
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            let _ = self.take(b'+') || self.take(b'-');
            self.digits()?;
        }
        Ok(Value::Number)
    }

    fn string(&mut self) -> Result<String, JsonError> {
        if !self.take(b'"') {
            return Err(JsonError("a name is missing"));
        }
        let mut string = String::new();
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let Some(next) = rest.chars().next() else { return Err(JsonError("a string without an end")) };
            self.at += next.len_utf8();
            match next {
                '"' => return Ok(string),
                '\\' => string.push(self.escape()?),
                '\0'..='\x1f' => return Err(JsonError("a control character in a string")),
                _ => string.push(next),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let Some(byte) = self.peek() else { return Err(JsonError("a string without an end")) };
        self.at += 1;
        let character = match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => {
                // The byte may be the first of several: step back so that the place stays between characters.
                self.at -= 1;
                return Err(JsonError("an unknown escape"));
            }
        };
        Ok(character)
    }

    fn unicode(&mut self) -> Result<char, JsonError> {
        let first = self.four_digits()?;
        let code = if (0xd800..0xdc00).contains(&first) {
            if !(self.take(b'\\') && self.take(b'u')) {
                return Err(JsonError("half a character"));
            }
            let second = self.four_digits()?;
            if !(0xdc00..0xe000).contains(&second) {
                return Err(JsonError("half a character"));
            }
            0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
        } else {
            first
        };
        char::from_u32(code).ok_or(JsonError("half a character"))
    }

    fn four_digits(&mut self) -> Result<u32, JsonError> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|byte| char::from(byte).to_digit(16));
            code = code * 16 + digit.ok_or(JsonError("an unknown escape"))?;
            self.at += 1;
        }
        Ok(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_json_allows() {
        let value =
            parse(" {\"a\" : [null, true, -1.5e+3, 0], \"b\":{}, \"c\":\"\\u00e9\\ud83d\\ude00\\n\"} \n")
                .unwrap();
        let Value::Object(members) = value else { panic!("no object") };
        assert_eq!(members[0].1, Value::List(vec![Value::Null, Value::Bool, Value::Number, Value::Number]));
        assert_eq!(members[2].1, Value::Text("é😀\n".to_owned()));
    }

    #[test]
    fn refuses_names_that_stand_twice_however_they_are_written() {
        for text in ["{\"a\":1,\"a\":1}", "{\"a\":1,\"\\u0061\":2}", "[{\"b\":{\"a\":1,\"a\":2}}]"] {
            assert_eq!(parse(text), Err(JsonError("a name that stands twice")), "{text}");
        }
    }

    #[test]
    fn refuses_what_json_does_not_allow() {
        for text in [
            "",
            "{",
            "{\"a\"}",
            "{\"a\":1,}",
            "[1,]",
            "01",
            "1.",
            "nul",
            "\"\\x\"",
            "\"\\é\"",
            "\"a\nb\"",
            "{} {}",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        for text in
            ["\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "{a:1}", "'a'", "NaN", "+1", "\u{feff}{}"]
        {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&"[".repeat(100_000)).is_err());
    }
}
