//! Versions of Debian packages and their order (`deb-version(7)`; Debian policy, section 5.6.12).
//!
//! A version is `[epoch:]upstream[-revision]`. As `dpkg --compare-versions` does, two texts are the same version when
//! neither sorts first: `1.0`, `0:1.0`, `1.00` and `1.0-0` are equal. Who needs the very text compares
//! [`Version::as_str`]; for the same reason there is no `Hash`.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// Longest text of a version; the longest of Debian's archive has some 100 characters.
const VERSION_BYTES_MAX: usize = 1024;

/// A version of a Debian package.
#[derive(Clone)]
pub struct Version {
    text: Box<str>,
}

/// The text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a version: {reason}")]
pub struct ParseVersionError {
    text: String,
    reason: &'static str,
}

impl Version {
    /// Returns the text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns the epoch, 0 if none is written.
    pub fn epoch(&self) -> u32 {
        split(&self.text).0
    }

    /// Returns what the authors call the version, without epoch and revision.
    pub fn upstream(&self) -> &str {
        split(&self.text).1
    }

    /// Returns the revision of the Debian package, empty if none is written.
    pub fn revision(&self) -> &str {
        split(&self.text).2
    }
}

/// Compares two texts that are known to be versions.
pub(crate) fn compare(left: &str, right: &str) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    let (left, right) = (split(left), split(right));
    left.0
        .cmp(&right.0)
        .then_with(|| compare_part(left.1.as_bytes(), right.1.as_bytes()))
        .then_with(|| compare_part(left.2.as_bytes(), right.2.as_bytes()))
}

/// Checks the text of a version as `dpkg` does, which lets pass what does not begin with a digit.
pub(crate) fn check(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.len() > VERSION_BYTES_MAX {
        return Err("it is too long");
    }
    let bytes = text.as_bytes();
    let (mut start, mut hyphen) = (0, None);
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b':' if start == 0 => {
                check_epoch(&text[..index])?;
                start = index + 1;
            }
            b'-' => hyphen = Some(index),
            byte if byte.is_ascii_alphanumeric() || b"+._~:".contains(byte) => {}
            _ => return Err("only letters, digits and `. + - ~ : _` are allowed"),
        }
    }
    if hyphen.unwrap_or(bytes.len()) <= start {
        return Err("nothing is before the revision");
    }
    if hyphen.is_some_and(|hyphen| hyphen + 1 == bytes.len()) {
        return Err("nothing is after the last hyphen");
    }
    Ok(())
}

fn check_epoch(epoch: &str) -> Result<(), &'static str> {
    if epoch.is_empty() || !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("what is before the colon is not a number");
    }
    if epoch.parse::<i32>().is_err() {
        return Err("the number before the colon is too large");
    }
    Ok(())
}

/// Returns epoch, upstream version and revision of a text that was checked.
fn split(text: &str) -> (u32, &str, &str) {
    let (epoch, rest) = match text.split_once(':') {
        Some((epoch, rest)) => (epoch.parse().unwrap_or(0), rest),
        None => (0, text),
    };
    let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
    (epoch, upstream, revision)
}

/// Compares runs of other characters and of digits in turn.
fn compare_part(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        loop {
            let (one, other) = (weight(left.first()), weight(right.first()));
            if one == 0 && other == 0 {
                break;
            }
            if one != other {
                return one.cmp(&other);
            }
            (left, right) = (rest(left), rest(right));
        }
        let (one, other);
        (one, left) = take_number(left);
        (other, right) = take_number(right);
        let order = one.len().cmp(&other.len()).then_with(|| one.cmp(other));
        if order.is_ne() {
            return order;
        }
    }
    Ordering::Equal
}

/// Returns where a character sorts: `~` before the end, the end and digits, letters, all others.
fn weight(byte: Option<&u8>) -> i32 {
    match byte {
        None => 0,
        Some(byte) if byte.is_ascii_digit() => 0,
        Some(b'~') => -1,
        Some(byte) if byte.is_ascii_alphabetic() => i32::from(*byte),
        Some(byte) => i32::from(*byte) + 256,
    }
}

fn rest(bytes: &[u8]) -> &[u8] {
    bytes.get(1..).unwrap_or_default()
}

/// Splits the digits from the start, without the zeros before them.
fn take_number(bytes: &[u8]) -> (&[u8], &[u8]) {
    let zero_count = bytes.iter().take_while(|byte| **byte == b'0').count();
    let bytes = &bytes[zero_count..];
    bytes.split_at(bytes.iter().take_while(|byte| byte.is_ascii_digit()).count())
}

impl FromStr for Version {
    type Err = ParseVersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        match check(text) {
            Ok(()) => Ok(Self { text: text.into() }),
            Err(reason) => {
                let text = text.chars().take(100).collect();
                Err(ParseVersionError { text, reason })
            }
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(&self.text)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Version({})", self.text)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.text, &other.text)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests;
