//! Lengths of time: `30s`, `10min`, `2h`.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Serializer;

use crate::problems::Flaw;

/// Units by name, in seconds; each is the greatest that a duration is written in when it fits.
const UNITS: [(&str, u64); 3] = [("h", 3600), ("min", 60), ("s", 1)];

/// The form of a duration, for JSON Schema.
pub(crate) const PATTERN: &str = "^[1-9][0-9]*(s|min|h)$";

/// Reads a duration of so many seconds.
pub(crate) fn parse(text: &str, seconds: &RangeInclusive<u64>) -> Result<Duration, Flaw> {
    let flaw = || Flaw::new(format!("`{text}` is not a duration"));
    let digits_end = text.find(|character: char| !character.is_ascii_digit()).unwrap_or(text.len());
    let (digits, unit) = text.split_at(digits_end);
    let number = digits.parse::<u64>().ok().filter(|_| !digits.starts_with('0') || digits == "0");
    let Some(number) = number else {
        return Err(flaw().hint("write one such as `30s`, `10min` or `2h`"));
    };
    let Some((_, unit_seconds)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        let meant = match unit.trim() {
            "m" | "mins" | "minute" | "minutes" | "min" => "min",
            "hour" | "hours" | "hr" | "h" => "h",
            "" | "sec" | "secs" | "second" | "seconds" | "s" => "s",
            _ => return Err(flaw().hint("the units are `s`, `min` and `h`")),
        };
        return Err(flaw().hint(format!("write `{number}{meant}`")));
    };
    let total = number.checked_mul(*unit_seconds).filter(|total| seconds.contains(total));
    total.map(Duration::from_secs).ok_or_else(|| {
        let (shortest, longest) =
            (Duration::from_secs(*seconds.start()), Duration::from_secs(*seconds.end()));
        Flaw::new(format!("`{text}` does not lie between {} and {}", written(shortest), written(longest)))
    })
}

/// Writes a duration in the recipe's form.
pub(crate) fn written(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let fitting = UNITS.iter().find(|(_, unit_seconds)| seconds.is_multiple_of(*unit_seconds));
    let (name, unit_seconds) = fitting.copied().unwrap_or(("s", 1));
    format!("{}{name}", seconds / unit_seconds)
}

/// Serialises a duration in the recipe's form.
pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(*duration))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: RangeInclusive<u64> = 1..=86_400;

    #[test]
    fn reads_and_writes_the_same_form() {
        for (text, seconds) in [("1s", 1), ("90s", 90), ("10min", 600), ("24h", 86_400)] {
            assert_eq!(parse(text, &DAY).unwrap(), Duration::from_secs(seconds));
            assert_eq!(written(Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn tells_the_right_form_of_other_spellings() {
        let hint = |text| parse(text, &DAY).unwrap_err().hint.unwrap();
        assert_eq!(hint("10m"), "write `10min`");
        assert_eq!(hint("10 min"), "write `10min`");
        assert_eq!(hint("45"), "write `45s`");
        assert_eq!(hint("3 days"), "the units are `s`, `min` and `h`");
    }

    #[test]
    fn refuses_durations_out_of_bounds() {
        for text in ["0s", "25h", "18446744073709551615h", "99999999999999999999s", "-1s", "", "1.5h", "010s"]
        {
            assert!(parse(text, &DAY).is_err(), "{text:?}");
        }
    }
}
