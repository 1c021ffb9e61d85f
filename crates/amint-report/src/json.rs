//! The report model itself, as JSON.

use std::fmt::Write as _;

use amint_types::report::BuildReport;
use serde::Serialize;

use crate::text::is_hidden;

/// Writes a report as indented JSON, with a line end.
///
/// # Panics
/// Never: every key of the model is a string, so it always has a JSON form.
pub fn json(report: &BuildReport) -> String {
    indented(report)
}

/// Writes a value as indented JSON, with a line end.
///
/// Characters that hide or turn other text are written as escapes: the value stays what it is, and who prints the
/// file to a terminal or opens it in an editor sees them. They stand nowhere but inside strings.
pub(crate) fn indented<T: Serialize>(value: &T) -> String {
    let text = serde_json::to_string_pretty(value).expect("every key of the report models is a string");
    let is_escaped = |character: char| character != '\n' && is_hidden(character);
    let mut output = String::with_capacity(text.len() + 1);
    let mut units = [0; 2];
    for character in text.chars() {
        if is_escaped(character) {
            for unit in character.encode_utf16(&mut units) {
                write!(output, "\\u{unit:04x}").expect("writing to memory cannot fail");
            }
        } else {
            output.push(character);
        }
    }
    output.push('\n');
    output
}
