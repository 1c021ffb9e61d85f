//! The languages.

use amint_types::ReadAt;
use amint_types::scan::ScannedPackage;

use crate::{LanguageError, composer, dotnet, gem, go, jar, node, python, rust};

/// A language whose packages are found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Language {
    /// Python: `METADATA` and `PKG-INFO`.
    Python,
    /// Node: `package.json`.
    Node,
    /// Ruby: gem specifications.
    Ruby,
    /// Java: archives, nested ones too.
    Java,
    /// Go: build information in programs.
    Go,
    /// Rust: the list of `cargo auditable` in programs.
    Rust,
    /// PHP: Composer's `installed.json`.
    Php,
    /// .NET: `.deps.json`.
    Dotnet,
}

/// The smallest program that may hold a list of packages.
const PROGRAM_BYTES_MIN: u64 = 4096;

impl Language {
    /// All languages.
    pub const ALL: [Self; 8] =
        [Self::Python, Self::Node, Self::Ruby, Self::Java, Self::Go, Self::Rust, Self::Php, Self::Dotnet];

    /// Returns the lower-case name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Node => "node",
            Self::Ruby => "ruby",
            Self::Java => "java",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Php => "php",
            Self::Dotnet => "dotnet",
        }
    }

    /// Tells whether a regular file, by its path, permission bits and size, is to be read.
    pub fn wants(self, path: &[u8], mode: u32, bytes: u64) -> bool {
        let is_program = || mode & 0o111 != 0 && bytes >= PROGRAM_BYTES_MIN;
        match self {
            Self::Python => python::wants(path),
            Self::Node => path.ends_with(b"/package.json"),
            Self::Ruby => gem::wants(path),
            Self::Java => jar::wants(path),
            Self::Go | Self::Rust => is_program(),
            Self::Php => path.ends_with(b"/composer/installed.json"),
            Self::Dotnet => path.ends_with(b".deps.json"),
        }
    }

    /// Reads the packages that a file tells of; none for a file that merely shares a name or a mode with such files.
    ///
    /// # Errors
    /// Fails when the file cannot be read, is damaged, or goes over a limit.
    pub fn read(self, path: &str, content: &dyn ReadAt) -> Result<Vec<ScannedPackage>, LanguageError> {
        match self {
            Self::Python => python::read(path, content),
            Self::Node => node::read(path, content),
            Self::Ruby => gem::read(path, content),
            Self::Java => jar::read(path, content),
            Self::Go => go::read(path, content),
            Self::Rust => rust::read(path, content),
            Self::Php => composer::read(path, content),
            Self::Dotnet => dotnet::read(path, content),
        }
    }
}
