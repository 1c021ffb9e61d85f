//! `[[files]]`: files and folders of this machine, copied into the image.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use amint_recipe::{FileEntry, Recipe};
use amint_types::Cancel;

use crate::error::BuildError;
use crate::tree::{CopyError, ImageTree};

/// Deepest folder that is copied.
const DEPTH_MAX: u32 = 64;

/// Copies everything under `[[files]]`, in the recipe's order, names sorted; returns the number of files.
///
/// A folder's content goes into the target folder. Links inside a folder are copied as links.
pub(crate) fn copy_files(
    tree: &ImageTree,
    recipe: &Recipe,
    folder: &Path,
    cancel: &Cancel,
) -> Result<u64, BuildError> {
    let mut copied = 0;
    for entry in &recipe.files {
        let owner = owner(tree, entry)?;
        let copy = Copy { tree, entry, owner, cancel };
        let source = folder.join(&entry.source);
        let target = target(entry, &source);
        copy.any(&source, &target, 0, &mut copied)?;
    }
    Ok(copied)
}

/// A target that ends in `/` is a folder: a single file keeps its name in it.
fn target(entry: &FileEntry, source: &Path) -> PathBuf {
    let target = Path::new(&entry.target);
    match source.file_name() {
        Some(name) if entry.target.ends_with('/') && source.is_file() => target.join(name),
        _ => target.to_owned(),
    }
}

fn owner(tree: &ImageTree, entry: &FileEntry) -> Result<(u32, u32), BuildError> {
    let find = |kind, file: &str, name: &str| {
        tree.account(file, name)?.ok_or_else(|| BuildError::NoSuchOwner {
            kind,
            name: name.to_owned(),
            target: entry.target.clone(),
        })
    };
    Ok((find("user", "/etc/passwd", &entry.owner)?, find("group", "/etc/group", &entry.group)?))
}

struct Copy<'a> {
    tree: &'a ImageTree,
    entry: &'a FileEntry,
    owner: (u32, u32),
    cancel: &'a Cancel,
}

impl Copy<'_> {
    fn any(&self, source: &Path, target: &Path, depth: u32, copied: &mut u64) -> Result<(), BuildError> {
        self.cancel.check()?;
        let fail = |error| BuildError::Copy { path: source.to_owned(), source: error };
        // What the recipe names may be a link; what lies in a folder is copied as it is.
        let metadata = if depth == 0 { fs::metadata(source) } else { fs::symlink_metadata(source) };
        let metadata = metadata.map_err(fail)?;
        if metadata.is_dir() {
            if depth > DEPTH_MAX {
                return Err(fail(std::io::Error::other("folders are nested too deeply")));
            }
            return self.folder(source, target, depth, copied);
        }
        *copied += 1;
        if metadata.is_symlink() {
            let link = fs::read_link(source).map_err(fail)?;
            return Ok(self.tree.link(&link, target)?);
        }
        let mode =
            self.entry.mode.unwrap_or(if metadata.permissions().mode() & 0o111 == 0 { 0o644 } else { 0o755 });
        self.tree.copy(source, target, mode, self.owner).map_err(|error| match error {
            CopyError::Io(error) => fail(error),
            CopyError::Tree(error) => error.into(),
        })
    }

    fn folder(&self, source: &Path, target: &Path, depth: u32, copied: &mut u64) -> Result<(), BuildError> {
        self.tree.folder(target, self.entry.dir_mode.unwrap_or(0o755), self.owner)?;
        let fail = |error| BuildError::Copy { path: source.to_owned(), source: error };
        let entries = fs::read_dir(source).and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(fail)?;
        let mut paths: Vec<PathBuf> = entries.iter().map(fs::DirEntry::path).collect();
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default();
            self.any(&path, &target.join(name), depth + 1, copied)?;
        }
        Ok(())
    }
}
