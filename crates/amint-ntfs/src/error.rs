//! Words for what is wrong.

use amint_fs::FsError;

/// What this file system is called in reports.
pub(crate) const KIND: &str = "ntfs";

/// The file system contradicts itself.
pub(crate) fn damaged(what: impl Into<String>) -> FsError {
    FsError::Damaged { filesystem: KIND, what: what.into() }
}

/// A limit was met.
pub(crate) fn limit(what: impl Into<String>) -> FsError {
    FsError::Limit { filesystem: KIND, what: what.into() }
}

/// Something is used that cannot be read.
pub(crate) fn unsupported(feature: impl Into<String>) -> FsError {
    FsError::Unsupported { filesystem: KIND, feature: feature.into() }
}
