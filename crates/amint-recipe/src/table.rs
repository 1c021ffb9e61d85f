//! Reading tables of a recipe or a lock file, key by key, with everything that is wrong reported.
//!
//! Every reader returns nothing both for a key that is absent and for one whose value is wrong; the latter is
//! reported on the spot, so that the caller can put a default in place and read on.

use std::collections::HashSet;
use std::fmt;
use std::hash::Hash;
use std::ops::{Range, RangeInclusive};

use jiff::Timestamp;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::problems::{Document, Flaw, Problem, Problems};

/// A value of TOML with its place.
pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Something read, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

impl<T> Located<T> {
    /// Converts the value and keeps the place.
    pub(crate) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Located<U> {
        Located { value: convert(self.value), span: self.span }
    }
}

/// The values of a list, without their places.
pub(crate) fn values<T>(list: Vec<Located<T>>) -> Vec<T> {
    list.into_iter().map(|item| item.value).collect()
}

/// A table whose keys are known.
pub(crate) struct Table<'a> {
    entries: &'a DeTable<'a>,
    /// Where the table begins: its header, or itself when it is inline.
    pub(crate) span: Range<usize>,
    /// The table's name in messages: `[image]`.
    title: &'static str,
}

impl<'a> Table<'a> {
    /// Takes a table and refuses keys that it does not know.
    pub(crate) fn new(
        problems: &mut Problems<'_>,
        table: &'a DeTable<'a>,
        span: Range<usize>,
        title: &'static str,
        keys: &[&str],
    ) -> Self {
        let document = problems.document();
        for key in table.keys() {
            if !keys.contains(&key.get_ref().as_ref()) {
                problems.push_with(|| unknown_key(key, title, keys, document));
            }
        }
        Self { entries: table, span, title }
    }

    /// Takes the top table of a text whose keys are not looked at yet.
    pub(crate) fn unchecked(table: &'a DeTable<'a>) -> Self {
        Self { entries: table, span: 0..0, title: "" }
    }

    fn get(&self, key: &str) -> Option<&'a Value<'a>> {
        self.entries.get(key)
    }

    /// Returns the place of a key's value, or of the table when the key is absent.
    pub(crate) fn span_of(&self, key: &str) -> Range<usize> {
        self.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// Tells whether the key is there, right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Reports a key that has to be there and is not.
    pub(crate) fn require(&self, problems: &mut Problems<'_>, key: &str) {
        if !self.has(key) {
            let message = match self.title {
                "" => format!("missing table `[{key}]`"),
                title => format!("missing key `{key}` in `{title}`"),
            };
            problems.push(Problem::relation(self.span.clone(), message));
        }
    }

    /// Requires exactly one of several keys; returns it.
    pub(crate) fn exactly_one(
        &self,
        problems: &mut Problems<'_>,
        keys: &[&'static str],
    ) -> Option<&'static str> {
        let given: Vec<_> = keys.iter().copied().filter(|key| self.has(key)).collect();
        if let [key] = given[..] {
            return Some(key);
        }
        let choices = quoted_list(keys.iter().copied(), "or");
        let problem = match given[..] {
            [] => Problem::relation(
                self.span.clone(),
                format!("`{}` needs exactly one of {choices}", self.title),
            ),
            // All of them are read nevertheless, so that their own mistakes are told too.
            [.., last] => Problem::error(
                self.span_of(last),
                format!(
                    "`{}` has {}: exactly one of {choices} is allowed",
                    self.title,
                    quoted_list(given.iter().copied(), "and")
                ),
            )
            .hint(format!("make two `{}` of it", self.title)),
        };
        problems.push(problem);
        None
    }

    /// Reads a string.
    pub(crate) fn string(&self, problems: &mut Problems<'_>, key: &str) -> Option<Located<&'a str>> {
        string_of(problems, key, self.get(key)?)
    }

    /// Reads a string of a certain form.
    pub(crate) fn parsed<T>(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        parse: impl FnOnce(&str) -> Result<T, Flaw>,
    ) -> Option<Located<T>> {
        let text = self.string(problems, key)?;
        parsed_of(problems, text, parse)
    }

    /// Reads a list of strings of a certain form, each at most once.
    pub(crate) fn parsed_list<T: Clone + Eq + Hash>(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        count_max: usize,
        parse: impl Fn(&str) -> Result<T, Flaw>,
    ) -> Option<Vec<Located<T>>> {
        let value = self.get(key)?;
        let DeValue::Array(array) = value.get_ref() else {
            let snippet = problems.snippet(value.span());
            let problem = wrong_type(key, "a list of strings", value);
            problems.push(match value.get_ref() {
                DeValue::String(_) => problem.hint(format!("write `[{snippet}]`")),
                _ => problem,
            });
            return None;
        };
        if array.len() > count_max {
            problems.push(too_many(key, array.len(), count_max, value.span()));
            return None;
        }
        let mut seen = HashSet::new();
        let mut list = Vec::with_capacity(array.len());
        for item in array {
            let Some(text) = string_or(problems, item, |item| {
                Problem::error(item.span(), format!("`{key}` must hold strings only, not {}", kind_of(item)))
            }) else {
                continue;
            };
            let written = text.value;
            let Some(located) = parsed_of(problems, text, &parse) else { continue };
            if seen.insert(located.value.clone()) {
                list.push(located);
            } else {
                problems.push(Problem::error(located.span, format!("`{written}` is listed twice")));
            }
        }
        Some(list)
    }

    /// Reads true or false.
    pub(crate) fn boolean(&self, problems: &mut Problems<'_>, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Boolean(boolean) => Some(*boolean),
            other => {
                let problem = wrong_type(key, "true or false", value);
                problems.push(match other.as_str() {
                    Some(text @ ("true" | "false")) => {
                        problem.hint(format!("write it without quotes: `{text}`"))
                    }
                    _ => problem,
                });
                None
            }
        }
    }

    /// Reads a whole number within bounds.
    pub(crate) fn integer<T: Copy + PartialOrd + fmt::Display + TryFrom<i128>>(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        bounds: RangeInclusive<T>,
    ) -> Option<Located<T>> {
        let value = self.get(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            let problem = wrong_type(key, "a whole number", value);
            problems.push(match value.get_ref().as_str() {
                Some(text) if text.parse::<i128>().is_ok() => {
                    problem.hint(format!("write it without quotes: `{text}`"))
                }
                _ => problem,
            });
            return None;
        };
        let number = i128::from_str_radix(integer.as_str(), integer.radix()).ok();
        let number =
            number.and_then(|number| T::try_from(number).ok()).filter(|number| bounds.contains(number));
        if number.is_none() {
            let (start, end) = (bounds.start(), bounds.end());
            let message = format!("`{key}` must lie between {start} and {end}");
            problems.push(Problem::error(value.span(), message));
        }
        Some(Located { value: number?, span: value.span() })
    }

    /// Reads a day.
    pub(crate) fn date(&self, problems: &mut Problems<'_>, key: &str) -> Option<Located<Date>> {
        let value = self.get(key)?;
        let DeValue::Datetime(moment) = value.get_ref() else {
            let problem = wrong_type(key, "a date", value);
            let is_quoted_date = value.get_ref().as_str().and_then(|text| text.parse::<Date>().ok());
            problems.push(match is_quoted_date {
                Some(date) => problem.hint(format!("write it without quotes: `{date}`")),
                None => problem.hint("write a day such as `2027-03-31`"),
            });
            return None;
        };
        let date = match (moment.date, moment.time, moment.offset) {
            (Some(date), None, None) => to_date(date),
            _ => None,
        };
        if date.is_none() {
            let problem = Problem::error(value.span(), format!("`{key}` must be a day without a time"));
            problems.push(match moment.date.and_then(to_date) {
                Some(day) => problem.hint(format!("write `{day}`")),
                None => problem.hint("write a day such as `2027-03-31`"),
            });
        }
        Some(Located { value: date?, span: value.span() })
    }

    /// Reads a moment, with its offset from UTC.
    pub(crate) fn moment(&self, problems: &mut Problems<'_>, key: &str) -> Option<Located<Timestamp>> {
        let value = self.get(key)?;
        let moment = match value.get_ref() {
            DeValue::Datetime(moment) => moment.to_string().parse::<Timestamp>().ok(),
            _ => None,
        };
        if moment.is_none() {
            let problem = Problem::error(value.span(), format!("`{key}` must be a moment with an offset"));
            problems.push(problem.hint("write it without quotes, such as `2026-11-23T08:00:00Z`"));
        }
        Some(Located { value: moment?, span: value.span() })
    }

    /// Opens a table within this one.
    pub(crate) fn table(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        title: &'static str,
        keys: &[&str],
    ) -> Option<Table<'a>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(Table::new(problems, table, value.span(), title, keys)),
            DeValue::Array(array) if array.first().is_some_and(|first| first.get_ref().is_table()) => {
                let message = format!("`{key}` is one table, not a list of tables");
                problems.push(Problem::error(value.span(), message).hint(format!("write `[{key}]`")));
                None
            }
            _ => {
                problems.push(wrong_type(key, "a table", value));
                None
            }
        }
    }

    /// Opens every table of a list of tables within this one.
    pub(crate) fn tables(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        title: &'static str,
        count_max: usize,
        keys: &[&str],
    ) -> Vec<Table<'a>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let DeValue::Array(array) = value.get_ref() else {
            let hint = format!("write `{title}`");
            let problem = wrong_type(key, "a list of tables", value);
            problems.push(if value.get_ref().is_table() { problem.hint(hint) } else { problem });
            return Vec::new();
        };
        if array.len() > count_max {
            problems.push(too_many(key, array.len(), count_max, value.span()));
            return Vec::new();
        }
        let mut tables = Vec::with_capacity(array.len());
        for item in array {
            match item.get_ref() {
                DeValue::Table(table) => tables.push(Table::new(problems, table, item.span(), title, keys)),
                _ => problems.push(wrong_type(key, "a list of tables", item)),
            }
        }
        tables
    }

    /// Returns all keys with their values, for a table whose keys are free.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (Located<&'a str>, &'a Value<'a>)> {
        self.entries
            .iter()
            .map(|(key, value)| (Located { value: key.get_ref().as_ref(), span: key.span() }, value))
    }

    /// Opens a table whose keys are free.
    pub(crate) fn free_table(
        &self,
        problems: &mut Problems<'_>,
        key: &str,
        title: &'static str,
    ) -> Option<Table<'a>> {
        let value = self.get(key)?;
        let DeValue::Table(table) = value.get_ref() else {
            problems.push(wrong_type(key, "a table", value));
            return None;
        };
        Some(Table { entries: table, span: value.span(), title })
    }
}

/// Reads a value that has to be a string.
pub(crate) fn string_of<'a>(
    problems: &mut Problems<'_>,
    key: &str,
    value: &'a Value<'a>,
) -> Option<Located<&'a str>> {
    string_or(problems, value, |value| wrong_type(key, "a string", value))
}

fn string_or<'a>(
    problems: &mut Problems<'_>,
    value: &'a Value<'a>,
    problem: impl FnOnce(&Value<'_>) -> Problem,
) -> Option<Located<&'a str>> {
    if let DeValue::String(text) = value.get_ref() {
        return Some(Located { value: text.as_ref(), span: value.span() });
    }
    let snippet = problems.snippet(value.span());
    let problem = problem(value);
    problems.push(match value.get_ref() {
        DeValue::Array(_) | DeValue::Table(_) => problem,
        _ => problem.hint(format!("write it in quotes: `\"{snippet}\"`")),
    });
    None
}

fn parsed_of<T>(
    problems: &mut Problems<'_>,
    text: Located<&str>,
    parse: impl FnOnce(&str) -> Result<T, Flaw>,
) -> Option<Located<T>> {
    match parse(text.value) {
        Ok(value) => Some(Located { value, span: text.span }),
        Err(flaw) => {
            problems.push(flaw.at(text.span));
            None
        }
    }
}

fn to_date(date: toml::value::Date) -> Option<Date> {
    let year = i16::try_from(date.year).ok()?;
    Date::new(year, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
}

fn wrong_type(key: &str, expected: &str, value: &Value<'_>) -> Problem {
    Problem::error(value.span(), format!("`{key}` must be {expected}, not {}", kind_of(value)))
}

fn kind_of(value: &Value<'_>) -> &'static str {
    match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn too_many(key: &str, count: usize, count_max: usize, span: Range<usize>) -> Problem {
    Problem::error(span, format!("`{key}` has {count} entries, more than {count_max}"))
}

fn unknown_key(
    key: &Spanned<std::borrow::Cow<'_, str>>,
    title: &str,
    keys: &[&str],
    document: Document,
) -> Problem {
    let name = key.get_ref().as_ref();
    let place = if title.is_empty() { String::new() } else { format!(" in `{title}`") };
    let problem = Problem::error(key.span(), format!("unknown key `{name}`{place}"));
    if let Some(meant) = closest(name, keys.iter().copied()) {
        return problem.hint(format!("did you mean `{meant}`?"));
    }
    let sections = document.sections.iter();
    let homes: Vec<_> = sections.filter(|(_, known)| known.contains(&name)).map(|(home, _)| *home).collect();
    match homes[..] {
        [] => problem.hint(format!("known keys: {}", quoted_list(keys.iter().copied(), "and"))),
        _ => problem.hint(format!("`{name}` belongs in {}", quoted_list(homes.iter().copied(), "or"))),
    }
}

/// Finds the choice that a mistyped word most probably means.
pub(crate) fn closest<'k>(word: &str, choices: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    // The distance costs the product of both lengths, and no key is that long.
    const WORD_BYTES_MAX: usize = 40;
    if word.len() > WORD_BYTES_MAX {
        return None;
    }
    let lower = word.to_lowercase().replace(' ', "-");
    choices
        .into_iter()
        .filter_map(|choice| {
            let same = choice.replace('_', "-") == lower.replace('_', "-");
            let distance = if same { 0 } else { strsim::osa_distance(&lower, choice) };
            let is_prefix = lower.len() >= 3 && choice.starts_with(&lower) || lower.starts_with(choice);
            (distance <= choice.len().max(lower.len()) / 3 || is_prefix).then_some((distance, choice))
        })
        .min()
        .map(|(_, choice)| choice)
}

/// Writes a list of words for a message: `` `a`, `b` or `c` ``.
pub(crate) fn quoted_list<'k>(words: impl IntoIterator<Item = &'k str>, conjunction: &str) -> String {
    let quoted: Vec<_> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guesses_what_a_mistyped_word_means() {
        let keys = ["install", "recommends", "body_contains", "x86_64"];
        assert_eq!(closest("instal", keys), Some("install"));
        assert_eq!(closest("Install", keys), Some("install"));
        assert_eq!(closest("body-contains", keys), Some("body_contains"));
        assert_eq!(closest("x86-64", keys), Some("x86_64"));
        assert_eq!(closest("recomends", keys), Some("recommends"));
        assert_eq!(closest("publish", keys), None);
        assert_eq!(closest(&"i".repeat(10_000), keys), None);
    }

    #[test]
    fn lists_words_as_a_sentence_does() {
        assert_eq!(quoted_list(["a"], "or"), "`a`");
        assert_eq!(quoted_list(["a", "b", "c"], "or"), "`a`, `b` or `c`");
    }
}
