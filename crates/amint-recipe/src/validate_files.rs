//! Checking the files that a recipe names.

use std::fs;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use crate::diagnostic::Diagnostics;
use crate::load::RecipeFile;
use crate::problems::{Flaw, Problems};
use crate::section::{FileEntry, RunAction};
use crate::source::{SOURCE_BYTES_MAX, open_file, too_large, unreadable, walk};

/// Most bytes of a script.
pub(crate) const SCRIPT_BYTES_MAX: u64 = 1024 * 1024;
/// Most bytes of a keyring.
pub(crate) const KEYRING_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Checks that every file that the recipe names is there, can be read and is of a sensible size.
///
/// # Errors
/// Fails with one diagnostic for each path of the recipe that is wrong.
pub fn validate_files(file: &RecipeFile) -> Result<(), Diagnostics> {
    let mut problems = Problems::new(&file.text);
    let places = &file.recipe.places;
    let mut report = |result: Result<(), Flaw>, span: Option<&Range<usize>>| {
        if let Err(flaw) = result {
            problems.push(flaw.at(span.cloned().unwrap_or_default()));
        }
    };
    if let Some(keyring) = &file.recipe.base.keyring {
        report(check_keyring(&file.resolve(keyring)), places.keyring.as_ref());
    }
    for (index, repository) in file.recipe.repositories.iter().enumerate() {
        report(check_keyring(&file.resolve(&repository.keyring)), places.repositories.get(index));
    }
    for (index, entry) in file.recipe.files.iter().enumerate() {
        report(check_source(&file.resolve(&entry.source), entry), places.files.get(index));
    }
    for (index, run) in file.recipe.run.iter().enumerate() {
        if let RunAction::Script(script) = &run.action {
            report(check_script(&file.resolve(script), script), places.run.get(index));
        }
    }
    if problems.has_errors() { Err(problems.finish(&file.path)) } else { Ok(()) }
}

fn check_keyring(path: &Path) -> Result<(), Flaw> {
    let size = open_file(path)?.1.len();
    match size {
        0 => Err(Flaw::new(format!("`{}` is empty", path.display()))),
        size if size > KEYRING_BYTES_MAX => Err(too_large(path, KEYRING_BYTES_MAX)),
        _ => Ok(()),
    }
}

fn check_script(path: &Path, script: &Path) -> Result<(), Flaw> {
    let (file, metadata) = open_file(path)?;
    if metadata.len() > SCRIPT_BYTES_MAX {
        return Err(too_large(path, SCRIPT_BYTES_MAX));
    }
    let mut bytes = Vec::new();
    file.take(SCRIPT_BYTES_MAX).read_to_end(&mut bytes).map_err(|error| unreadable(path, &error))?;
    if bytes.trim_ascii().is_empty() {
        return Err(Flaw::new(format!("`{}` is empty", path.display())));
    }
    let first_line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
    if bytes.starts_with(b"#!") && first_line.ends_with(b"\r") {
        return Err(Flaw::new(format!("`{}` has the line ends of Windows", path.display()))
            .hint("no shell finds the program that its first line names: convert it with `dos2unix`"));
    }
    let is_executable = metadata.permissions().mode() & 0o111 != 0;
    if is_executable && !bytes.starts_with(b"#!") && !bytes.starts_with(b"\x7fELF") {
        return Err(Flaw::new(format!("`{}` does not tell which program runs it", path.display()))
            .hint("start it with a line such as `#!/bin/sh -eu`"));
    }
    let interpreter = interpreter(first_line);
    if !is_executable && interpreter.as_deref().is_some_and(|name| name != "sh" && name != "dash") {
        let name = interpreter.unwrap_or_default();
        return Err(Flaw::new(format!("`{}` asks for `{name}`, but is not executable", path.display()))
            .hint(format!("it would be run by `sh`: `chmod +x {}`", script.display())));
    }
    Ok(())
}

/// Returns the program that a first line such as `#!/usr/bin/env python3` names, without its folder.
fn interpreter(first_line: &[u8]) -> Option<String> {
    let line = String::from_utf8_lossy(first_line.strip_prefix(b"#!")?).into_owned();
    let base = |word: &str| word.rsplit('/').next().unwrap_or_default().to_owned();
    let mut words = line.split_ascii_whitespace();
    let program = base(words.next()?);
    if program != "env" {
        return Some(program);
    }
    words.find(|word| !word.starts_with('-') && !word.contains('=')).map(base)
}

fn check_source(path: &Path, entry: &FileEntry) -> Result<(), Flaw> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        return walk(path, &mut |_, _| Ok(()));
    }
    if entry.target == "/" {
        return Err(Flaw::new(format!("`{}` is a file, and its target is a folder", path.display()))
            .hint("write the file's whole path in the image as `target`"));
    }
    let (_, metadata) = open_file(path)?;
    if metadata.len() > SOURCE_BYTES_MAX { Err(too_large(path, SOURCE_BYTES_MAX)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::recipe::parse;
    use crate::source::DEPTH_MAX;

    /// Makes a folder with a recipe and files; returns what is wrong with them.
    fn check(section: &str, files: &[(&str, &[u8], u32)]) -> Vec<(usize, String)> {
        let folder = tempfile::tempdir().unwrap();
        for (name, content, mode) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(*mode)).unwrap();
        }
        check_in(folder.path(), section)
    }

    fn check_in(folder: &Path, section: &str) -> Vec<(usize, String)> {
        let text =
            format!("[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n{section}");
        let path = folder.join("amint.toml");
        let recipe = parse(&text, &path).unwrap();
        let result = validate_files(&RecipeFile { path, text, recipe });
        let items = result.err().map(|error| error.items).unwrap_or_default();
        let short = |message: &str| message.replace(&format!("{}/", folder.display()), "");
        items.iter().map(|item| (item.line, short(&item.message))).collect()
    }

    const SCRIPT: &str = "[[run]]\nscript = \"a.sh\"\n";

    #[test]
    fn reports_every_missing_file_at_its_line() {
        let section = "keyring = \"keys.gpg\"\n[[files]]\nsource = \"site/\"\ntarget = \"/a\"\n[[run]]\nscript = \"a.sh\"\n";
        assert_eq!(
            check(section, &[]),
            [
                (6, "`keys.gpg` does not exist".to_owned()),
                (8, "`site/` does not exist".to_owned()),
                (11, "`a.sh` does not exist".to_owned()),
            ]
        );
    }

    #[test]
    fn wants_the_keyring_of_every_repository() {
        let section = "[[repository]]\nname = \"vendor\"\nurl = \"https://packages.vendor.example/\"\n\
            suite = \"stable\"\nkeyring = \"keys/vendor.asc\"\n";
        assert_eq!(check(section, &[]), [(10, "`keys/vendor.asc` does not exist".to_owned())]);
        let found = check(section, &[("keys/vendor.asc", b"", 0o644)]);
        assert_eq!(found, [(10, "`keys/vendor.asc` is empty".to_owned())]);
        assert_eq!(check(section, &[("keys/vendor.asc", b"key", 0o644)]), []);
    }

    #[test]
    fn takes_scripts_that_can_run() {
        for (content, mode) in [
            (&b"#!/bin/bash\necho\n"[..], 0o755),
            (b"#!/bin/sh\r-x\necho\n", 0o644),
            (b"echo\n", 0o644),
            (b"#!/usr/bin/env -S sh -eu\n", 0o644),
            (b"\x7fELF\0", 0o755),
        ] {
            assert_eq!(check(SCRIPT, &[("a.sh", content, mode)]), [], "{}", content.escape_ascii());
        }
    }

    #[test]
    fn refuses_scripts_that_could_not_run() {
        for (content, mode, expected) in [
            (&b" \n"[..], 0o644, "`a.sh` is empty"),
            (b"#!/bin/sh\r\necho\r\n", 0o755, "`a.sh` has the line ends of Windows"),
            (b"echo\n", 0o755, "`a.sh` does not tell which program runs it"),
            (b"#!/usr/bin/env python3\n", 0o644, "`a.sh` asks for `python3`, but is not executable"),
        ] {
            let found = check(SCRIPT, &[("a.sh", content, mode)]);
            assert_eq!(found, [(7, expected.to_owned())]);
        }
        let large = vec![b'#'; usize::try_from(SCRIPT_BYTES_MAX).unwrap() + 1];
        assert_eq!(check(SCRIPT, &[("a.sh", &large, 0o644)]), [(7, "`a.sh` has more than 1 MiB".to_owned())]);
        assert_eq!(
            check(SCRIPT, &[("a.sh/x", b"", 0o644)]),
            [(7, "`a.sh` is a folder, not a file".to_owned())]
        );
    }

    #[test]
    fn refuses_a_file_in_place_of_a_folder() {
        let section = "[[files]]\nsource = \"a\"\ntarget = \"/\"\n";
        assert_eq!(
            check(section, &[("a", b"x", 0o644)]),
            [(7, "`a` is a file, and its target is a folder".to_owned())]
        );
        assert_eq!(check(section, &[("a/etc/x", b"x", 0o644)]), []);
    }

    #[test]
    fn copies_links_but_nothing_that_blocks_when_opened() {
        let folder = tempfile::tempdir().unwrap();
        let site = folder.path().join("site");
        fs::create_dir(&site).unwrap();
        symlink("/nowhere", site.join("dangling")).unwrap();
        symlink(".", site.join("loop")).unwrap();
        let section = "[[files]]\nsource = \"site\"\ntarget = \"/a\"\n";
        assert_eq!(check_in(folder.path(), section), []);
        let _listener = std::os::unix::net::UnixListener::bind(site.join("socket")).unwrap();
        assert_eq!(
            check_in(folder.path(), section),
            [(7, "`site/socket` is a device, socket or pipe, not a file".to_owned())]
        );
    }

    #[test]
    fn refuses_folders_nested_too_deeply() {
        let folder = tempfile::tempdir().unwrap();
        let deep = vec!["d"; usize::try_from(DEPTH_MAX).unwrap() + 2].join("/");
        fs::create_dir_all(folder.path().join("site").join(deep)).unwrap();
        let found = check_in(folder.path(), "[[files]]\nsource = \"site\"\ntarget = \"/a\"\n");
        assert_eq!(found, [(7, "`site` has folders nested more than 64 deep".to_owned())]);
    }
}
