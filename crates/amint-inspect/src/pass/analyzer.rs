//! What an analyzer is.

use amint_scan::FoundSecret;
use amint_types::scan::{Certificate, ModifiedFile, ScanFinding, ScannedPackage};

use super::Content;
use crate::index::{Entry, EntryId};

/// A file that analyzers are asked about.
#[derive(Clone, Copy, Debug)]
pub struct File<'a> {
    /// Its place in the index.
    pub id: EntryId,
    /// Its absolute path, as bytes.
    pub path: &'a [u8],
    /// What is known of it.
    pub entry: &'a Entry,
}

impl File<'_> {
    /// Returns the path as text, with what is no UTF-8 replaced.
    pub fn path_text(&self) -> String {
        String::from_utf8_lossy(self.path).into_owned()
    }
}

/// How an analyzer wants a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// At places of its own choice: [`Analyzer::analyze`].
    Places,
    /// All of it, at places of its own choice: [`Analyzer::analyze`].
    Whole,
    /// All of it, from the start to the end: [`Analyzer::stream`].
    Stream,
}

/// An analyzer could not read or understand a file: told with its path, and the pass goes on.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct AnalyzeError(pub String);

/// Something that looks at files, each file once.
///
/// An analyzer says by name and metadata alone which files it wants. It knows nothing of other analyzers, of the disk,
/// or of the order in which files come.
pub trait Analyzer: Sync {
    /// Returns its stable id: `dpkg`, `java`.
    fn id(&self) -> &'static str;

    /// Returns the version of its logic; it rises when the same file may give another result.
    fn version(&self) -> u32;

    /// Tells whether and how it wants a regular file.
    fn wants(&self, file: &File<'_>) -> Option<Want>;

    /// Looks at a file that it wanted at places of its own choice.
    ///
    /// # Errors
    /// Fails when the file cannot be read or understood.
    fn analyze(
        &self,
        file: &File<'_>,
        content: &Content<'_>,
        output: &mut Output,
    ) -> Result<(), AnalyzeError> {
        let _ = (file, content, output);
        Ok(())
    }

    /// Begins to look at a file that it wanted as a stream.
    fn stream<'a>(&'a self, file: &File<'_>) -> Option<Box<dyn Stream + 'a>> {
        let _ = file;
        None
    }
}

/// Looks at a file from its start to its end.
pub trait Stream {
    /// Takes the next bytes.
    fn feed(&mut self, bytes: &[u8]);

    /// Says what was found.
    ///
    /// # Errors
    /// Fails when the content could not be understood.
    fn finish(self: Box<Self>, file: &File<'_>, output: &mut Output) -> Result<(), AnalyzeError>;
}

/// What analyzers found.
#[derive(Debug, Default)]
pub struct Output {
    /// Packages, each with the file that tells of it.
    pub packages: Vec<ScannedPackage>,
    /// Certificates.
    pub certificates: Vec<Certificate>,
    /// Files of packages that were changed.
    pub modified_files: Vec<ModifiedFile>,
    /// What is wrong.
    pub findings: Vec<ScanFinding>,
    /// Secrets, without their values.
    pub secrets: Vec<FoundSecret>,
}

impl Output {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.packages.append(&mut other.packages);
        self.certificates.append(&mut other.certificates);
        self.modified_files.append(&mut other.modified_files);
        self.findings.append(&mut other.findings);
        self.secrets.append(&mut other.secrets);
    }
}
