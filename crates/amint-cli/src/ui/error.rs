//! Errors as people read them.

use std::error::Error;

use amint_report::printable_line;

use super::palette::Palette;

/// Most causes that are shown: a chain that long has a loop in it.
const CAUSES_MAX: usize = 32;

/// Writes an error, its causes and what to try, each on its own line:
///
/// ```text
/// error: failed to publish `web-2026.11`
///   caused by: failed to register image in `eu-west-1`
/// hint: the snapshot was deleted; run `amint publish --resume`
/// ```
///
/// A cause whose text the line above already ends with is left out: errors of foreign crates often repeat
/// their source.
pub(crate) fn error(error: &dyn Error, hint: Option<&str>, palette: Palette) -> String {
    let mut text = String::new();
    let mut said = error.to_string();
    push(&mut text, &palette.red("error:"), 0, &said);
    let mut source = error.source();
    for _ in 0..CAUSES_MAX {
        let Some(cause) = source else { break };
        let words = cause.to_string();
        if !words.is_empty() && !said.ends_with(&words) {
            push(&mut text, &palette.bold("caused by:"), 2, &words);
            said = words;
        }
        source = cause.source();
    }
    if let Some(hint) = hint {
        push(&mut text, &palette.cyan("hint:"), 0, hint);
    }
    text
}

/// Adds a message; further lines of it are indented below its head.
fn push(text: &mut String, head: &str, indent: usize, message: &str) {
    text.push_str(&" ".repeat(indent));
    text.push_str(head);
    for (index, line) in message.trim_end().lines().enumerate() {
        if index == 0 {
            text.push(' ');
        } else {
            text.push('\n');
            text.push_str(&" ".repeat(indent + 4));
        }
        text.push_str(&printable_line(line));
    }
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Chain {
        text: &'static str,
        source: Option<Box<Chain>>,
    }

    fn chain(texts: &[&'static str]) -> Chain {
        let (text, rest) = texts.split_first().unwrap();
        Chain { text, source: (!rest.is_empty()).then(|| Box::new(chain(rest))) }
    }

    #[test]
    fn shows_the_chain_and_the_hint() {
        let failed =
            chain(&["failed to publish `web`", "failed to register image", "InvalidSnapshot.NotFound"]);
        assert_eq!(
            error(&failed, Some("run `amint publish --resume`"), Palette::PLAIN),
            "error: failed to publish `web`\n  caused by: failed to register image\n  \
             caused by: InvalidSnapshot.NotFound\nhint: run `amint publish --resume`\n"
        );
    }

    #[test]
    fn says_nothing_twice() {
        let failed = chain(&["cannot read `x`: not found", "not found", "not found", "os error 2"]);
        assert_eq!(
            error(&failed, None, Palette::PLAIN),
            "error: cannot read `x`: not found\n  caused by: os error 2\n"
        );
    }

    #[test]
    fn keeps_control_characters_of_foreign_text_from_the_terminal() {
        let failed = chain(&["mke2fs said:\n\u{1b}[31mbad\u{1b}[0m superblock\u{7}"]);
        assert_eq!(error(&failed, None, Palette::PLAIN), "error: mke2fs said:\n    bad superblock␇\n");
        let coloured = Palette { is_coloured: true, is_unicode: true };
        assert!(error(&failed, None, coloured).starts_with("\u{1b}[1;31merror:\u{1b}[0m mke2fs"));
    }
}
