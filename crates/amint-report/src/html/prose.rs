//! Sentences of rules and checks: `literals` between backticks are set as code.

use std::fmt;

use askama::filters::{Html, HtmlSafe, escape};

/// Text that renders as escaped HTML, with what stands between two backticks of one line as `<code>`.
#[derive(Clone, Copy)]
pub(crate) struct Prose<'a>(pub(crate) &'a str);

impl fmt::Display for Prose<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((before, literal, after)) = next_literal(rest) {
            write_escaped(formatter, before)?;
            formatter.write_str("<code>")?;
            write_escaped(formatter, literal)?;
            formatter.write_str("</code>")?;
            rest = after;
        }
        write_escaped(formatter, rest)
    }
}

/// `Display` above escapes every piece of the text itself.
impl HtmlSafe for Prose<'_> {}

fn next_literal(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('`')?;
    let (literal, after) = rest.split_once('`')?;
    (!literal.is_empty() && !literal.contains('\n')).then_some((before, literal, after))
}

fn write_escaped(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let Ok(escaped) = escape(text, Html);
    write!(formatter, "{escaped}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_literals_as_code_and_escapes_inside_and_outside() {
        let text = Prose("<b> `a<b` & `c` tail ` end").to_string();
        assert_eq!(text, "&#60;b&#62; <code>a&#60;b</code> &#38; <code>c</code> tail ` end");
        assert_eq!(Prose("`` empty").to_string(), "`` empty");
    }
}
