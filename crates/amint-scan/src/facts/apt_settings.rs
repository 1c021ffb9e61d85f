//! Settings of apt: `apt.conf(5)`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::{CheckError, Context};

const MAIN: &str = "/etc/apt/apt.conf";
const FOLDER: &str = "/etc/apt/apt.conf.d";
/// The deepest nest of braces that is followed.
const DEPTH_MAX: usize = 64;

/// The value of a setting, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) value: String,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
}

/// All settings: the last file that sets one counts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AptSettings {
    values: BTreeMap<String, Setting>,
}

impl AptSettings {
    /// Reads the folder first and the main file last, as apt does.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut settings = Self::default();
        let mut files: Vec<PathBuf> = Vec::new();
        for entry in cx.list(FOLDER)? {
            let name = entry.name.to_string_lossy();
            let is_proper = |letter: char| letter.is_ascii_alphanumeric() || "_-.".contains(letter);
            // Of names with an ending only those in `.conf` count.
            let is_read = name.chars().all(is_proper)
                && name.rsplit_once('.').is_none_or(|(_, ending)| ending == "conf");
            if is_read
                && cx
                    .metadata_following(Path::new(FOLDER).join(&entry.name))?
                    .is_some_and(|found| found.is_file())
            {
                files.push(Path::new(FOLDER).join(&entry.name));
            }
        }
        files.sort();
        files.push(PathBuf::from(MAIN));
        for path in files {
            settings.add(&cx.text(&path)?.unwrap_or_default(), &path);
        }
        Ok(settings)
    }

    /// Returns a setting by its full name; case does not count.
    pub(crate) fn get(&self, name: &str) -> Option<&Setting> {
        self.values.get(&name.to_ascii_lowercase())
    }

    fn add(&mut self, text: &str, path: &Path) {
        let mut scopes: Vec<String> = Vec::new();
        let mut words: Vec<(String, u32)> = Vec::new();
        for (token, line) in tokens(text) {
            match token {
                Token::Word(word) => words.push((word, line)),
                Token::Open => {
                    let name = words.first().map_or("", |(word, _)| word.as_str());
                    if scopes.len() < DEPTH_MAX {
                        scopes.push(name.to_owned());
                    }
                    words.clear();
                }
                Token::Close => {
                    scopes.pop();
                    words.clear();
                }
                Token::End => self.set(&scopes, &std::mem::take(&mut words), path),
            }
        }
    }

    fn set(&mut self, scopes: &[String], words: &[(String, u32)], path: &Path) {
        let (Some((name, line)), value) = (words.first(), words.get(1)) else { return };
        let full = |name: &str| {
            let parts = scopes.iter().map(String::as_str).chain([name]).filter(|part| !part.is_empty());
            parts.collect::<Vec<_>>().join("::").to_ascii_lowercase()
        };
        if name == "#clear" {
            let cleared = value.map(|(name, _)| full(name)).unwrap_or_default();
            let below = format!("{cleared}::");
            self.values.retain(|key, _| *key != cleared && !key.starts_with(&below));
        } else if let Some((value, _)) = value {
            let setting = Setting { value: value.clone(), path: path.to_owned(), line: *line };
            self.values.insert(full(name), setting);
        }
    }
}

enum Token {
    Word(String),
    Open,
    Close,
    End,
}

/// Splits a file; comments are left out.
fn tokens(text: &str) -> Vec<(Token, u32)> {
    let mut found = Vec::new();
    let mut is_in_comment = false;
    for (line, text) in (1_u32..).zip(text.lines()) {
        let mut rest = text;
        if rest.trim_start().starts_with('#') && !rest.trim_start().starts_with("#clear") {
            continue;
        }
        loop {
            if is_in_comment {
                let Some((_, behind)) = rest.split_once("*/") else { break };
                (rest, is_in_comment) = (behind, false);
            }
            rest = rest.trim_start();
            let Some(first) = rest.chars().next() else { break };
            if rest.starts_with("//") {
                break;
            }
            if let Some(behind) = rest.strip_prefix("/*") {
                (rest, is_in_comment) = (behind, true);
                continue;
            }
            let token = match first {
                '{' => Token::Open,
                '}' => Token::Close,
                ';' => Token::End,
                '"' => {
                    let inner = &rest[1..];
                    let end = inner.find('"').unwrap_or(inner.len());
                    found.push((Token::Word(inner[..end].to_owned()), line));
                    rest = inner.get(end + 1..).unwrap_or_default();
                    continue;
                }
                _ => {
                    let end = rest.find(|letter: char| letter.is_whitespace() || "{};\"".contains(letter));
                    let (word, behind) = rest.split_at(end.unwrap_or(rest.len()));
                    found.push((Token::Word(word.to_owned()), line));
                    rest = behind;
                    continue;
                }
            };
            found.push((token, line));
            rest = &rest[1..];
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    #[test]
    fn the_last_file_wins_and_both_forms_are_one() {
        let fixture = Fixture::new()
            .file("/etc/apt/apt.conf", "acquire::x \"main\";\n")
            .file("/etc/apt/apt.conf.d/10a", "APT { Get { AllowUnauthenticated \"true\"; } };\nAcquire::X \"a\";\n")
            .file("/etc/apt/apt.conf.d/20b.conf", "// APT::Get::Other \"1\";\n# APT::Z \"1\";\n/* A::B \"1\";\n */APT::Get::AllowUnauthenticated \"false\"; A::C \"http://x\";\n")
            .file("/etc/apt/apt.conf.d/30c.disabled", "A::C \"no\";\n");
        fixture.with(|cx| {
            let settings = AptSettings::load(cx).unwrap();
            let value = |name: &str| settings.get(name).map(|setting| setting.value.as_str());
            assert_eq!(value("Acquire::X"), Some("main"));
            assert_eq!(value("apt::get::allowunauthenticated"), Some("false"));
            assert_eq!(value("A::C"), Some("http://x"));
            assert_eq!((value("A::B"), value("APT::Z"), value("APT::Get::Other")), (None, None, None));
            assert_eq!(settings.get("A::C").unwrap().line, 4);
        });
    }

    #[test]
    fn what_is_cleared_is_gone_and_damage_ends() {
        let mut settings = AptSettings::default();
        settings.add("A::B \"1\"; A::B::C \"2\";\n#clear A::B;\n", Path::new("/x"));
        assert_eq!(settings, AptSettings::default());
        for text in ["{{{{", "}}}", "\"open", "/* open", "a { b", "A::\u{e9}\u{1F600}{;"] {
            settings.add(text, Path::new("/x"));
        }
        settings.add(&"a{".repeat(10_000), Path::new("/x"));
    }
}
