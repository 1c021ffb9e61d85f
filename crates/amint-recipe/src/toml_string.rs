//! Writing strings of TOML.

use std::fmt::Write as _;

/// Writes any text as a basic string of TOML, quotes included.
pub fn toml_string(text: &str) -> String {
    let mut output = String::with_capacity(text.len() + 2);
    output.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => output.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(output, "\\u{:04X}", u32::from(control));
            }
            other => output.push(other),
        }
    }
    output.push('"');
    output
}
