//! What can be wrong with a source.

use std::io;

use crate::database::DatabaseError;

/// A source cannot be imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Reading failed, or what was compressed is damaged.
    #[error("could not read the source")]
    Io(#[from] io::Error),
    /// JSON that is none, or not in the form that the importer reads.
    #[error("the source is not in the form that was told")]
    Json(#[from] serde_json::Error),
    /// XML that is none.
    #[error("the source is no XML")]
    Xml(#[from] quick_xml::Error),
    /// Control data of Debian that make no sense.
    #[error("the source is no control data")]
    Control(#[from] amint_debian::control::ControlError),
    /// An archive that is none.
    #[error("the source is no zip archive")]
    Zip(#[from] zip::result::ZipError),
    /// Something else is not in the form that the importer reads.
    #[error("the source makes no sense: {0}")]
    Form(&'static str),
    /// It is beyond a limit.
    #[error("the source is beyond a limit: {0}")]
    TooLarge(&'static str),
    /// The database cannot take more.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}
