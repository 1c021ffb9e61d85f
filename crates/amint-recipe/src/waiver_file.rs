//! A file of waivers alone, for images that have no recipe: `[[harden.waive]]` as in a recipe, and nothing else.

use std::path::Path;

use toml::de::DeTable;

use crate::diagnostic::Diagnostics;
use crate::load::{RecipeError, read};
use crate::problems::{Document, Problems};
use crate::section::{self, WAIVER_SECTIONS, Waiver};
use crate::table::Table;

/// A file of waivers.
const WAIVERS: Document = Document { noun: "file of waivers", sections: &WAIVER_SECTIONS };

/// Loads a file of waivers.
///
/// # Errors
/// Fails when the file cannot be read, and with all mistakes at once when it has some.
pub fn load_waivers(path: &Path) -> Result<Vec<Waiver>, RecipeError> {
    Ok(parse_waivers(&read(path)?, path)?)
}

/// Reads waivers from their text; `path` only names it in diagnostics.
///
/// # Errors
/// Fails with everything that is wrong, not only the first mistake.
pub fn parse_waivers(text: &str, path: &Path) -> Result<Vec<Waiver>, Diagnostics> {
    let mut problems = Problems::of(WAIVERS, text);
    let (root, syntax_errors) = DeTable::parse_recoverable(text);
    for error in &syntax_errors {
        problems.push_syntax(error);
    }
    let root = Table::new(&mut problems, root.get_ref(), 0..0, "", &["harden"]);
    root.require(&mut problems, "harden");
    let harden = root.table(&mut problems, "harden", "[harden]", &["waive"]);
    let waivers = harden.map(|harden| section::parse_waivers(&harden, &mut problems).0).unwrap_or_default();
    if problems.has_errors() { Err(problems.finish(path)) } else { Ok(waivers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIVER: &str = "[[harden.waive]]\nrule = \"CVE-2024-6387\"\nreason = \"not reachable\"\nowner = \"security\"\nuntil = 2027-01-31\npackage = \"openssh-server\"\n";

    #[test]
    fn a_file_of_waivers_reads_as_the_recipe_does() {
        let waivers = parse_waivers(WAIVER, Path::new("waivers.toml")).unwrap();
        assert_eq!(waivers.len(), 1);
        assert_eq!(waivers[0].package.as_deref(), Some("openssh-server"));
    }

    #[test]
    fn every_mistake_is_told_with_its_line() {
        let text = format!("{WAIVER}who = 1\n[[harden.waive]]\nrule = \"x\"\n[image]\nname = \"a\"\n");
        let error = parse_waivers(&text, Path::new("waivers.toml")).unwrap_err();
        let told: Vec<(usize, &str)> =
            error.items.iter().map(|item| (item.line, item.message.as_str())).collect();
        assert!(told.contains(&(7, "unknown key `who` in `[[harden.waive]]`")), "{told:?}");
        assert!(told.contains(&(8, "missing key `owner` in `[[harden.waive]]`")), "{told:?}");
        assert!(told.iter().any(|(line, message)| *line == 9 && message.contains("`x`")), "{told:?}");
        assert!(
            told.iter().any(|(line, _)| *line == 10),
            "the recipe's other sections do not belong here: {told:?}"
        );
    }

    #[test]
    fn a_file_without_any_waiver_is_refused() {
        assert!(parse_waivers("", Path::new("waivers.toml")).is_err());
    }
}
