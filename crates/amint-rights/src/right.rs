//! Rights that a seller declares: `[[rights]]` of a recipe.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::pattern::fits;

/// Fewest letters and digits of a pattern: fewer would cover nearly everything.
const LETTERS_MIN: usize = 2;

/// A right to pass on or sell something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Right {
    /// What it covers, with `*` for any text: a package, a source package, a product's id, `os:ID`, `license:NAME`, or
    /// the path of a file. Case does not count.
    pub name: String,
    /// Who holds it: the seller, as the document names it.
    pub holder: String,
    /// Where it stands: a contract's number, a file, a page.
    pub document: String,
    /// Its last day; none where it has no end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub until: Option<Date>,
}

impl Right {
    /// Tells whether it covers one of the names of a thing. A pattern of fewer than two letters or digits covers
    /// nothing.
    pub fn covers(&self, names: &[String]) -> bool {
        let pattern = self.name.trim().to_lowercase();
        self.has_pattern() && names.iter().any(|name| fits(&pattern, &name.to_lowercase()))
    }

    /// Tells whether its pattern is narrow enough to be used.
    pub fn has_pattern(&self) -> bool {
        self.name.chars().filter(|letter| letter.is_alphanumeric()).count() >= LETTERS_MIN
    }

    /// Tells whether it has ended before a day; on its last day it still holds.
    pub fn has_ended(&self, today: Date) -> bool {
        self.until.is_some_and(|until| until < today)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(name: &str) -> Right {
        Right { name: name.to_owned(), holder: "H".to_owned(), document: "D".to_owned(), until: None }
    }

    #[test]
    fn covers_by_any_name_and_case() {
        let names = ["nvidia-driver".to_owned(), "license:NVIDIA".to_owned()];
        assert!(right("nvidia-*").covers(&names));
        assert!(right("LICENSE:nvidia").covers(&names));
        assert!(!right("nvidia").covers(&names));
        assert!(!right("*").covers(&names), "too wide");
        assert!(!right("n*").covers(&names), "too wide");
    }

    #[test]
    fn holds_on_its_last_day() {
        let mut right = right("xx");
        let day = Date::constant(2027, 1, 31);
        assert!(!right.has_ended(day));
        right.until = Some(day);
        assert!(!right.has_ended(day));
        assert!(right.has_ended(day.tomorrow().unwrap()));
    }
}
