//! Reading the files, with what they include.

use std::path::{Path, PathBuf};

use super::model::{Place, Problem, Sudoers};
use super::{MAIN, grammar, lines};
use crate::{CheckError, Context};

/// How deep includes may nest, as in sudo itself.
const DEPTH_MAX: u32 = 128;
/// How many lines are read in all: includes may multiply.
const LINES_MAX: usize = 100_000;
/// Where sudo is.
const PROGRAMS: [&str; 3] = ["/usr/bin/sudo", "/bin/sudo", "/usr/local/bin/sudo"];

impl Sudoers {
    /// Tells whether sudo is installed.
    pub(crate) fn is_installed(cx: &Context<'_>) -> Result<bool, CheckError> {
        for program in PROGRAMS {
            if cx.exists(program)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads all files; without sudo they say nothing.
    pub(crate) fn load(cx: &Context<'_>) -> Result<Self, CheckError> {
        let mut reader = Reader { cx, sudoers: Self::default(), lines: 0 };
        if Self::is_installed(cx)? {
            // Distributions with an empty /etc keep the vendor's file under /usr/etc.
            let main = if cx.exists(MAIN)? { MAIN } else { "/usr/etc/sudoers" };
            reader.file(Path::new(main), 0)?;
        }
        Ok(reader.sudoers)
    }
}

struct Reader<'cx, 'scan> {
    cx: &'cx Context<'scan>,
    sudoers: Sudoers,
    lines: usize,
}

impl Reader<'_, '_> {
    fn file(&mut self, path: &Path, depth: u32) -> Result<(), CheckError> {
        if depth > DEPTH_MAX {
            let limit = DEPTH_MAX as usize;
            return Err(CheckError::Limit { path: path.to_owned(), limit, what: "nested includes" });
        }
        let Some(text) = self.cx.text(path)? else { return Ok(()) };
        self.sudoers.files.push(path.to_owned());
        for line in lines::split(&text) {
            self.lines += 1;
            if self.lines > LINES_MAX {
                return Err(CheckError::Limit { path: path.to_owned(), limit: LINES_MAX, what: "lines" });
            }
            let place = Place { path: path.to_owned(), line: line.number };
            let (word, rest) = line.text.split_once(char::is_whitespace).unwrap_or((&line.text, ""));
            match word {
                "@include" | "#include" => self.file(&target(path, rest), depth + 1)?,
                "@includedir" | "#includedir" => self.folder(&target(path, rest), depth)?,
                _ => {
                    if let Err(what) = grammar::statement(&mut self.sudoers, &line.text, &place) {
                        self.sudoers.problems.push(Problem { place, what });
                    }
                }
            }
        }
        Ok(())
    }

    fn folder(&mut self, path: &Path, depth: u32) -> Result<(), CheckError> {
        for entry in self.cx.list(path)? {
            let name = entry.name.to_string_lossy();
            let path = path.join(&entry.name);
            // sudo skips these, so that backups of editors and packages do not count.
            let is_skipped = name.contains('.') || name.ends_with('~');
            if !is_skipped && self.cx.metadata_following(&path)?.is_some_and(|metadata| metadata.is_file()) {
                self.file(&path, depth + 1)?;
            }
        }
        Ok(())
    }
}

/// Returns the path that an include names: relative ones begin beside the file.
fn target(from: &Path, argument: &str) -> PathBuf {
    let argument = argument.trim().trim_matches('"').replace("\\ ", " ");
    from.parent().unwrap_or(Path::new("/etc")).join(argument)
}
