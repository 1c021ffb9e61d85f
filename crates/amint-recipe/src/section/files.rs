//! `[[files]]`: what is copied into the image.

use std::collections::HashMap;
use std::ops::Range;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;

use crate::problems::{Flaw, Problem, Problems};
use crate::table::{Located, Table};
use crate::text::{file_mode, names, path};
use crate::{defaults, schema};

pub(crate) const KEYS: [&str; 6] = ["source", "target", "owner", "group", "mode", "dir_mode"];

/// Most `[[files]]` of a recipe.
const ENTRY_COUNT_MAX: usize = 1000;

/// Folders of a running system that are no part of its disk.
const NOT_ON_DISK: [&str; 4] = ["/dev", "/proc", "/run", "/sys"];

/// Says what is copied into the image: one file, or all that is in a folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct FileEntry {
    /// The file or folder to copy; a relative path starts at the recipe's folder.
    #[schemars(with = "String", length(min = 1))]
    pub source: PathBuf,
    /// The absolute path in the image. What is in a source folder goes into the target folder; a single file
    /// goes to the target itself, or into it when the target ends in `/`.
    #[schemars(extend("pattern" = "^/"))]
    pub target: String,
    /// The user that owns what is copied.
    #[schemars(default = "defaults::file_owner", extend("pattern" = schema::USER_PATTERN))]
    pub owner: String,
    /// The group of what is copied.
    #[schemars(default = "defaults::file_group", extend("pattern" = schema::USER_PATTERN))]
    pub group: String,
    /// The mode of files, as four octal digits. Without it `0755` for files that are executable, `0644` for
    /// others.
    #[serde(serialize_with = "file_mode::serialize")]
    #[schemars(with = "Option<String>", extend("pattern" = file_mode::PATTERN))]
    pub mode: Option<u32>,
    /// The mode of folders, as four octal digits. Without it `0755`.
    #[serde(serialize_with = "file_mode::serialize")]
    #[schemars(with = "Option<String>", extend("pattern" = file_mode::PATTERN))]
    pub dir_mode: Option<u32>,
}

/// Returns each entry with the place of its source.
pub(crate) fn parse(root: &Table<'_>, problems: &mut Problems<'_>) -> Vec<Located<FileEntry>> {
    let tables = root.tables(problems, "files", "[[files]]", ENTRY_COUNT_MAX, &KEYS);
    let mut targets: HashMap<String, Range<usize>> = HashMap::new();
    let mut entries = Vec::with_capacity(tables.len());
    for table in tables {
        let Some((entry, target_span)) = parse_one(&table, problems) else { continue };
        // Several single files may go into one folder.
        let is_whole_target = !entry.value.target.ends_with('/');
        if is_whole_target && targets.insert(entry.value.target.clone(), target_span.clone()).is_some() {
            let message = format!("`{}` is the target of two `[[files]]`", entry.value.target);
            problems.push(Problem::error(target_span, message));
        }
        entries.push(entry);
    }
    entries
}

fn parse_one(table: &Table<'_>, problems: &mut Problems<'_>) -> Option<(Located<FileEntry>, Range<usize>)> {
    table.require(problems, "source");
    table.require(problems, "target");
    let source = table.parsed(problems, "source", path::host);
    let target = table.parsed(problems, "target", target);
    let owner = table.parsed(problems, "owner", names::user);
    let group = table.parsed(problems, "group", names::user);
    let mode = table.parsed(problems, "mode", file_mode::parse);
    let dir_mode = table.parsed(problems, "dir_mode", file_mode::parse);
    let (source, target) = (source?, target?);
    let entry = FileEntry {
        source: source.value,
        target: target.value,
        owner: owner.map_or_else(defaults::file_owner, |owner| owner.value),
        group: group.map_or_else(defaults::file_group, |group| group.value),
        mode: mode.map(|mode| mode.value),
        dir_mode: dir_mode.map(|mode| mode.value),
    };
    Some((Located { value: entry, span: source.span }, target.span))
}

fn target(text: &str) -> Result<String, Flaw> {
    let folder = text.strip_suffix('/').filter(|folder| !folder.is_empty());
    path::image(folder.unwrap_or(text))?;
    let top = text.get(1..).and_then(|rest| rest.split('/').next()).unwrap_or_default();
    if NOT_ON_DISK.contains(&format!("/{top}").as_str()) {
        return Err(Flaw::new(format!("`{text}` is not on the image's disk"))
            .hint(format!("`/{top}` is filled anew whenever the system starts")));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use crate::section::testing::{errors, messages, recipe};

    #[test]
    fn gives_files_to_root_by_default() {
        let files = recipe("[[files]]\nsource = \"site/\"\ntarget = \"/var/www/html\"\n").files;
        assert_eq!((files[0].owner.as_str(), files[0].group.as_str()), ("root", "root"));
        assert_eq!((files[0].mode, files[0].dir_mode), (None, None));
    }

    #[test]
    fn reads_modes_as_octal_text() {
        let section = "[[files]]\nsource = \"a\"\ntarget = \"/a\"\nmode = \"0640\"\ndir_mode = \"0750\"\n";
        let files = recipe(section).files;
        assert_eq!((files[0].mode, files[0].dir_mode), (Some(0o640), Some(0o750)));
        let found = errors("[[files]]\nsource = \"a\"\ntarget = \"/a\"\nmode = 0o644\n");
        assert_eq!(found[0].1, "`mode` must be a string, not a whole number");
    }

    #[test]
    fn refuses_targets_outside_the_image() {
        for target in ["etc/x", "/etc/../../x", "/proc/sys/x", "/run", "/dev/", "//x", "/a//"] {
            let found = messages(&format!("[[files]]\nsource = \"a\"\ntarget = \"{target}\"\n"));
            assert_eq!(found.len(), 1, "{target}: {found:?}");
        }
        for target in ["/", "/etc/", "/runtime", "/development/x"] {
            recipe(&format!("[[files]]\nsource = \"a\"\ntarget = \"{target}\"\n"));
        }
    }

    #[test]
    fn refuses_two_entries_with_one_target() {
        let entry = "[[files]]\nsource = \"a\"\ntarget = \"/a\"\n";
        assert_eq!(messages(&format!("{entry}{entry}")), ["`/a` is the target of two `[[files]]`"]);
        let folder = "[[files]]\nsource = \"a\"\ntarget = \"/a/\"\n";
        assert_eq!(recipe(&format!("{folder}{}", folder.replace("\"a\"", "\"b\""))).files.len(), 2);
    }

    #[test]
    fn tells_that_files_are_a_list_of_tables() {
        let found = errors("[files]\nsource = \"a\"\ntarget = \"/a\"\n");
        assert_eq!(found[0].1, "`files` must be a list of tables, not a table");
        assert_eq!(found[0].2, "write `[[files]]`");
    }
}
