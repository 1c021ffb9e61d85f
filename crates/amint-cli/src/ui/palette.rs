//! Colours and symbols that fit the stream they are written to.

use std::io;

use anstream::{AutoStream, ColorChoice};

/// How to write for one stream: with or without colours, in Unicode or ASCII.
///
/// Colour never carries meaning alone: each state has its symbol and its word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Palette {
    /// Whether escape sequences for colours are written.
    pub(crate) is_coloured: bool,
    /// Whether symbols outside ASCII are written.
    pub(crate) is_unicode: bool,
}

impl Palette {
    /// No colours, ASCII only: what tests compare with.
    #[cfg(test)]
    pub(crate) const PLAIN: Self = Self { is_coloured: false, is_unicode: false };

    /// Shows plain text: for files.
    pub(crate) fn plain() -> Self {
        Self { is_coloured: false, is_unicode: false }
    }

    /// Finds out what standard output can show.
    ///
    /// `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR` and `TERM` are honoured (see anstream), and so is a choice that
    /// was made for the whole program by [`ColorChoice::write_global`].
    pub(crate) fn for_stdout() -> Self {
        Self::with_choice(AutoStream::choice(&io::stdout()))
    }

    /// Finds out what standard error can show, in the same way.
    pub(crate) fn for_stderr() -> Self {
        Self::with_choice(AutoStream::choice(&io::stderr()))
    }

    fn with_choice(choice: ColorChoice) -> Self {
        // The first of these that is set decides about characters (POSIX, Environment Variables, 8.2).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .into_iter()
            .filter_map(|name| std::env::var(name).ok())
            .find(|value| !value.is_empty());
        let is_unicode = locale.is_some_and(|locale| is_utf8_locale(&locale));
        Self { is_coloured: choice != ColorChoice::Never, is_unicode }
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.is_coloured && !text.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn choose(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.is_unicode { unicode } else { ascii }
    }

    /// The symbol of what went well.
    pub(crate) fn tick(self) -> &'static str {
        self.choose("✓", "ok")
    }

    /// The symbol of what failed.
    pub(crate) fn cross(self) -> &'static str {
        self.choose("✗", "!!")
    }

    /// The symbol of what was left out.
    pub(crate) fn dash(self) -> &'static str {
        self.choose("–", "--")
    }

    /// The symbol of what just began.
    pub(super) fn arrow(self) -> &'static str {
        self.choose("›", "..")
    }

    /// The symbol of what is not known.
    pub(crate) fn question(self) -> &'static str {
        self.choose("?", "??")
    }

    /// What stands between a step and a line that its program wrote.
    pub(super) fn bar(self) -> &'static str {
        self.choose("│", "|")
    }

    /// What stands for text that did not fit.
    pub(super) fn ellipsis(self) -> &'static str {
        self.choose("…", "...")
    }

    /// The states of a spinner; the last one is shown when it stands still.
    pub(super) fn spinner(self) -> &'static [&'static str] {
        if self.is_unicode {
            &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏", " "]
        } else {
            &["- ", "\\ ", "| ", "/ ", "  "]
        }
    }
}

fn is_utf8_locale(locale: &str) -> bool {
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_locales_that_can_show_unicode() {
        assert!(["C.UTF-8", "de_DE.utf8", "en_GB.UTF-8@euro"].into_iter().all(is_utf8_locale));
        assert!(!["C", "POSIX", "de_DE.ISO-8859-1"].into_iter().any(is_utf8_locale));
    }

    #[test]
    fn paints_nothing_without_colours() {
        assert_eq!(Palette::PLAIN.red("text"), "text");
        let coloured = Palette { is_coloured: true, is_unicode: true };
        assert_eq!(coloured.red("text"), "\u{1b}[1;31mtext\u{1b}[0m");
        assert_eq!(coloured.red(""), "");
    }
}
