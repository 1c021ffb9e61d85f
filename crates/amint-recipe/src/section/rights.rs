//! `[[rights]]`: rights that the seller holds to pass on what is not free.

use std::collections::HashSet;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problem, Problems};
use crate::schema;
use crate::table::Table;
use crate::text::plain;

pub(crate) const KEYS: [&str; 4] = ["software", "holder", "document", "until"];

/// Most rights of a recipe.
const RIGHT_COUNT_MAX: usize = 500;
/// Most characters of each text.
const TEXT_CHARS_MAX: usize = 500;
/// Fewest letters and digits of what a right names: fewer would cover nearly everything.
const LETTERS_MIN: usize = 2;

/// Declares a right to pass on or sell software that is not free (A1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct Right {
    /// What it covers: a package, a source package, a product's id, `os:ID`, `license:NAME`, or the path of a file; `*`
    /// stands for anything.
    #[schemars(length(min = 2, max = 500))]
    pub software: String,
    /// Who holds it, as the document names them.
    #[schemars(length(min = 1, max = 500))]
    pub holder: String,
    /// Where it stands: a contract's number, a file, a page.
    #[schemars(length(min = 1, max = 500))]
    pub document: String,
    /// Its last day, without quotes: `2027-03-31`. Without it the right has no end.
    #[schemars(schema_with = "schema::date", default)]
    pub until: Option<Date>,
}

pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Vec<Right> {
    let tables = root.tables(problems, "rights", "[[rights]]", RIGHT_COUNT_MAX, &KEYS);
    let mut seen = HashSet::new();
    let mut rights = Vec::with_capacity(tables.len());
    for table in tables {
        for key in ["software", "holder", "document"] {
            table.require(problems, key);
        }
        let software = table.parsed(problems, "software", software);
        let holder = table.parsed(problems, "holder", plain("holder", TEXT_CHARS_MAX, false));
        let document = table.parsed(problems, "document", plain("document", TEXT_CHARS_MAX, false));
        let until = table.date(problems, "until").map(|until| until.value);
        let (Some(software), Some(holder), Some(document)) = (software, holder, document) else { continue };
        if !seen.insert((software.value.clone(), document.value.clone())) {
            let message = format!("the right to `{}` is declared twice", software.value);
            problems.push(Problem::error(software.span, message));
        }
        rights.push(Right {
            software: software.value,
            holder: holder.value,
            document: document.value,
            until,
        });
    }
    rights
}

fn software(text: &str) -> Result<String, Flaw> {
    let text = plain("software", TEXT_CHARS_MAX, false)(text)?;
    if text.chars().filter(|letter| letter.is_alphanumeric()).count() < LETTERS_MIN {
        return Err(Flaw::new(format!("`{text}` would cover nearly everything"))
            .hint("name the package or the product, as the finding does"));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use crate::section::testing::{errors, messages, recipe};

    const RIGHT: &str =
        "[[rights]]\nsoftware = \"nvidia-*\"\nholder = \"A Company\"\ndocument = \"contract 7\"\n";

    #[test]
    fn reads_a_right_with_and_without_an_end() {
        assert_eq!(recipe("").rights, []);
        assert_eq!(recipe(RIGHT).rights[0].until, None);
        let right = &recipe(&format!("{RIGHT}until = 2027-12-31\n")).rights[0];
        assert_eq!((right.software.as_str(), right.until), ("nvidia-*", Some(date(2027, 12, 31))));
    }

    #[test]
    fn wants_software_a_holder_and_a_document() {
        assert_eq!(
            messages("[[rights]]\n"),
            [
                "missing key `document` in `[[rights]]`",
                "missing key `holder` in `[[rights]]`",
                "missing key `software` in `[[rights]]`",
            ]
        );
        assert_eq!(errors(&format!("{RIGHT}name = \"x\"\n"))[0].1, "unknown key `name` in `[[rights]]`");
    }

    #[test]
    fn refuses_a_right_that_would_cover_everything_or_stands_twice() {
        let found = errors(&RIGHT.replace("nvidia-*", "*"));
        assert_eq!(found[0].0, "\"*\"");
        assert_eq!(found[0].1, "`*` would cover nearly everything");
        assert_eq!(messages(&format!("{RIGHT}{RIGHT}")), ["the right to `nvidia-*` is declared twice"]);
        assert_eq!(errors(&format!("{RIGHT}until = \"soon\"\n")).len(), 1);
    }
}
