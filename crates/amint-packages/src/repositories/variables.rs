//! Variables in addresses of dnf, yum and zypper (`dnf.conf(5)`, "Repo variables").

use std::collections::BTreeMap;

use crate::bytes::{cut, text};

/// Longest text that comes out of filling in.
const EXPANDED_BYTES_MAX: usize = 4 * 1024;
/// Longest value of a variable.
const VALUE_BYTES_MAX: usize = 1024;
/// How deep defaults of variables may hold variables themselves.
const DEPTH_MAX: u32 = 8;

/// What variables stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variables {
    values: BTreeMap<String, String>,
}

/// Returns `basearch` for a machine: `x86_64`, `aarch64`, `i386`.
pub fn base_architecture(machine: &str) -> &str {
    match machine {
        "amd64" => "x86_64",
        "arm64" => "aarch64",
        "i486" | "i586" | "i686" | "athlon" | "geode" => "i386",
        "armv7hl" | "armv7hnl" | "armv8hl" => "armhfp",
        other => other,
    }
}

impl Variables {
    /// Begins with what dnf knows by itself: the release of the system and its architecture. What an image has below
    /// `/etc/dnf/vars` or `/etc/yum/vars` goes before, so add that with [`insert_file`](Self::insert_file).
    pub fn of_system(release: &str, machine: &str) -> Self {
        let mut variables = Self::default();
        variables.insert("releasever", release);
        variables.insert("arch", machine);
        variables.insert("basearch", base_architecture(machine));
        variables
    }

    /// Sets a variable; of a value that is unreasonably long only the first KiB is kept.
    pub fn insert(&mut self, name: &str, value: &str) {
        self.values.insert(name.to_owned(), cut(value, VALUE_BYTES_MAX).to_owned());
    }

    /// Sets a variable by its file: the name is that of the file, the value its first line.
    pub fn insert_file(&mut self, name: &str, content: &[u8]) {
        let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
        self.insert(name, text(line).trim());
    }

    /// Returns what a variable stands for.
    pub fn get(&self, name: &str) -> Option<&str> {
        if let Some(value) = self.values.get(name) {
            return Some(value);
        }
        let (major, minor) = {
            let release = self.values.get("releasever")?;
            release.split_once('.').unwrap_or((release, ""))
        };
        match name {
            "releasever_major" => Some(major),
            "releasever_minor" => Some(minor),
            _ => None,
        }
    }

    /// Fills in `$name`, `${name}`, `${name:-otherwise}` and `${name:+instead}`. What is not known stays as it is.
    pub fn expand(&self, text: &str) -> String {
        let mut expanded = String::new();
        self.expand_into(text, &mut expanded, 0);
        expanded
    }

    fn expand_into(&self, mut rest: &str, expanded: &mut String, depth: u32) {
        while let Some(at) = rest.find('$') {
            if expanded.len() > EXPANDED_BYTES_MAX {
                return;
            }
            let (before, from) = rest.split_at(at);
            expanded.push_str(before);
            rest = match from.strip_prefix("${").and_then(split_braces) {
                Some((inner, behind)) => {
                    self.expand_braces(inner, expanded, depth);
                    behind
                }
                None => self.expand_plain(from, expanded),
            };
        }
        expanded.push_str(rest);
    }

    /// Fills in what begins with `$` and a name; returns what follows.
    fn expand_plain<'a>(&self, from: &'a str, expanded: &mut String) -> &'a str {
        let (name, behind) = split_name(from.get(1..).unwrap_or_default());
        if let Some(value) = self.get(name) {
            expanded.push_str(value);
        } else {
            expanded.push('$');
            expanded.push_str(name);
        }
        behind
    }

    fn expand_braces(&self, inner: &str, expanded: &mut String, depth: u32) {
        let (name, operation) = split_name(inner);
        let value = self.get(name);
        match (operation.get(..2), operation.get(2..)) {
            (Some(":-"), Some(word)) if depth < DEPTH_MAX => match value.filter(|value| !value.is_empty()) {
                Some(value) => expanded.push_str(value),
                None => self.expand_into(word, expanded, depth + 1),
            },
            (Some(":+"), Some(word)) if depth < DEPTH_MAX => {
                if value.is_some_and(|value| !value.is_empty()) {
                    self.expand_into(word, expanded, depth + 1);
                }
            }
            _ => {
                if let Some(value) = value.filter(|_| operation.is_empty()) {
                    expanded.push_str(value);
                } else {
                    expanded.push_str("${");
                    expanded.push_str(inner);
                    expanded.push('}');
                }
            }
        }
    }
}

fn split_name(text: &str) -> (&str, &str) {
    let is_end = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    text.split_at(text.find(is_end).unwrap_or(text.len()))
}

/// Splits what is between braces from what follows, by the brace that closes the first.
fn split_braces(text: &str) -> Option<(&str, &str)> {
    let mut depth = 1_u32;
    for (index, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some((text.get(..index)?, text.get(index + 1..)?));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fills_in_variables() {
        let mut variables = Variables::of_system("9.4", "i686");
        variables.insert_file("awsregion", b"eu-west-1\nrest\n");
        variables.insert("empty", "");
        for (text, wanted) in [
            ("https://x/$releasever/$basearch/", "https://x/9.4/i386/"),
            ("https://x.${awsregion}.y", "https://x.eu-west-1.y"),
            ("$releasever_major-$releasever_minor", "9-4"),
            ("${none:-a$basearch}", "ai386"),
            ("${empty:-${none:-b}}", "b"),
            ("${awsregion:+in-$awsregion}${none:+no}", "in-eu-west-1"),
            ("$unknown ${unknown} $ ${open", "$unknown ${unknown} $ ${open"),
        ] {
            assert_eq!(variables.expand(text), wanted, "{text}");
        }
        variables.insert_file("releasever", b"latest\n");
        assert_eq!(variables.expand("$releasever"), "latest");
    }

    #[test]
    fn what_grows_without_end_is_cut_off() {
        let mut variables = Variables::default();
        variables.insert("a", &"x".repeat(10_000));
        assert!(variables.expand(&"$a".repeat(100_000)).len() < 2 * EXPANDED_BYTES_MAX);
        let deep = "${n:-".repeat(1000) + &"}".repeat(1000);
        assert!(variables.expand(&deep).len() <= deep.len());
    }
}
