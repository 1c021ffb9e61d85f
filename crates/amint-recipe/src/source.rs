//! Walking over what `source` of `[[files]]` names, within limits, in one order on every machine.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::{Path, PathBuf};

use amint_types::{GIB, format_bytes};

use crate::problems::Flaw;

/// Most files and folders of one source.
const ENTRY_COUNT_MAX: u64 = 200_000;
/// Deepest folder of a source.
pub(crate) const DEPTH_MAX: u32 = 64;
/// Most bytes of one source.
pub(crate) const SOURCE_BYTES_MAX: u64 = 64 * GIB;

/// One thing under a source.
pub(crate) enum Item {
    /// A folder, told before what is in it.
    Folder,
    /// A regular file, opened.
    File(File, Metadata),
    /// A symbolic link, which is copied as it is: where it leads matters in the image only.
    Link(PathBuf),
}

/// Looks at everything in the folder `source`: names sorted, folders before what is in them.
///
/// `visit` is given each path relative to `source`.
pub(crate) fn walk(
    source: &Path,
    visit: &mut dyn FnMut(&Path, Item) -> Result<(), Flaw>,
) -> Result<(), Flaw> {
    let mut walk = Walk { entries: 0, bytes: 0, source, visit };
    walk.folder(source, Path::new(""), 0)
}

struct Walk<'a> {
    entries: u64,
    bytes: u64,
    source: &'a Path,
    visit: &'a mut dyn FnMut(&Path, Item) -> Result<(), Flaw>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Path, relative: &Path, depth: u32) -> Result<(), Flaw> {
        if depth > DEPTH_MAX {
            let source = self.source.display();
            return Err(Flaw::new(format!("`{source}` has folders nested more than {DEPTH_MAX} deep")));
        }
        let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, &error))?;
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry.map_err(|error| unreadable(folder, &error))?.file_name());
            self.entries += 1;
            if self.entries > ENTRY_COUNT_MAX {
                let source = self.source.display();
                return Err(Flaw::new(format!(
                    "`{source}` has more than {ENTRY_COUNT_MAX} files and folders"
                )));
            }
        }
        names.sort();
        names.into_iter().try_for_each(|name| self.any(&folder.join(&name), &relative.join(&name), depth))
    }

    fn any(&mut self, path: &Path, relative: &Path, depth: u32) -> Result<(), Flaw> {
        let metadata = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
        if metadata.is_dir() {
            (self.visit)(relative, Item::Folder)?;
            return self.folder(path, relative, depth + 1);
        }
        if metadata.is_symlink() {
            let target = fs::read_link(path).map_err(|error| unreadable(path, &error))?;
            return (self.visit)(relative, Item::Link(target));
        }
        let (file, metadata) = open_file(path)?;
        self.bytes = self.bytes.saturating_add(metadata.len());
        if self.bytes > SOURCE_BYTES_MAX {
            return Err(too_large(self.source, SOURCE_BYTES_MAX));
        }
        (self.visit)(relative, Item::File(file, metadata))
    }
}

/// Opens a regular file, and nothing that would block or do something when opened.
pub(crate) fn open_file(path: &Path) -> Result<(File, Metadata), Flaw> {
    let metadata = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    if metadata.is_dir() {
        return Err(Flaw::new(format!("`{}` is a folder, not a file", path.display())));
    }
    if !metadata.is_file() {
        return Err(Flaw::new(format!("`{}` is a device, socket or pipe, not a file", path.display())));
    }
    let file = File::open(path).map_err(|error| unreadable(path, &error))?;
    Ok((file, metadata))
}

pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Flaw {
    match error.kind() {
        io::ErrorKind::NotFound => Flaw::new(format!("`{}` does not exist", path.display()))
            .hint("relative paths start at the recipe's folder"),
        io::ErrorKind::PermissionDenied => Flaw::new(format!("`{}` may not be read", path.display())),
        _ => Flaw::new(format!("`{}` cannot be read: {error}", path.display())),
    }
}

pub(crate) fn too_large(path: &Path, bytes_max: u64) -> Flaw {
    Flaw::new(format!("`{}` has more than {}", path.display(), format_bytes(bytes_max)))
}
