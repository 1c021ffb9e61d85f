//! Options that the unit file gives sshd: they come before the configuration file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::config::Place;
use crate::facts::units::{self, Entry};
use crate::{CheckError, Context};

/// Options of sshd that take a value.
const WITH_VALUE: &str = "CEbcfghkopu";

/// What the command line sets.
#[derive(Debug, Default)]
pub(super) struct CommandLine {
    /// Lines in the form of the configuration file.
    pub(super) lines: Vec<(Place, String)>,
    /// The configuration file, when it is not the usual one.
    pub(super) file: Option<PathBuf>,
}

/// Reads the command line of the ssh server's unit.
pub(super) fn load(cx: &Context<'_>) -> Result<CommandLine, CheckError> {
    for name in ["ssh.service", "sshd.service"] {
        if let Some(unit) = units::load(cx, name)? {
            let variables = environment(cx, &unit)?;
            let mut command_line = CommandLine::default();
            for entry in units::values(&unit, "Service", "ExecStart") {
                options(entry, &variables, &mut command_line);
            }
            return Ok(command_line);
        }
    }
    Ok(CommandLine::default())
}

/// Collects the unit's variables; a file beats what the unit itself says.
fn environment(cx: &Context<'_>, unit: &[Entry]) -> Result<BTreeMap<String, String>, CheckError> {
    let mut variables = BTreeMap::new();
    for entry in units::values(unit, "Service", "Environment") {
        for word in words(&entry.value) {
            if let Some((name, value)) = word.split_once('=') {
                variables.insert(name.to_owned(), value.to_owned());
            }
        }
    }
    for entry in units::values(unit, "Service", "EnvironmentFile") {
        let path = entry.value.trim_start_matches('-');
        let text = cx.text(path)?.unwrap_or_default();
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';'])) {
            if let Some((name, value)) = line.split_once('=') {
                let value = words(value).join(" ");
                variables.insert(name.trim().to_owned(), value);
            }
        }
    }
    Ok(variables)
}

fn options(entry: &Entry, variables: &BTreeMap<String, String>, found: &mut CommandLine) {
    let mut arguments = Vec::new();
    for word in words(&entry.value) {
        match word.strip_prefix('$') {
            // A variable that is a word of its own is split; inside a word it is not.
            Some(name) if !name.starts_with('{') => {
                arguments.extend(words(variables.get(name).map_or("", String::as_str)));
            }
            _ => arguments.push(expand(&word, variables)),
        }
    }
    let mut arguments = arguments.into_iter().skip(1);
    while let Some(argument) = arguments.next() {
        let Some(letters) = argument.strip_prefix('-') else { continue };
        for (index, letter) in letters.char_indices() {
            if !WITH_VALUE.contains(letter) {
                continue;
            }
            let joined = &letters[index + letter.len_utf8()..];
            let value = if joined.is_empty() { arguments.next() } else { Some(joined.to_owned()) };
            let place = Place { path: entry.path.clone(), line: entry.line };
            match (letter, value) {
                ('o', Some(value)) => found.lines.push((place, value)),
                ('p', Some(value)) => found.lines.push((place, format!("Port {value}"))),
                ('h', Some(value)) => found.lines.push((place, format!("HostKey \"{value}\""))),
                ('f', Some(value)) => found.file = Some(PathBuf::from(value)),
                _ => {}
            }
            break;
        }
    }
}

fn expand(word: &str, variables: &BTreeMap<String, String>) -> String {
    let mut text = word.to_owned();
    for (name, value) in variables {
        text = text.replace(&format!("${{{name}}}"), value);
    }
    text
}

/// Splits at white space outside quotes, and takes the quotes off.
fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    for letter in text.chars() {
        match (letter, quote) {
            ('"' | '\'', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (closing, Some(open)) if closing == open => quote = None,
            (space, None) if space.is_whitespace() => found.extend(word.take()),
            (other, _) => word.get_or_insert_default().push(other),
        }
    }
    found.extend(word);
    found
}
