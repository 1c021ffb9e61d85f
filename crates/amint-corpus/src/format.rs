//! The texts of the corpus: a header, and the entries that differ from the base.

use std::path::{Component, Path, PathBuf};

use amint_disk::tree::FileKind;

use crate::escape::unescape;
use crate::{CorpusError, MemoryTree};

/// A text, taken apart.
#[derive(Clone, Debug)]
pub(crate) struct Parts {
    /// What stands before the first entry.
    pub(crate) header: String,
    /// What is changed, in order.
    pub(crate) entries: Vec<Entry>,
}

/// One change to a tree.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    name: String,
    line: usize,
    path: PathBuf,
    action: Action,
    mode: Option<u32>,
    owner: Option<(u32, u32)>,
    attribute: Option<(String, Vec<u8>)>,
}

#[derive(Clone, Debug)]
enum Action {
    Put(FileKind, Vec<u8>),
    Append(Vec<u8>),
    /// Mode and owner only.
    Keep,
    Remove,
}

impl Parts {
    /// Takes a text apart; `name` is told in errors.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, CorpusError> {
        let mut header = String::new();
        let mut open: Option<(usize, &str, String)> = None;
        let mut entries = Vec::new();
        for (line, text) in (1..).zip(text.split_inclusive('\n')) {
            let trimmed = text.trim_end_matches('\n');
            if let Some(head) = trimmed.strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
                if let Some((line, head, content)) = open.replace((line, head, String::new())) {
                    entries.push(Entry::parse(name, line, head, &content)?);
                }
                continue;
            }
            match &mut open {
                Some((_, _, content)) => content.push_str(text),
                None => header.push_str(text),
            }
        }
        if let Some((line, head, content)) = open {
            entries.push(Entry::parse(name, line, head, &content)?);
        }
        Ok(Self { header, entries })
    }
}

impl Entry {
    fn parse(name: &str, line: usize, head: &str, content: &str) -> Result<Self, CorpusError> {
        let failed = |what: String| CorpusError::Line { name: name.to_owned(), line, what };
        let (path, attributes) = match head.split_once(" (") {
            Some((path, attributes)) => {
                let attributes = attributes.strip_suffix(')');
                (path, attributes.ok_or_else(|| failed("a parenthesis stays open".to_owned()))?)
            }
            None => (head, ""),
        };
        let path = PathBuf::from(path);
        let is_plain = |part: Component<'_>| matches!(part, Component::RootDir | Component::Normal(_));
        if !path.is_absolute() || !path.components().all(is_plain) {
            return Err(failed("the path is not absolute".to_owned()));
        }
        let content = unescape(content).map_err(failed)?;
        let action = Action::Put(FileKind::File, content.clone());
        let mut entry =
            Self { name: name.to_owned(), line, path, action, mode: None, owner: None, attribute: None };
        for attribute in attributes.split(", ").filter(|attribute| !attribute.is_empty()) {
            entry.set(attribute, &content).map_err(failed)?;
        }
        if !content.is_empty() && !matches!(&entry.action, Action::Put(FileKind::File, _) | Action::Append(_))
        {
            return Err(failed("only files have content".to_owned()));
        }
        Ok(entry)
    }

    /// Returns the path that is changed.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn set(&mut self, attribute: &str, content: &[u8]) -> Result<(), String> {
        let (word, value) = attribute.split_once(' ').unwrap_or((attribute, ""));
        let wrong = || format!("`{attribute}` is no attribute");
        let put = |kind| Action::Put(kind, Vec::new());
        match word {
            "mode" => self.mode = Some(u32::from_str_radix(value, 8).map_err(|_| wrong())?),
            "owner" => {
                let (uid, gid) = value.split_once(':').ok_or_else(wrong)?;
                self.owner = Some((uid.parse().map_err(|_| wrong())?, gid.parse().map_err(|_| wrong())?));
            }
            "attribute" => {
                let (name, digits) = value.split_once('=').ok_or_else(wrong)?;
                self.attribute = Some((name.to_owned(), bytes_of(digits).ok_or_else(wrong)?));
            }
            "link" => self.action = Action::Put(FileKind::Link, value.as_bytes().to_vec()),
            "directory" => self.action = put(FileKind::Directory),
            "pipe" => self.action = put(FileKind::Pipe),
            "socket" => self.action = put(FileKind::Socket),
            "char" => self.action = put(FileKind::CharDevice),
            "block" => self.action = put(FileKind::BlockDevice),
            "append" => self.action = Action::Append(content.to_vec()),
            "keep" => self.action = Action::Keep,
            "remove" => self.action = Action::Remove,
            _ => return Err(wrong()),
        }
        Ok(())
    }

    /// Makes the change.
    ///
    /// # Errors
    /// Fails when there is nothing to append to, to keep or to remove: the case would not be what it says.
    pub(crate) fn apply(&self, tree: &mut MemoryTree) -> Result<(), CorpusError> {
        let path: &Path = &self.path;
        let mut is_done = match &self.action {
            Action::Put(kind, content) => {
                let mode = match kind {
                    FileKind::Directory => 0o755,
                    FileKind::Link => 0o777,
                    _ => 0o644,
                };
                tree.put(path, *kind, mode, content.clone());
                true
            }
            Action::Append(content) => tree.append(path, content),
            Action::Keep => true,
            Action::Remove => tree.remove(path),
        };
        if let Some(mode) = self.mode {
            is_done &= tree.set_mode(path, mode);
        }
        if let Some((uid, gid)) = self.owner {
            is_done &= tree.set_owner(path, uid, gid);
        }
        if let Some((name, value)) = &self.attribute {
            is_done &= tree.set_attribute(path, name, value.clone());
        }
        if is_done {
            return Ok(());
        }
        let what = format!("the base has no `{}`", self.path.display());
        Err(CorpusError::Line { name: self.name.clone(), line: self.line, what })
    }
}

/// Reads hexadecimal digits.
fn bytes_of(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty() || digits.len() % 2 == 1 {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use amint_disk::tree::FileTree;

    use super::*;

    fn tree(text: &str) -> Result<MemoryTree, CorpusError> {
        let mut tree = MemoryTree::default();
        for entry in Parts::parse("test", text)?.entries {
            entry.apply(&mut tree)?;
        }
        Ok(tree)
    }

    #[test]
    fn entries_have_content_modes_owners_and_targets() {
        let tree = tree(
            "rule = 1\n-- /a/b (mode 4750, owner 3:4) --\none\n-- /c (link /a/b) --\n-- /a/b (append) --\ntwo\n",
        )
        .unwrap();
        let metadata = tree.metadata(Path::new("/a/b")).unwrap();
        assert_eq!((metadata.mode, metadata.uid, metadata.gid, metadata.bytes), (0o4750, 3, 4, 8));
        assert_eq!(tree.read(Path::new("/c"), 99).unwrap(), b"one\ntwo\n");
    }

    #[test]
    fn a_change_to_what_is_not_there_is_refused() {
        for text in ["-- /a (append) --\nx\n", "-- /a (remove) --\n", "-- /a (keep, mode 600) --\n"] {
            assert!(tree(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_head_that_cannot_be_understood_is_refused() {
        for text in [
            "-- a --\n",
            "-- /a/../b --\n",
            "-- /a (mode 9) --\n",
            "-- /a (odd) --\n",
            "-- /a (link b) --\nx\n",
        ] {
            assert!(tree(text).is_err(), "{text}");
        }
    }
}
