//! Reading a recipe from disk.

use std::io;
use std::path::{Path, PathBuf};

use amint_types::Hint;
use jiff::civil::Date;

use crate::diagnostic::Diagnostics;
use crate::problems::{Problem, Problems};
use crate::recipe::{Recipe, parse};
use crate::text_file::{self, TextError};
use crate::validate_files::validate_files;

/// Most bytes of a recipe.
pub const RECIPE_BYTES_MAX: u64 = 1024 * 1024;

/// A recipe, with its text and the file it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecipeFile {
    /// The file; relative paths in the recipe start at its folder.
    pub path: PathBuf,
    /// The file's text, byte for byte.
    pub text: String,
    /// What it says.
    pub recipe: Recipe,
}

impl RecipeFile {
    /// Returns the folder that relative paths in the recipe start at.
    pub fn folder(&self) -> &Path {
        match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Returns where a path of the recipe lies on this machine.
    pub fn resolve(&self, path: &Path) -> PathBuf {
        self.folder().join(path)
    }

    /// Fails when a waiver has ended by `today`.
    ///
    /// # Errors
    /// Fails with one diagnostic for each of them.
    pub fn check_waivers(&self, today: Date) -> Result<(), Diagnostics> {
        let mut problems = Problems::new(&self.text);
        for (waiver, span) in self.recipe.harden.waive.iter().zip(&self.recipe.places.waive) {
            if waiver.is_expired(today) {
                let message = format!("the waiver of `{}` ended on {}", waiver.rule, waiver.until);
                problems.push(
                    Problem::error(span.clone(), message)
                        .hint("mend what it covered, or decide anew and set a later day"),
                );
            }
        }
        if problems.has_errors() { Err(problems.finish(&self.path)) } else { Ok(()) }
    }
}

/// Why a recipe could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecipeError {
    /// The file cannot be opened or read.
    #[error("failed to read recipe `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file is larger than a recipe can be.
    #[error("failed to read recipe `{}`: it has more than {RECIPE_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// The file is not text in UTF-8.
    #[error("failed to read recipe `{}`: line {line} is not UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// The first line that is not, from 1.
        line: usize,
    },
    /// The file has mistakes.
    #[error(transparent)]
    Invalid(#[from] Diagnostics),
}

impl Hint for RecipeError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                Some("`amint init` writes a recipe to start from".to_owned())
            }
            Self::Unreadable { source, .. } if source.kind() == io::ErrorKind::IsADirectory => {
                Some("name the file: `amint.toml` in that folder".to_owned())
            }
            Self::NotUtf8 { .. } => Some("save the file as UTF-8".to_owned()),
            Self::TooLarge { .. } => {
                Some("put what is long into scripts and files beside the recipe".to_owned())
            }
            Self::Unreadable { .. } | Self::Invalid(_) => None,
        }
    }
}

/// Loads a recipe and checks it, the files that it names included.
///
/// # Errors
/// Fails when the file cannot be read, and with all mistakes at once when it has some.
pub fn load(path: &Path) -> Result<RecipeFile, RecipeError> {
    let text = read(path)?;
    let recipe = parse(&text, path)?;
    let file = RecipeFile { path: path.to_owned(), text, recipe };
    validate_files(&file)?;
    Ok(file)
}

pub(crate) fn read(path: &Path) -> Result<String, RecipeError> {
    let path = path.to_owned();
    text_file::read(&path, RECIPE_BYTES_MAX).map_err(|error| match error {
        TextError::Unreadable(source) => RecipeError::Unreadable { path, source },
        TextError::TooLarge => RecipeError::TooLarge { path },
        TextError::NotUtf8(line) => RecipeError::NotUtf8 { path, line },
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use jiff::civil::date;

    use super::*;

    const VALID: &str = "[image]\nname = \"web\"\nversion = \"1\"\n[base]\ndebian = \"trixie\"\n";

    fn write(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("amint.toml");
        fs::write(&path, content).unwrap();
        (folder, path)
    }

    #[test]
    fn keeps_the_text_byte_for_byte() {
        let text = format!("# ä\r\n{VALID}");
        let (_folder, path) = write(text.as_bytes());
        let file = load(&path).unwrap();
        assert_eq!((file.text, file.path), (text, path));
    }

    #[test]
    fn tells_apart_why_a_file_is_no_recipe() {
        let (folder, path) = write(&vec![b'#'; usize::try_from(RECIPE_BYTES_MAX).unwrap() + 1]);
        assert!(matches!(load(&path), Err(RecipeError::TooLarge { .. })));
        fs::write(&path, b"# fine\n# \xff\n").unwrap();
        assert!(matches!(load(&path), Err(RecipeError::NotUtf8 { line: 2, .. })));
        fs::write(&path, "x = 1\n").unwrap();
        assert!(matches!(load(&path), Err(RecipeError::Invalid(_))));
        let error = load(&folder.path().join("none.toml")).unwrap_err();
        assert!(matches!(error, RecipeError::Unreadable { .. }));
        assert!(error.hint().unwrap().contains("amint init"));
        assert!(load(folder.path()).unwrap_err().hint().unwrap().contains("amint.toml"));
    }

    #[test]
    fn takes_a_recipe_of_the_greatest_size() {
        let mut text = VALID.to_owned();
        text.push_str(&"#".repeat(usize::try_from(RECIPE_BYTES_MAX).unwrap() - VALID.len()));
        let (_folder, path) = write(text.as_bytes());
        assert!(load(&path).is_ok());
    }

    #[test]
    fn shows_where_a_waiver_ended() {
        let waiver = "[[harden.waive]]\nrule = \"SSH-012\"\nreason = \"forwards\"\nowner = \"net\"\nuntil = 2027-03-31\n";
        let (_folder, path) = write(format!("{VALID}{waiver}").as_bytes());
        let file = load(&path).unwrap();
        assert!(file.check_waivers(date(2027, 3, 31)).is_ok());
        let error = file.check_waivers(date(2027, 4, 1)).unwrap_err();
        assert_eq!((error.items[0].line, error.items[0].text.as_str()), (10, "2027-03-31"));
    }

    #[test]
    fn resolves_paths_beside_the_recipe() {
        let recipe = parse(VALID, Path::new("amint.toml")).unwrap();
        let file = RecipeFile { path: "amint.toml".into(), text: VALID.to_owned(), recipe };
        assert_eq!(file.resolve(Path::new("site/")), Path::new("./site/"));
        assert_eq!(file.resolve(Path::new("/srv/site")), Path::new("/srv/site"));
    }
}
