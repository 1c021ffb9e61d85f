//! Packages of programming languages, one analyzer for each language.

use amint_languages::Language;

use crate::index::chain;
use crate::pass::{AnalyzeError, Analyzer, Content, File, Output, Want};

/// Finds the packages of one language.
pub struct Languages(Language);

impl Languages {
    /// Returns an analyzer for each language.
    pub fn all() -> Vec<Self> {
        Language::ALL.into_iter().map(Self).collect()
    }
}

impl Analyzer for Languages {
    fn id(&self) -> &'static str {
        self.0.as_str()
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &File<'_>) -> Option<Want> {
        self.0.wants(file.path, file.entry.mode, file.entry.bytes).then_some(Want::Places)
    }

    fn analyze(
        &self,
        file: &File<'_>,
        content: &Content<'_>,
        output: &mut Output,
    ) -> Result<(), AnalyzeError> {
        let found = self.0.read(&file.path_text(), content).map_err(|error| AnalyzeError(chain(&error)))?;
        output.packages.extend(found);
        Ok(())
    }
}
