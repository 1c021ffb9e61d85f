//! The programs and other things in a tree that no package brought, with what their first bytes tell.

use std::io::Read;
use std::path::{Path, PathBuf};

use amint_disk::tree::{FileKind, Metadata, TreeError, WalkLimits, WalkStep};

use crate::facts::packages::installed;
use crate::{CheckError, Context};

/// How much of a program is looked into.
const PROGRAM_BYTES_MAX: u64 = 32 << 20;
/// How many are listed at most.
const PROGRAMS_MAX: usize = 50_000;
/// What is no file of the image, or far too much of it.
const SKIPPED: [&str; 6] = ["/proc", "/sys", "/run", "/usr/share/doc", "/usr/share/man", "/usr/share/locale"];

/// What a file is by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Elf,
    Script,
    Other,
}

/// One file that no package brought and that is executable, hidden, or where programs do not belong.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) path: PathBuf,
    pub(super) metadata: Metadata,
    pub(super) form: Form,
}

impl Program {
    pub(super) fn name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }

    pub(super) fn is_executable(&self) -> bool {
        self.metadata.mode & 0o111 != 0
    }

    pub(super) fn is_below(&self, folders: &[&str]) -> bool {
        folders.iter().any(|folder| self.path.starts_with(folder))
    }
}

/// All of them, and folders whose names hide them.
pub(super) struct Programs {
    pub(super) files: Vec<Program>,
    pub(super) disguised_folders: Vec<PathBuf>,
}

impl Programs {
    /// Walks through the tree.
    pub(super) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let owned = installed(cx)?;
        let mut candidates = Vec::new();
        let mut disguised_folders = Vec::new();
        cx.tree().walk(Path::new("/"), WalkLimits::default(), &mut |entry| {
            let path = &entry.path;
            if entry.metadata.kind == FileKind::Directory {
                if SKIPPED.iter().any(|skipped| path == Path::new(skipped)) {
                    return WalkStep::Skip;
                }
                if path.file_name().is_some_and(|name| is_disguised(&name.to_string_lossy())) {
                    disguised_folders.push(path.clone());
                }
                return WalkStep::Continue;
            }
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_wanted = entry.metadata.is_file()
                && entry.metadata.bytes > 0
                && (entry.metadata.mode & 0o111 != 0 || name.starts_with('.') || path.starts_with("/dev"))
                && !owned.owns(path);
            if is_wanted {
                candidates.push((path.clone(), entry.metadata));
            }
            if candidates.len() > PROGRAMS_MAX { WalkStep::Stop } else { WalkStep::Continue }
        })?;
        if candidates.len() > PROGRAMS_MAX {
            return Err(CheckError::Limit {
                path: "/".into(),
                limit: PROGRAMS_MAX,
                what: "programs without a package",
            });
        }
        let mut files = Vec::new();
        for (path, metadata) in candidates {
            let start = start_of(cx, &path, 4)?;
            let form = match start.as_slice() {
                b"\x7fELF" => Form::Elf,
                [b'#', b'!', ..] => Form::Script,
                _ => Form::Other,
            };
            files.push(Program { path, metadata, form });
        }
        Ok(Self { files, disguised_folders })
    }
}

/// `...`, `.. ` and the like: names that look like the folder itself or the one above.
fn is_disguised(name: &str) -> bool {
    name.starts_with('.') && name.len() > 2 && name.chars().all(|letter| letter == '.' || letter == ' ')
        || name.starts_with('.') && name.trim_end() != name
}

/// Reads the first bytes of a file.
pub(super) fn start_of(cx: &Context<'_>, path: &Path, bytes_max: u64) -> Result<Vec<u8>, CheckError> {
    let mut start = Vec::new();
    let opened = cx.tree().open(path)?;
    cx.note_read(path);
    opened
        .take(bytes_max.min(PROGRAM_BYTES_MAX))
        .read_to_end(&mut start)
        .map_err(|source| CheckError::from(TreeError::io("read", path, source)))?;
    Ok(start)
}
