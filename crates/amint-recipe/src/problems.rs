//! Collecting everything that is wrong while a recipe is read.

use std::ops::Range;
use std::path::Path;

use crate::diagnostic::{DiagnosticSeverity, Diagnostics};
use crate::section::SECTIONS;

/// The kind of text that is read: how messages name it, and where a misplaced key belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Document {
    /// The noun in messages.
    pub(crate) noun: &'static str,
    /// Every table with its keys.
    pub(crate) sections: &'static [(&'static str, &'static [&'static str])],
}

/// The recipe.
pub(crate) const RECIPE: Document = Document { noun: "recipe", sections: &SECTIONS };

/// Most problems that are kept: more help nobody, and a hostile file must not fill the memory.
const PROBLEM_COUNT_MAX: usize = 200;

/// What a problem follows from, which decides whether it is worth telling beside a syntax error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// The TOML itself is wrong at this place only; what follows is still read rightly.
    SyntaxHere,
    /// The TOML itself is wrong in a way that may garble what follows.
    SyntaxFromHere,
    /// Something is not there, or does not agree with something else.
    Relation,
    /// A value or key is wrong.
    Value,
}

/// One thing that is wrong, before it is given line and column.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) severity: DiagnosticSeverity,
    kind: Kind,
    pub(crate) span: Range<usize>,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Problem {
    /// Makes an error about a value or a key.
    pub(crate) fn error(span: Range<usize>, message: impl Into<String>) -> Self {
        Self {
            severity: DiagnosticSeverity::Error,
            kind: Kind::Value,
            span,
            message: message.into(),
            hint: None,
        }
    }

    /// Makes an error about something that is missing, or about two things that do not go together.
    pub(crate) fn relation(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { kind: Kind::Relation, ..Self::error(span, message) }
    }

    /// Makes a warning.
    pub(crate) fn warning(span: Range<usize>, message: impl Into<String>) -> Self {
        Self { severity: DiagnosticSeverity::Warning, ..Self::relation(span, message) }
    }

    /// Adds what to try.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// What is wrong with a single value, without its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Flaw {
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

impl Flaw {
    /// Makes a flaw without a hint.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None }
    }

    /// Adds what to try.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Gives the flaw its place.
    pub(crate) fn at(self, span: Range<usize>) -> Problem {
        Problem { hint: self.hint, ..Problem::error(span, self.message) }
    }
}

/// The problems of one text.
pub(crate) struct Problems<'t> {
    text: &'t str,
    document: Document,
    items: Vec<Problem>,
    omitted: usize,
}

impl<'t> Problems<'t> {
    /// Starts without a problem of a recipe's text.
    pub(crate) fn new(text: &'t str) -> Self {
        Self::of(RECIPE, text)
    }

    /// Starts without a problem of a text of another kind.
    pub(crate) fn of(document: Document, text: &'t str) -> Self {
        Self { text, document, items: Vec::new(), omitted: 0 }
    }

    /// Returns the kind of text that is read.
    pub(crate) fn document(&self) -> Document {
        self.document
    }

    /// Returns the text of `span`.
    pub(crate) fn snippet(&self, span: Range<usize>) -> &'t str {
        self.text.get(span).unwrap_or_default()
    }

    /// Adds a problem.
    pub(crate) fn push(&mut self, problem: Problem) {
        self.push_with(|| problem);
    }

    /// Adds a problem that is costly to make, unless there are too many already.
    pub(crate) fn push_with(&mut self, problem: impl FnOnce() -> Problem) {
        if self.items.len() < PROBLEM_COUNT_MAX {
            self.items.push(problem());
        } else {
            self.omitted += 1;
        }
    }

    /// Adds an error of the TOML parser.
    pub(crate) fn push_syntax(&mut self, error: &toml::de::Error) {
        let span = error.span().unwrap_or(0..0);
        let snippet = self.snippet(span.clone());
        let (message, expected) = match error.message().split_once(", expected ") {
            Some((message, expected)) => (message, Some(expected)),
            None => (error.message(), None),
        };
        let kind = if is_local(message) { Kind::SyntaxHere } else { Kind::SyntaxFromHere };
        let problem = match message {
            "duplicate key" => Problem::error(span, format!("duplicate key `{snippet}`"))
                .hint("it is already set above: keep one of the two"),
            "string values must be quoted" if snippet.is_empty() => Problem::error(span, "missing value"),
            // The parser takes every bare word that starts with `t` or `f` for a boolean.
            "invalid boolean" if matches!(snippet.to_lowercase().as_str(), "true" | "false") => {
                Problem::error(span, message).hint(format!("write `{}`", snippet.to_lowercase()))
            }
            "string values must be quoted" | "invalid boolean" => {
                Problem::error(span, "string values must be quoted").hint(format!("write `\"{snippet}\"`"))
            }
            _ => match expected.filter(|expected| *expected != "nothing") {
                Some(expected) => Problem::error(span, message).hint(format!("expected {expected}")),
                None => Problem::error(span, message),
            },
        };
        self.push(Problem { kind, ..problem });
    }

    /// Tells whether there is an error among the problems.
    pub(crate) fn has_errors(&self) -> bool {
        self.omitted > 0 || self.items.iter().any(|item| item.severity == DiagnosticSeverity::Error)
    }

    /// Gives all problems their lines and columns, without those that only follow from a syntax error.
    pub(crate) fn finish(mut self, path: &Path) -> Diagnostics {
        let garbled_from = self
            .items
            .iter()
            .filter(|item| item.kind == Kind::SyntaxFromHere)
            .map(|item| self.line_start(item.span.start))
            .min();
        let broken_lines: Vec<usize> = self
            .items
            .iter()
            .filter(|item| {
                matches!(item.kind, Kind::SyntaxHere | Kind::SyntaxFromHere)
                    && !item.message.starts_with("duplicate key")
            })
            .map(|item| self.line_start(item.span.start))
            .collect();
        let mut items = std::mem::take(&mut self.items);
        items.retain(|item| match item.kind {
            Kind::SyntaxHere | Kind::SyntaxFromHere => true,
            Kind::Relation => broken_lines.is_empty(),
            Kind::Value => {
                let line_start = self.line_start(item.span.start);
                garbled_from.is_none_or(|start| line_start < start) && !broken_lines.contains(&line_start)
            }
        });
        Diagnostics::locate(path, self.document.noun, self.text, &items, self.omitted)
    }

    fn line_start(&self, offset: usize) -> usize {
        let offset = self.text.floor_char_boundary(offset);
        self.text[..offset].rfind('\n').map_or(0, |index| index + 1)
    }
}

/// Tells whether the parser reads on rightly after this error: it concerns one value or one key.
fn is_local(message: &str) -> bool {
    const LOCAL: [&str; 8] = [
        "duplicate key",
        "cannot extend value",
        "string values must be quoted",
        "unexpected leading zero",
        "invalid boolean",
        "invalid date",
        "invalid time",
        "missing escaped value",
    ];
    LOCAL.iter().any(|local| message.starts_with(local))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str, problems: Vec<Problem>) -> Vec<String> {
        let mut collected = Problems::new(text);
        for error in toml::de::DeTable::parse_recoverable(text).1 {
            collected.push_syntax(&error);
        }
        for problem in problems {
            collected.push(problem);
        }
        collected.finish(Path::new("amint.toml")).items.into_iter().map(|item| item.message).collect()
    }

    #[test]
    fn keeps_quiet_about_what_may_follow_from_a_syntax_error() {
        let text = "a = 1\n[b\nc = 2\n";
        let problems = vec![
            Problem::error(0..1, "before"),
            Problem::error(9..10, "after"),
            Problem::relation(0..0, "missing"),
        ];
        assert_eq!(messages(text, problems), ["before", "unclosed table"]);
    }

    #[test]
    fn tells_everything_beside_a_duplicate_key() {
        let problems = vec![Problem::relation(0..0, "missing"), Problem::error(6..7, "value")];
        assert_eq!(messages("a = 1\na = 2\n", problems), ["missing", "duplicate key `a`", "value"]);
    }

    #[test]
    fn stops_collecting_at_a_limit_and_counts_the_rest() {
        let mut problems = Problems::new("a");
        for number in 0..PROBLEM_COUNT_MAX + 7 {
            problems.push(Problem::error(0..1, format!("problem {number}")));
        }
        let diagnostics = problems.finish(Path::new("amint.toml"));
        assert_eq!((diagnostics.items.len(), diagnostics.omitted), (PROBLEM_COUNT_MAX, 7));
    }
}
