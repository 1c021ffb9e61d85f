//! What the parts of a package archive are called: repositories, suites, components.

use crate::problems::Flaw;

/// Most characters of a repository's name.
const NAME_CHARS_MAX: usize = 40;
/// Most characters of a suite or component.
const SUITE_CHARS_MAX: usize = 120;

/// The form of the name of a repository, for JSON Schema.
pub(crate) const NAME_PATTERN: &str = "^[a-z0-9][a-z0-9-]{0,39}$";
/// The form of a suite or component, for JSON Schema.
pub(crate) const SUITE_PATTERN: &str = "^[A-Za-z0-9][A-Za-z0-9._+~-]*(/[A-Za-z0-9][A-Za-z0-9._+~-]*)*$";
/// The form of a suite's id, for JSON Schema.
pub(crate) const SUITE_ID_PATTERN: &str =
    "^(repo:[a-z0-9][a-z0-9-]{0,39}|[A-Za-z0-9][A-Za-z0-9._+~-]*(/[A-Za-z0-9][A-Za-z0-9._+~-]*)*)$";

/// What the id of a suite of a repository of the recipe begins with.
pub(crate) const REPOSITORY_ID_PREFIX: &str = "repo:";

/// Reads the name of a repository.
pub(crate) fn repository_name(text: &str) -> Result<String, Flaw> {
    let is_part = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit();
    let is_good = text.starts_with(is_part)
        && text.chars().all(|character| is_part(character) || character == '-')
        && text.len() <= NAME_CHARS_MAX;
    if is_good {
        return Ok(text.to_owned());
    }
    let flaw = Flaw::new(format!("`{}` is not a name of a repository", shown(text)));
    Err(flaw.hint("at most 40 lower-case letters, digits and `-` are allowed, not starting with `-`"))
}

/// Reads the suite of an archive: the folder below `dists/`.
pub(crate) fn suite(text: &str) -> Result<String, Flaw> {
    if text == "/" || text.ends_with('/') {
        return Err(Flaw::new(format!("`{}` asks for a repository without suites", shown(text)))
            .hint("name a folder below `dists/`: flat repositories are not supported"));
    }
    part(text, "a suite")
}

/// Reads a component of an archive.
pub(crate) fn component(text: &str) -> Result<String, Flaw> {
    part(text, "a component")
}

/// Reads the id of a suite: itself, or `repo:NAME` for the suite of a repository of the recipe.
pub(crate) fn suite_id(text: &str) -> Result<String, Flaw> {
    match text.strip_prefix(REPOSITORY_ID_PREFIX) {
        Some(name) => repository_name(name).map(|_| text.to_owned()),
        None => suite(text),
    }
}

/// Shortens hostile text for a message.
pub(crate) fn shown(text: &str) -> String {
    const SHOWN_CHARS_MAX: usize = 100;
    match text.char_indices().nth(SHOWN_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn part(text: &str, what: &str) -> Result<String, Flaw> {
    let is_allowed = |character: char| character.is_ascii_alphanumeric() || "._+~-".contains(character);
    let is_good = text.len() <= SUITE_CHARS_MAX
        && text.split('/').all(|part| {
            part.starts_with(|first: char| first.is_ascii_alphanumeric()) && part.chars().all(is_allowed)
        });
    if is_good { Ok(text.to_owned()) } else { Err(Flaw::new(format!("`{}` is not {what}", shown(text)))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_names_suites_and_components() {
        for text in ["trixie", "trixie-security", "stable/updates", "7.0", "repo:vendor-1"] {
            assert_eq!(suite_id(text).unwrap(), text);
        }
        for text in ["", "/", "./", "a//b", "../x", "a/..", "a b", "repo:", "repo:A", "-x", &"x".repeat(999)]
        {
            let flaw = suite_id(text).unwrap_err();
            assert!(flaw.message.len() < 250, "{text:?}");
        }
        assert!(repository_name("vendor").is_ok() && repository_name("a_b").is_err());
        assert!(component("non-free-firmware").is_ok() && component("a b").is_err());
    }
}
