//! Reading the files of a service into one list of modules.

use std::path::{Path, PathBuf};

use super::Kind;
use super::control::Control;
use crate::{CheckError, Context};

/// Where services are, most important first.
const FOLDERS: [&str; 4] = ["/etc/pam.d", "/usr/lib/pam.d", "/usr/etc/pam.d", "/usr/share/pam.d"];
const SINGLE: &str = "/etc/pam.conf";
/// How deep files may include each other: libpam's own limit is 32.
const DEPTH_MAX: u32 = 32;
/// How many lines are read for one stack.
const LINES_MAX: usize = 5000;

/// One line that calls a module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) control: Control,
    pub(crate) module: String,
    pub(crate) arguments: Vec<String>,
    pub(crate) path: PathBuf,
    pub(crate) line: u32,
    /// The line as it stands.
    pub(crate) text: String,
}

/// One element of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Item {
    /// A module.
    Module(Entry),
    /// A stack of its own: what ends it does not end what is around it.
    Substack(Vec<Item>),
}

impl Item {
    /// Returns all modules in it.
    pub(crate) fn entries(&self) -> Vec<&Entry> {
        match self {
            Self::Module(entry) => vec![entry],
            Self::Substack(items) => items.iter().flat_map(Self::entries).collect(),
        }
    }
}

/// Reads the stack of a service; one without lines of the kind has those of `other`.
pub(crate) fn stack(cx: &Context<'_>, service: &str, kind: Kind) -> Result<Vec<Item>, CheckError> {
    let mut reader = Reader { cx, kind, lines: 0 };
    let items = reader.service(service, 0)?;
    if items.is_empty() && service != "other" { reader.service("other", 0) } else { Ok(items) }
}

struct Reader<'cx, 'scan> {
    cx: &'cx Context<'scan>,
    kind: Kind,
    lines: usize,
}

impl Reader<'_, '_> {
    fn service(&mut self, name: &str, depth: u32) -> Result<Vec<Item>, CheckError> {
        if name.starts_with('/') {
            return self.file(Path::new(name), None, depth);
        }
        for folder in FOLDERS {
            let path = Path::new(folder).join(name);
            if self.cx.exists(&path)? {
                return self.file(&path, None, depth);
            }
        }
        if self.cx.metadata(FOLDERS[0])?.is_none() {
            return self.file(Path::new(SINGLE), Some(name), depth);
        }
        Ok(Vec::new())
    }

    /// Reads one file; in /etc/pam.conf, lines begin with the service.
    fn file(&mut self, path: &Path, service: Option<&str>, depth: u32) -> Result<Vec<Item>, CheckError> {
        let limit = |limit, what| CheckError::Limit { path: path.to_owned(), limit, what };
        if depth > DEPTH_MAX {
            return Err(limit(DEPTH_MAX as usize, "nested includes"));
        }
        let text = self.cx.text(path)?.unwrap_or_default();
        let mut items = Vec::new();
        for (number, line) in joined(&text) {
            self.lines += 1;
            if self.lines > LINES_MAX {
                return Err(limit(LINES_MAX, "lines"));
            }
            let mut words = words(&line);
            if let Some(service) = service {
                if words.first().is_none_or(|word| !word.eq_ignore_ascii_case(service)) {
                    continue;
                }
                words.remove(0);
            }
            items.extend(self.line(&words, path, number, &line, depth)?);
        }
        Ok(items)
    }

    fn line(
        &mut self,
        words: &[String],
        path: &Path,
        line: u32,
        text: &str,
        depth: u32,
    ) -> Result<Vec<Item>, CheckError> {
        let [first, second, rest @ ..] = words else { return Ok(Vec::new()) };
        if first == "@include" {
            return self.service(second, depth + 1);
        }
        if !first.trim_start_matches('-').eq_ignore_ascii_case(self.kind.as_str()) {
            return Ok(Vec::new());
        }
        let Some((module, arguments)) = rest.split_first() else { return Ok(Vec::new()) };
        match second.as_str() {
            "include" => return self.service(module, depth + 1),
            "substack" => return Ok(vec![Item::Substack(self.service(module, depth + 1)?)]),
            _ => {}
        }
        let malformed = || CheckError::Malformed {
            path: path.to_owned(),
            line,
            what: format!("`{second}` is no control of a module"),
        };
        let control = Control::parse(second).ok_or_else(malformed)?;
        let entry = Entry {
            control,
            module: module.clone(),
            arguments: arguments.to_vec(),
            path: path.to_owned(),
            line,
            text: text.to_owned(),
        };
        Ok(vec![Item::Module(entry)])
    }
}

/// Joins continued lines and leaves comments out.
fn joined(text: &str) -> Vec<(u32, String)> {
    let mut lines = Vec::new();
    let mut whole = String::new();
    let mut first = 1;
    for (number, line) in (1_u32..).zip(text.lines()) {
        if whole.is_empty() {
            first = number;
        }
        let line = line.split('#').next().unwrap_or_default();
        if let Some(begun) = line.trim_end().strip_suffix('\\') {
            whole.push_str(begun);
            whole.push(' ');
            continue;
        }
        whole.push_str(line);
        let done = std::mem::take(&mut whole);
        if !done.trim().is_empty() {
            lines.push((first, done.trim().to_owned()));
        }
    }
    if !whole.trim().is_empty() {
        lines.push((first, whole.trim().to_owned()));
    }
    lines
}

/// Splits at blanks outside brackets; a control keeps its brackets, an argument loses them.
fn words(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut word = String::new();
    let mut is_open = false;
    for letter in line.chars() {
        match letter {
            '[' if word.is_empty() => is_open = true,
            ']' if is_open => is_open = false,
            blank if blank.is_whitespace() && !is_open => {
                if !word.is_empty() {
                    found.push(std::mem::take(&mut word));
                }
                continue;
            }
            _ => {}
        }
        word.push(letter);
    }
    if !word.is_empty() {
        found.push(word);
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Fixture;

    fn modules(fixture: &Fixture, service: &str) -> Vec<String> {
        let items = fixture.with(|cx| stack(cx, service, Kind::Auth).unwrap());
        items.iter().flat_map(Item::entries).map(|entry| format!("{}:{}", entry.module, entry.line)).collect()
    }

    #[test]
    fn includes_are_followed_and_etc_wins() {
        let fixture = Fixture::new()
            .file("/etc/pam.d/sshd", "# x\n@include common-auth\nauth include more\n-auth substack sub # y\naccount required pam_a.so\n")
            .file("/etc/pam.d/common-auth", "auth [success=1 \\\n default=ignore] pam_unix.so nullok\n")
            .file("/usr/lib/pam.d/common-auth", "auth required pam_permit.so\n")
            .file("/usr/lib/pam.d/more", "AUTH required pam_deny.so\n")
            .file("/etc/pam.d/sub", "auth required pam_env.so\n");
        assert_eq!(modules(&fixture, "sshd"), ["pam_unix.so:1", "pam_deny.so:1", "pam_env.so:1"]);
    }

    #[test]
    fn a_service_without_lines_has_those_of_other_and_the_single_file_counts_alone() {
        let fixture = Fixture::new().file("/etc/pam.d/other", "auth required pam_deny.so\n");
        assert_eq!(modules(&fixture, "x"), ["pam_deny.so:1"]);
        let single =
            Fixture::new().file("/etc/pam.conf", "x auth required pam_a.so\nOTHER auth required pam_b.so\n");
        assert_eq!(modules(&single, "x"), ["pam_a.so:1"]);
        assert_eq!(modules(&single, "y"), ["pam_b.so:2"]);
    }

    #[test]
    fn circles_and_nonsense_are_not_evaluated() {
        let fixture = Fixture::new()
            .file("/etc/pam.d/a", "auth include a\n")
            .file("/etc/pam.d/b", "auth perhaps pam_unix.so\n");
        assert!(fixture.with(|cx| stack(cx, "a", Kind::Auth).is_err()));
        assert!(fixture.with(|cx| stack(cx, "b", Kind::Auth).is_err()));
    }
}
