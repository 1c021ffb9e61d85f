//! One pass over the content: every file that an analyzer wants is read once, in the order of the disk, side by side.

mod analyzer;
mod content;
mod run;
mod wanted;

pub use analyzer::{AnalyzeError, Analyzer, File, Output, Stream, Want};
pub use content::Content;
pub use run::{PassResult, run};
