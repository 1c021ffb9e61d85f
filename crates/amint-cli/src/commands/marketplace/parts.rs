//! The parts of a check, and how they are told.

use amint_publish::marketplace::Flaw;
use amint_report::printable_line;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;

use crate::context::Context;
use crate::failure::Failure;
use crate::ui::Palette;

/// A part of the check.
#[derive(Serialize)]
pub(super) struct Part {
    #[serde(rename = "part")]
    pub(super) name: &'static str,
    pub(super) flaws: Vec<Flaw>,
    /// Why it could not be checked, or not all of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unchecked: Option<String>,
}

impl Part {
    pub(super) fn of(name: &'static str, flaws: Vec<Flaw>) -> Self {
        Self { name, flaws, unchecked: None }
    }

    pub(super) fn unchecked(name: &'static str, why: impl Into<String>) -> Self {
        Self { name, flaws: Vec::new(), unchecked: Some(why.into()) }
    }

    pub(super) fn is_refused(&self) -> bool {
        self.flaws.iter().any(|flaw| flaw.is_refused)
    }
}

/// Tells the parts; `scanned_at` is when the image was looked into.
pub(super) fn tell(
    subject: &str,
    scanned_at: Timestamp,
    parts: &[Part],
    context: &Context,
) -> Result<(), Failure> {
    if context.global.json {
        let told = json!({ "image": subject, "scanned_at": scanned_at, "parts": parts });
        return context.print_json(&told);
    }
    context.print(&text(parts, Palette::for_stdout()));
    Ok(())
}

pub(super) fn text(parts: &[Part], palette: Palette) -> String {
    let mut text = String::new();
    for part in parts {
        let (mark, words) = match &part.unchecked {
            Some(why) if part.is_refused() => {
                (palette.red(palette.cross()), format!("not all checked: {}", printable_line(why)))
            }
            Some(why) => (palette.yellow("?"), format!("not checked: {}", printable_line(why))),
            None if part.is_refused() => (palette.red(palette.cross()), String::new()),
            None => {
                (palette.green(palette.tick()), if part.flaws.is_empty() { "fine" } else { "" }.to_owned())
            }
        };
        text.push_str(format!("{mark} {:<8} {words}", part.name).trim_end());
        text.push('\n');
        for flaw in &part.flaws {
            let word = if flaw.is_refused { palette.red("refused:") } else { palette.yellow("note:") };
            text.push_str(&format_flaw(&word, flaw, palette));
        }
    }
    text
}

fn format_flaw(word: &str, flaw: &Flaw, palette: Palette) -> String {
    let message = printable_line(&flaw.message);
    let hint = format!("      {} {}\n", palette.cyan("hint:"), printable_line(&flaw.hint));
    let page = flaw.page.map(|page| format!("      {} {page}\n", palette.cyan("see:"))).unwrap_or_default();
    format!("    {word} {message} ({})\n{hint}{page}", flaw.code)
}
