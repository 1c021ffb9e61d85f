//! Python: <https://packaging.python.org/en/latest/specifications/version-specifiers/>.

use std::cmp::Ordering;

use super::number::{compare_digits, compare_padded, is_number, is_zero, take_while};

struct Version {
    epoch: String,
    release: Vec<String>,
    /// `a`, `b` or `rc`, and its number.
    pre: Option<(u8, String)>,
    post: Option<String>,
    dev: Option<String>,
    local: Vec<String>,
}

/// Compares; texts that are no versions are before all others, by their bytes.
pub(super) fn compare(left: &str, right: &str) -> Ordering {
    match (parse(left), parse(right)) {
        (Some(left), Some(right)) => left.compare(&right),
        (Some(_), None) => Ordering::Greater,
        (None, Some(_)) => Ordering::Less,
        (None, None) => left.cmp(right),
    }
}

impl Version {
    fn compare(&self, other: &Self) -> Ordering {
        let release = |version: &Self| -> Vec<String> { version.release.clone() };
        let (left, right) = (release(self), release(other));
        let left: Vec<&str> = left.iter().map(String::as_str).collect();
        let right: Vec<&str> = right.iter().map(String::as_str).collect();
        compare_digits(&self.epoch, &other.epoch)
            .then_with(|| compare_padded(&left, &right, "0", compare_digits))
            .then_with(|| {
                let (left, right) = (self.pre_key(), other.pre_key());
                left.0.cmp(&right.0).then_with(|| compare_digits(left.1, right.1))
            })
            .then_with(|| compare_optional(self.post.as_deref(), other.post.as_deref()))
            // A version without `.dev` is after all of those with it.
            .then_with(|| match (&self.dev, &other.dev) {
                (Some(left), Some(right)) => compare_digits(left, right),
                (left, right) => left.is_none().cmp(&right.is_none()),
            })
            .then_with(|| compare_local(&self.local, &other.local))
    }

    /// `1.0.dev1` is before `1.0a1`, and that before `1.0`.
    fn pre_key(&self) -> (u8, &str) {
        match &self.pre {
            Some((kind, number)) => (kind + 1, number),
            None if self.post.is_none() && self.dev.is_some() => (0, ""),
            None => (u8::MAX, ""),
        }
    }
}

fn compare_optional(left: Option<&str>, right: Option<&str>) -> Ordering {
    match (left, right) {
        (Some(left), Some(right)) => compare_digits(left, right),
        (left, right) => left.is_some().cmp(&right.is_some()),
    }
}

/// Numbers are after words, and more parts after fewer.
fn compare_local(left: &[String], right: &[String]) -> Ordering {
    let left: Vec<Option<&str>> = left.iter().map(|part| Some(part.as_str())).collect();
    let right: Vec<Option<&str>> = right.iter().map(|part| Some(part.as_str())).collect();
    compare_padded(&left, &right, None, |left, right| match (left, right) {
        (Some(left), Some(right)) => match (is_number(left), is_number(right)) {
            (true, true) => compare_digits(left, right),
            (false, false) => left.cmp(right),
            (left, right) => left.cmp(&right),
        },
        (left, right) => left.is_some().cmp(&right.is_some()),
    })
}

fn parse(text: &str) -> Option<Version> {
    let text = text.trim().to_ascii_lowercase();
    let text = text.strip_prefix('v').unwrap_or(&text);
    let (text, local) = match text.split_once('+') {
        Some((text, local)) => (text, local.split(['.', '-', '_']).map(str::to_owned).collect()),
        None => (text, Vec::new()),
    };
    let is_word = |part: &String| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if !local.iter().all(is_word) {
        return None;
    }
    let (epoch, mut rest) = match text.split_once('!') {
        Some((epoch, rest)) if is_number(epoch) => (epoch, rest),
        Some(_) => return None,
        None => ("", text),
    };
    let mut release = Vec::new();
    loop {
        let (digits, after) = take_while(rest, |byte| byte.is_ascii_digit());
        if digits.is_empty() {
            return None;
        }
        release.push(digits.to_owned());
        rest = after;
        match after.strip_prefix('.') {
            Some(next) if next.starts_with(|character: char| character.is_ascii_digit()) => rest = next,
            _ => break,
        }
    }
    while release.len() > 1 && release.last().is_some_and(|digits| is_zero(digits)) {
        release.pop();
    }
    let mut version = Version { epoch: epoch.to_owned(), release, pre: None, post: None, dev: None, local };
    suffixes(rest, &mut version)?;
    Some(version)
}

/// Reads pre, post and dev in this order, with the spellings that the specification allows.
fn suffixes(mut rest: &str, version: &mut Version) -> Option<()> {
    const PRE: [(&str, u8); 8] =
        [("alpha", 0), ("beta", 1), ("preview", 2), ("pre", 2), ("rc", 2), ("a", 0), ("b", 1), ("c", 2)];
    for (word, kind) in PRE {
        if let Some((number, after)) = suffix(rest, word) {
            version.pre = Some((kind, number.to_owned()));
            rest = after;
            break;
        }
    }
    if let Some((number, after)) = ["post", "rev", "r"].into_iter().find_map(|word| suffix(rest, word)) {
        version.post = Some(number.to_owned());
        rest = after;
    } else if let Some(after) = rest.strip_prefix('-') {
        let (digits, after) = take_while(after, |byte| byte.is_ascii_digit());
        if !digits.is_empty() {
            version.post = Some(digits.to_owned());
            rest = after;
        }
    }
    if let Some((number, after)) = suffix(rest, "dev") {
        version.dev = Some(number.to_owned());
        rest = after;
    }
    rest.is_empty().then_some(())
}

/// Reads `[separator]word[separator][number]`.
fn suffix<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str)> {
    let rest = text.strip_prefix(['.', '-', '_']).unwrap_or(text).strip_prefix(word)?;
    let after = rest.strip_prefix(['.', '-', '_']).unwrap_or(rest);
    let (digits, after) = take_while(after, |byte| byte.is_ascii_digit());
    if !digits.is_empty() {
        return Some((digits, after));
    }
    // Another word begins here, not the number of this one.
    (!rest.starts_with(|character: char| character.is_ascii_alphabetic())).then_some(("0", rest))
}
