//! Mistakes in a recipe, shown at their place.

use std::ops::Range;

use amint_report::printable_line;
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::palette::Palette;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// Where, in bytes of the text.
    pub(crate) span: Range<usize>,
    /// What is wrong, as a lower-case fragment.
    pub(crate) message: String,
    /// What to try.
    pub(crate) hint: Option<String>,
    /// Whether the recipe is usable all the same.
    pub(crate) is_warning: bool,
}

/// Writes each diagnostic with the lines of `text` that it is about, in the manner of rustc.
pub(crate) fn diagnostics(path: &str, text: &str, list: &[Diagnostic], palette: Palette) -> String {
    let renderer = if palette.is_coloured { Renderer::styled() } else { Renderer::plain() };
    let decor = if palette.is_unicode { DecorStyle::Unicode } else { DecorStyle::Ascii };
    let renderer = renderer.decor_style(decor);
    let path = printable_line(path);
    let mut output = String::new();
    for diagnostic in list {
        let level = if diagnostic.is_warning { Level::WARNING } else { Level::ERROR };
        let snippet = Snippet::source(text)
            .path(path.as_str())
            .annotation(AnnotationKind::Primary.span(inside(text, &diagnostic.span)));
        let mut group: Group<'_> = level.primary_title(printable_line(&diagnostic.message)).element(snippet);
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.with_name("hint").message(printable_line(hint)));
        }
        output.push_str(&renderer.render(&[group]));
        output.push_str("\n\n");
    }
    output.truncate(output.trim_end().len());
    output.push('\n');
    output
}

/// Moves a span that leaves the text, or cuts a character, to one that can be shown.
fn inside(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(span.start);
    let end = text.ceil_char_boundary(span.end.min(text.len()));
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "[image]\nname = \"Wéb\"\nversion = \"1.4.0\"\n";

    fn diagnostic(span: Range<usize>) -> Diagnostic {
        Diagnostic {
            span,
            message: "only lower-case letters are allowed".to_owned(),
            hint: Some("write `web`".to_owned()),
            is_warning: false,
        }
    }

    #[test]
    fn points_at_the_place_and_gives_the_hint() {
        let start = TEXT.find("\"W").unwrap();
        let shown = diagnostics("amint.toml", TEXT, &[diagnostic(start..start + 6)], Palette::PLAIN);
        assert_eq!(
            shown,
            "error: only lower-case letters are allowed\n --> amint.toml:2:8\n  |\n2 | name = \"Wéb\"\n  |        \
             ^^^^^\n  |\n  = hint: write `web`\n"
        );
    }

    #[test]
    fn shows_every_diagnostic_and_tells_warnings_apart() {
        let warning = Diagnostic { is_warning: true, hint: None, ..diagnostic(21..28) };
        let shown = diagnostics("amint.toml", TEXT, &[diagnostic(0..7), warning], Palette::PLAIN);
        assert_eq!(shown.matches("error: ").count(), 1);
        assert_eq!(shown.matches("warning: ").count(), 1);
    }

    #[test]
    fn survives_spans_that_do_not_fit_the_text() {
        let length = TEXT.len();
        let accent = TEXT.find('é').unwrap();
        let backwards = Range { start: 9, end: 3 };
        for span in [length..length, length + 5..length + 9, 0..usize::MAX, accent + 1..accent + 1, backwards]
        {
            assert!(diagnostics("amint.toml", TEXT, &[diagnostic(span)], Palette::PLAIN).contains("error: "));
        }
        assert!(diagnostics("amint.toml", "", &[diagnostic(0..1)], Palette::PLAIN).contains("error: "));
    }
}
