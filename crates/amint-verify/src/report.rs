//! Telling how it ended.

use std::fmt::Write;

use crate::run::Outcome;

/// The exit code of a wrong command line.
pub(crate) const USAGE: u8 = 2;

/// Returns the text and the exit code of an outcome.
pub(crate) fn report(outcome: &Outcome, is_json: bool) -> (String, u8) {
    match outcome {
        Outcome::Verified(verified) => {
            let document = &verified.document;
            let facts = [
                ("instance", &document.instance_id),
                ("account", &document.account_id),
                ("region", &document.region),
                ("image", &document.image_id),
                ("pending_time", &document.pending_time_text),
                ("certificate", &verified.certificate.serial),
            ];
            let codes = &document.marketplace_product_codes;
            let form = verified.form.as_str();
            if !is_json {
                let mut text = "verified\n".to_owned();
                for (name, value) in facts {
                    let _ = writeln!(text, "{name}: {}", one_line(value));
                }
                let _ = writeln!(text, "product_codes: {}\nform: {form}", one_line(&codes.join(" ")));
                return (text, 0);
            }
            let mut text = "{\"verified\":true".to_owned();
            for (name, value) in facts {
                let _ = write!(text, ",\"{name}\":{}", quoted(value));
            }
            let codes: Vec<String> = codes.iter().map(|code| quoted(code)).collect();
            let expired = verified.is_certificate_expired;
            let _ = writeln!(
                text,
                ",\"product_codes\":[{}],\"form\":\"{form}\",\"certificate_expired\":{expired}}}",
                codes.join(",")
            );
            (text, 0)
        }
        Outcome::Refused(refusal) => {
            let code = if refusal.is_unreadable() { 3 } else { 1 };
            (
                negative(
                    "refused",
                    refusal.name(),
                    &refusal.to_string(),
                    Some(refusal.explanation()),
                    is_json,
                ),
                code,
            )
        }
        Outcome::Unreadable(reason, text) => (negative("unreadable", reason, text, None, is_json), 3),
        Outcome::NotOnEc2(reason, text, hint) => (negative("unproven", reason, text, *hint, is_json), 7),
    }
}

fn negative(kind: &str, reason: &str, text: &str, hint: Option<&str>, is_json: bool) -> String {
    if is_json {
        let hint = hint.map_or("null".to_owned(), quoted);
        return format!(
            "{{\"verified\":false,\"kind\":\"{kind}\",\"reason\":\"{reason}\",\"text\":{},\"hint\":{hint}}}\n",
            quoted(text)
        );
    }
    let hint = hint.map_or(String::new(), |hint| format!("hint: {}\n", one_line(hint)));
    format!("{kind}: {reason}\n{}\n{hint}", one_line(text))
}

/// Keeps outside text from writing lines of its own.
fn one_line(text: &str) -> String {
    text.chars().map(|character| if character.is_control() { '\u{fffd}' } else { character }).collect()
}

/// Writes a JSON string (RFC 8259, 7).
fn quoted(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            _ if character.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(character));
            }
            _ => quoted.push(character),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outside_text_cannot_write_a_line_or_a_field() {
        let outcome = Outcome::Unreadable("file", "a\nverified\n\"}".to_owned());
        let (text, code) = report(&outcome, false);
        assert_eq!((text.lines().count(), code), (2, 3));
        let (text, _) = report(&outcome, true);
        assert!(text.contains("\"a\\u000averified\\u000a\\\"}\""), "{text}");
    }
}
