//! The text in which LVM2 describes a group: `name = value` and `name { … }`.

/// How deep sections may lie in each other; LVM2 writes three levels.
const DEPTH_MAX: u32 = 16;
/// How many names and values one text may have in all.
const ITEMS_MAX: u32 = 1_000_000;

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Integer(i64),
    /// A number with a fraction; nothing that matters here is one.
    Fraction,
    Text(String),
    List(Vec<Value>),
    Section(Section),
}

/// A section: names and values in the order of the text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Section {
    items: Vec<(String, Value)>,
}

impl Section {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.items.iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Integer(number) => u64::try_from(*number).ok(),
            _ => None,
        }
    }

    pub(crate) fn list(&self, name: &str) -> &[Value] {
        match self.get(name) {
            Some(Value::List(values)) => values,
            _ => &[],
        }
    }

    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        match self.get(name)? {
            Value::Section(section) => Some(section),
            _ => None,
        }
    }

    /// Returns the sections inside, with their names.
    pub(crate) fn sections(&self) -> impl Iterator<Item = (&str, &Section)> {
        self.items.iter().filter_map(|(name, value)| match value {
            Value::Section(section) => Some((name.as_str(), section)),
            _ => None,
        })
    }

    /// Tells whether a list of texts has one.
    pub(crate) fn list_has(&self, name: &str, text: &str) -> bool {
        self.list(name).iter().any(|value| matches!(value, Value::Text(found) if found == text))
    }
}

/// Parses a whole text.
///
/// # Errors
/// Tells in a few words what makes no sense.
pub(crate) fn parse(text: &[u8]) -> Result<Section, &'static str> {
    let mut parser = Parser { rest: text, items_left: ITEMS_MAX };
    parser.section(0)
}

struct Parser<'a> {
    rest: &'a [u8],
    items_left: u32,
}

impl Parser<'_> {
    /// Passes over white space and comments and returns the next byte without taking it.
    fn peek(&mut self) -> Option<u8> {
        loop {
            self.rest = self.rest.trim_ascii_start();
            match self.rest.first()? {
                // Texts are padded with NULs.
                0 => return None,
                b'#' => self.take(|byte| byte != b'\n'),
                byte => return Some(*byte),
            };
        }
    }

    fn take(&mut self, is_part: impl Fn(u8) -> bool) -> &[u8] {
        let end = self.rest.iter().position(|byte| !is_part(*byte)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    fn skip_byte(&mut self) {
        self.rest = self.rest.get(1..).unwrap_or_default();
    }

    fn count(&mut self) -> Result<(), &'static str> {
        self.items_left = self.items_left.checked_sub(1).ok_or("the text has too many values")?;
        Ok(())
    }

    /// Parses what is inside of a section, with its closing bracket.
    fn section(&mut self, depth: u32) -> Result<Section, &'static str> {
        if depth > DEPTH_MAX {
            return Err("the text is too deep");
        }
        let mut section = Section::default();
        loop {
            match self.peek() {
                None if depth == 0 => return Ok(section),
                None => return Err("a section is not closed"),
                Some(b'}') if depth > 0 => {
                    self.skip_byte();
                    return Ok(section);
                }
                Some(_) => {}
            }
            self.count()?;
            let name = self.name()?;
            let value = match self.peek() {
                Some(b'{') => {
                    self.skip_byte();
                    Value::Section(self.section(depth + 1)?)
                }
                Some(b'=') => {
                    self.skip_byte();
                    self.value(depth)?
                }
                _ => return Err("a name has no value"),
            };
            section.items.push((name, value));
        }
    }

    fn name(&mut self) -> Result<String, &'static str> {
        let is_part =
            |byte: u8| !byte.is_ascii_whitespace() && !matches!(byte, b'=' | b'{' | b'}' | b'#' | b'"' | 0);
        let name = String::from_utf8_lossy(self.take(is_part)).into_owned();
        if name.is_empty() { Err("a name is missing") } else { Ok(name) }
    }

    fn value(&mut self, depth: u32) -> Result<Value, &'static str> {
        self.count()?;
        match self.peek() {
            Some(b'"') => self.string().map(Value::Text),
            Some(b'[') if depth <= DEPTH_MAX => {
                self.skip_byte();
                self.values(depth + 1).map(Value::List)
            }
            Some(byte) if byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.') => self.parse_number(),
            _ => Err("a value makes no sense"),
        }
    }

    fn values(&mut self, depth: u32) -> Result<Vec<Value>, &'static str> {
        let mut values = Vec::new();
        loop {
            match self.peek() {
                Some(b']') => {
                    self.skip_byte();
                    return Ok(values);
                }
                Some(b',') => self.skip_byte(),
                Some(_) => values.push(self.value(depth)?),
                None => return Err("a list is not closed"),
            }
        }
    }

    fn parse_number(&mut self) -> Result<Value, &'static str> {
        let text = self.take(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.'));
        let text = std::str::from_utf8(text).map_err(|_| "a number makes no sense")?;
        if let Ok(number) = text.parse() {
            return Ok(Value::Integer(number));
        }
        text.parse::<f64>().map(|_| Value::Fraction).map_err(|_| "a number makes no sense")
    }

    /// Parses a text in quotes; a backslash stands before a quote or a backslash.
    fn string(&mut self) -> Result<String, &'static str> {
        self.skip_byte();
        let mut bytes = Vec::new();
        loop {
            bytes.extend_from_slice(self.take(|byte| !matches!(byte, b'"' | b'\\')));
            match self.rest.first() {
                Some(b'"') => {
                    self.skip_byte();
                    return Ok(String::from_utf8_lossy(&bytes).into_owned());
                }
                Some(_) => {
                    self.skip_byte();
                    bytes.push(*self.rest.first().ok_or("a text in quotes is not closed")?);
                    self.skip_byte();
                }
                None => return Err("a text in quotes is not closed"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Value, parse};

    #[test]
    fn reads_names_lists_and_sections() {
        let text = br#"vg {
            id = "a\"b\\c" # comment with } and "
            seqno=-7
            size = 1.5
            list = ["x", 3, ["y"], ]
            inner { empty = [] }
        }
        version = 1 "#;
        let root = parse(text).unwrap();
        let group = root.section("vg").unwrap();
        assert_eq!(group.text("id"), Some("a\"b\\c"));
        assert_eq!(group.get("seqno"), Some(&Value::Integer(-7)));
        assert_eq!(group.number("seqno"), None);
        assert_eq!(group.get("size"), Some(&Value::Fraction));
        assert_eq!(group.list("list").len(), 3);
        assert!(group.list_has("list", "x"));
        assert_eq!(group.section("inner").unwrap().list("empty"), []);
        assert_eq!(root.number("version"), Some(1));
    }

    #[test]
    fn depth_and_open_ends_are_errors() {
        assert!(parse("a { ".repeat(1000).as_bytes()).is_err());
        assert!(parse(format!("a = {}", "[".repeat(100_000)).as_bytes()).is_err());
        for text in ["a", "a =", "a = \"", "a = \"\\", "a = [", "a {", "= 1", "}", "a = nonsense"] {
            assert!(parse(text.as_bytes()).is_err(), "{text}");
        }
    }
}
