//! Words out of a closed list.

use crate::problems::Flaw;
use crate::table::{closest, quoted_list};

/// A value that is one of a few words.
pub(crate) trait Choice: Copy + 'static {
    /// What the word is, for messages: `a profile`.
    const WHAT: &'static str;
    /// All values.
    const ALL: &'static [Self];

    /// Returns the word.
    fn word(self) -> &'static str;
}

/// Reads a word of the list, in its one spelling.
pub(crate) fn choose<T: Choice>(text: &str) -> Result<T, Flaw> {
    if let Some(found) = T::ALL.iter().find(|choice| choice.word() == text) {
        return Ok(*found);
    }
    let words = || T::ALL.iter().map(|choice| choice.word());
    let flaw = Flaw::new(format!("`{text}` is not {}", T::WHAT));
    Err(match closest(text, words()) {
        Some(meant) => flaw.hint(format!("did you mean `{meant}`?")),
        None => flaw.hint(format!("known: {}", quoted_list(words(), "and"))),
    })
}
