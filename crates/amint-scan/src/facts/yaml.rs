//! YAML as far as configuration needs it, with limits: aliases cannot multiply without end.

use std::collections::BTreeMap;
use std::path::Path;

use saphyr_parser::{Event, Parser};

use crate::CheckError;

/// How many values one document may come to, aliases counted as often as they are used.
const NODES_MAX: usize = 50_000;
/// How deep values may nest.
const DEPTH_MAX: usize = 64;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Yaml {
    /// A plain value, as text.
    Text(String, u32),
    /// A list.
    List(Vec<Yaml>),
    /// A map; of two equal keys the later one counts.
    Map(BTreeMap<String, Yaml>),
}

impl Yaml {
    /// Returns the value at a path of keys.
    pub(crate) fn at(&self, keys: &[&str]) -> Option<&Yaml> {
        keys.iter().try_fold(self, |value, key| match value {
            Yaml::Map(map) => map.get(*key),
            _ => None,
        })
    }

    /// Returns a plain value.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Yaml::Text(text, _) => Some(text),
            _ => None,
        }
    }

    /// Returns the elements of a list, or the value itself as the only one.
    pub(crate) fn items(&self) -> &[Yaml] {
        match self {
            Yaml::List(items) => items,
            other => std::slice::from_ref(other),
        }
    }

    /// Returns the values of a map.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Yaml> {
        let map = match self {
            Yaml::Map(map) => Some(map),
            _ => None,
        };
        map.into_iter().flat_map(BTreeMap::values)
    }

    /// Returns a switch, in all the spellings that YAML 1.1 and Python know.
    pub(crate) fn switch(&self) -> Option<bool> {
        match self.text()?.to_ascii_lowercase().as_str() {
            "true" | "yes" | "on" | "1" => Some(true),
            "false" | "no" | "off" | "0" => Some(false),
            _ => None,
        }
    }

    /// Tells whether the value says nothing.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Yaml::Text(text, _) => matches!(text.as_str(), "" | "~" | "null"),
            Yaml::List(items) => items.is_empty(),
            Yaml::Map(map) => map.is_empty(),
        }
    }
}

/// Reads the first document of a file.
pub(crate) fn parse(path: &Path, text: &str) -> Result<Yaml, CheckError> {
    let mut builder = Builder { path, anchors: BTreeMap::new(), node_count: 0 };
    let mut events = Parser::new_from_str(text);
    loop {
        match builder.next(&mut events)? {
            (Event::StreamEnd, _) => return Ok(Yaml::Map(BTreeMap::new())),
            (Event::StreamStart | Event::DocumentStart(_) | Event::Nothing, _) => {}
            (event, line) => return builder.value(event, line, &mut events, 0),
        }
    }
}

struct Builder<'doc> {
    path: &'doc Path,
    anchors: BTreeMap<usize, (Yaml, usize)>,
    node_count: usize,
}

impl Builder<'_> {
    fn next<'doc>(
        &self,
        events: &mut Parser<'doc, saphyr_parser::StrInput<'doc>>,
    ) -> Result<(Event<'doc>, u32), CheckError> {
        match events.next_event() {
            Some(Ok((event, span))) => Ok((event, u32::try_from(span.start.line()).unwrap_or(u32::MAX))),
            Some(Err(error)) => {
                let line = u32::try_from(error.marker().line()).unwrap_or(u32::MAX);
                Err(self.malformed(line, error.info()))
            }
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn value<'doc>(
        &mut self,
        event: Event<'doc>,
        line: u32,
        events: &mut Parser<'doc, saphyr_parser::StrInput<'doc>>,
        depth: usize,
    ) -> Result<Yaml, CheckError> {
        if depth > DEPTH_MAX {
            return Err(self.malformed(line, "values nest too deep"));
        }
        let count_before = self.node_count;
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, _, anchor, _) => (Yaml::Text(text.into_owned(), line), anchor),
            Event::Alias(anchor) => {
                let (value, count) = self
                    .anchors
                    .get(&anchor)
                    .cloned()
                    .ok_or_else(|| self.malformed(line, "unknown alias"))?;
                self.count(count, line)?;
                return Ok(value);
            }
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    match self.next(events)? {
                        (Event::SequenceEnd, _) => break,
                        (event, line) => items.push(self.value(event, line, events, depth + 1)?),
                    }
                }
                (Yaml::List(items), anchor)
            }
            Event::MappingStart(anchor, _) => (Yaml::Map(self.map(events, depth)?), anchor),
            other => return Err(self.malformed(line, &format!("unexpected {other:?}"))),
        };
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), self.node_count - count_before));
        }
        Ok(value)
    }

    fn map<'doc>(
        &mut self,
        events: &mut Parser<'doc, saphyr_parser::StrInput<'doc>>,
        depth: usize,
    ) -> Result<BTreeMap<String, Yaml>, CheckError> {
        let mut map = BTreeMap::new();
        loop {
            let key = match self.next(events)? {
                (Event::MappingEnd, _) => return Ok(map),
                (event, line) => self.value(event, line, events, depth + 1)?,
            };
            let (event, line) = self.next(events)?;
            let value = self.value(event, line, events, depth + 1)?;
            if let Yaml::Text(key, _) = key {
                map.insert(key, value);
            }
        }
    }

    fn count(&mut self, nodes: usize, line: u32) -> Result<(), CheckError> {
        self.node_count = self.node_count.saturating_add(nodes);
        if self.node_count > NODES_MAX { Err(self.malformed(line, "too many values")) } else { Ok(()) }
    }

    fn malformed(&self, line: u32, what: &str) -> CheckError {
        CheckError::Malformed { path: self.path.to_owned(), line, what: what.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Yaml, CheckError> {
        parse(Path::new("/x.yaml"), text)
    }

    #[test]
    fn maps_lists_and_switches_are_read() {
        let yaml = read("a:\n  b: [x, y]\n  c: Yes\nd: null\n").unwrap();
        assert_eq!(yaml.at(&["a", "b"]).unwrap().items().len(), 2);
        assert_eq!(yaml.at(&["a", "c"]).unwrap().switch(), Some(true));
        assert!(yaml.at(&["d"]).unwrap().is_empty());
        assert!(yaml.at(&["a", "b", "c"]).is_none());
        assert!(read("").unwrap().is_empty());
    }

    #[test]
    fn aliases_that_multiply_are_refused() {
        let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let previous = format!("*a{}, ", level - 1).repeat(10);
            text = format!("{text}a{level}: &a{level} [{previous}]\n");
        }
        assert!(matches!(read(&text), Err(CheckError::Malformed { .. })));
        assert!(read(&"[".repeat(100)).is_err());
        assert!(matches!(read("a: [\n"), Err(CheckError::Malformed { .. })));
    }
}
