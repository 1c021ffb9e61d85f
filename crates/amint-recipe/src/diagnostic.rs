//! What is wrong with a recipe or a lock file, and where.

use std::fmt::{self, Write as _};
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::problems::Problem;

/// Most characters of a source line that a diagnostic carries.
const SOURCE_LINE_CHARS_MAX: usize = 160;
/// Most characters of a message or hint: hostile text repeated in one must not fill the terminal.
const MESSAGE_CHARS_MAX: usize = 500;
/// Most characters of offending text that a diagnostic carries.
const TEXT_CHARS_MAX: usize = 160;

/// How much a diagnostic matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DiagnosticSeverity {
    /// The recipe cannot be used.
    Error,
    /// The recipe can be used, but something is probably not meant.
    Warning,
}

impl DiagnosticSeverity {
    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// One mistake at one place of a recipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether the recipe is refused because of it.
    pub severity: DiagnosticSeverity,
    /// The bytes of the recipe's text that are meant, always on character boundaries.
    pub span: Range<usize>,
    /// The line, from 1.
    pub line: usize,
    /// The column of the first character, from 1, counted in characters.
    pub column: usize,
    /// The column after the last character of the span on this line.
    pub end_column: usize,
    /// The offending text: the span's part of this line, without control characters.
    pub text: String,
    /// The line of the recipe, without control characters; a part of it when it is very long.
    pub source_line: String,
    /// The column of the first character of `source_line`, from 1.
    pub source_column: usize,
    /// What is wrong, as a lower-case fragment.
    pub message: String,
    /// What to try.
    pub hint: Option<String>,
}

/// Everything that is wrong with one recipe or lock file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostics {
    /// The file's path.
    pub path: PathBuf,
    /// The mistakes: errors and warnings.
    pub items: Vec<Diagnostic>,
    /// How many more there were than are kept.
    pub omitted: usize,
    /// What kind of file it is.
    pub(crate) noun: &'static str,
}

impl Diagnostics {
    /// Returns the errors, without the warnings.
    pub fn errors(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter().filter(|item| item.severity == DiagnosticSeverity::Error)
    }

    /// Returns the warnings.
    pub fn warnings(&self) -> impl Iterator<Item = &Diagnostic> {
        self.items.iter().filter(|item| item.severity == DiagnosticSeverity::Warning)
    }

    /// Writes everything as plain text, laid out as compilers do.
    pub fn render_plain(&self) -> String {
        let mut output = String::new();
        for item in &self.items {
            item.render_plain(&self.path, &mut output);
            output.push('\n');
        }
        let _ = writeln!(output, "{self}");
        output
    }

    pub(crate) fn locate(
        path: &Path,
        noun: &'static str,
        text: &str,
        problems: &[Problem],
        omitted: usize,
    ) -> Self {
        let text = &mask_passwords(text);
        let lines = LineIndex::new(text);
        let mut items: Vec<_> = problems.iter().map(|problem| lines.locate(problem)).collect();
        items.sort_by(|left, right| {
            (left.span.start, left.severity, left.span.end, &left.message).cmp(&(
                right.span.start,
                right.severity,
                right.span.end,
                &right.message,
            ))
        });
        items.dedup();
        Self { path: path.to_owned(), items, omitted, noun }
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (errors, warnings) = (self.errors().count(), self.warnings().count());
        write!(formatter, "{} `{}` has {}", self.noun, self.path.display(), counted(errors, "error"))?;
        if warnings > 0 {
            write!(formatter, " and {}", counted(warnings, "warning"))?;
        }
        if self.omitted > 0 {
            write!(formatter, " ({} more not shown)", self.omitted)?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl Diagnostic {
    fn render_plain(&self, path: &Path, output: &mut String) {
        let gutter = self.line.to_string().len();
        let blank = " ".repeat(gutter);
        let indent = " ".repeat(self.column.saturating_sub(self.source_column));
        let carets = "^".repeat(self.end_column.saturating_sub(self.column).clamp(1, SOURCE_LINE_CHARS_MAX));
        let source_line = self.source_line.trim_end();
        let marks = format!("{indent}{carets}");
        let _ = writeln!(output, "{}: {}", self.severity.as_str(), self.message);
        let _ = writeln!(output, "{blank}--> {}:{}:{}", path.display(), self.line, self.column);
        let _ = writeln!(output, "{blank} |");
        let _ = writeln!(output, "{}", format!("{} | {source_line}", self.line).trim_end());
        let _ = writeln!(output, "{blank} | {marks}");
        if let Some(hint) = &self.hint {
            let _ = writeln!(output, "{blank} = hint: {hint}");
        }
    }
}

/// Puts stars in the place of passwords in addresses (`https://user:password@host`), byte for byte: places stay the same.
pub fn mask_passwords(text: &str) -> String {
    let mut masked = text.as_bytes().to_vec();
    for (start, _) in text.match_indices("://") {
        let authority = start + 3;
        let is_end = |c: char| c.is_whitespace() || matches!(c, '/' | '"' | '\'' | '?' | '#' | '<' | '>');
        let end = text[authority..].find(is_end).map_or(text.len(), |end| authority + end);
        let Some(at) = text[authority..end].rfind('@') else { continue };
        let Some(colon) = text[authority..authority + at].find(':') else { continue };
        masked[authority + colon + 1..authority + at].fill(b'*');
    }
    String::from_utf8_lossy(&masked).into_owned()
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Finds lines and columns of byte offsets.
struct LineIndex<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(index, _)| index + 1)).collect();
        Self { text, starts }
    }

    /// Returns the bounds of the line that holds `offset`, without its end, and its number from 0.
    fn line(&self, offset: usize) -> (usize, Range<usize>) {
        let index = self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.starts[index];
        let end = self.starts.get(index + 1).map_or(self.text.len(), |next| next - 1);
        let line = &self.text[start..end];
        (index, start..start + line.strip_suffix('\r').unwrap_or(line).len())
    }

    fn locate(&self, problem: &Problem) -> Diagnostic {
        let start = self.text.floor_char_boundary(problem.span.start);
        let end = self.text.ceil_char_boundary(problem.span.end.max(start));
        let (index, bounds) = self.line(start);
        let on_line = start.min(bounds.end)..end.min(bounds.end);
        let before = self.text[bounds.start..on_line.start].chars().count();
        let length = self.text[on_line.clone()].chars().count();
        // A long line is shown from a little before the place that is meant.
        let total = self.text[bounds.clone()].chars().count();
        let skipped = if total > SOURCE_LINE_CHARS_MAX { before.saturating_sub(40) } else { 0 };
        let shown = self.text[bounds].chars().skip(skipped).take(SOURCE_LINE_CHARS_MAX);
        Diagnostic {
            severity: problem.severity,
            span: start..end,
            line: index + 1,
            column: before + 1,
            end_column: before + length + 1,
            text: self.text[on_line].chars().take(TEXT_CHARS_MAX).map(printable).collect(),
            source_line: shown.map(printable).collect(),
            source_column: skipped + 1,
            message: sentence(&problem.message),
            hint: problem.hint.as_deref().map(sentence),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars().map(printable);
    let mut shown: String = characters.by_ref().take(MESSAGE_CHARS_MAX).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// Replaces what a terminal would act upon: a recipe may come from anywhere.
fn printable(character: char) -> char {
    match character {
        '\t' => ' ',
        // Bidirectional controls can make a line look like another one (CVE-2021-42574).
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => '\u{fffd}',
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_in_addresses_are_not_shown() {
        let text = "url = \"https://user:pass/word@host/x\" # http://a:b@c";
        assert_eq!(mask_passwords("https://user:secret@host/x"), "https://user:******@host/x");
        assert_eq!(mask_passwords("https://user:p\u{e4}ss@host\""), "https://user:*****@host\"");
        assert_eq!(
            mask_passwords("http://host:80/@x https://user@host"),
            "http://host:80/@x https://user@host"
        );
        assert_eq!(mask_passwords(text).len(), text.len());
        assert!(mask_passwords(text).ends_with("http://a:*@c"));
    }

    use crate::problems::Problem;

    fn located(text: &str, span: Range<usize>) -> Diagnostic {
        let problem = Problem::error(span, "wrong");
        Diagnostics::locate(Path::new("amint.toml"), "recipe", text, &[problem], 0).items.remove(0)
    }

    #[test]
    fn counts_lines_and_columns_from_one_in_characters() {
        let text = "a = 1\r\nname = \"é€x\"\n";
        let item = located(text, 14..21);
        assert_eq!((item.line, item.column, item.end_column), (2, 8, 12));
        assert_eq!(item.text, "\"é€x");
        assert_eq!(item.source_line, "name = \"é€x\"");
    }

    #[test]
    fn ends_a_span_of_several_lines_with_its_first_line() {
        let item = located("a = [\n1]\n", 4..8);
        assert_eq!((item.line, item.column, item.end_column, item.text.as_str()), (1, 5, 6, "["));
    }

    #[test]
    fn points_after_the_last_character_at_the_end_of_the_text() {
        let item = located("a = ", 4..4);
        assert_eq!((item.line, item.column, item.end_column), (1, 5, 5));
        let item = located("a = 1\n", 6..6);
        assert_eq!((item.line, item.column), (2, 1));
    }

    #[test]
    fn widens_spans_to_character_boundaries() {
        let item = located("é", 1..1);
        assert_eq!(item.span, 0..2);
        assert_eq!(located("é", 0..1).span, 0..2);
    }

    #[test]
    fn shows_no_control_characters_to_the_terminal() {
        let item = located("a = \"\u{1b}[31m\u{202e}\"", 4..14);
        assert!(!item.source_line.contains(['\u{1b}', '\u{202e}']), "{}", item.source_line);
        assert!(!item.text.contains('\u{1b}'), "{}", item.text);
    }

    #[test]
    fn shows_the_part_of_a_long_line_that_is_meant() {
        let text = format!("{}wrong{}", "x".repeat(5000), "y".repeat(5000));
        let item = located(&text, 5000..5005);
        assert!(item.source_line.chars().count() <= SOURCE_LINE_CHARS_MAX);
        let start = item.column - item.source_column;
        assert_eq!(&item.source_line[start..start + 5], "wrong");
    }
}
