//! Short ways to say what is wrong.

use amint_fs::FsError;

/// The name of this file system in reports.
pub(crate) const KIND: &str = "squashfs";

/// The file system contradicts itself.
pub(crate) fn damaged(what: impl Into<String>) -> FsError {
    FsError::Damaged { filesystem: KIND, what: what.into() }
}

/// The file system uses something unknown.
pub(crate) fn unsupported(feature: impl Into<String>) -> FsError {
    FsError::Unsupported { filesystem: KIND, feature: feature.into() }
}

/// A limit of this reader was met.
pub(crate) fn over_limit(what: impl Into<String>) -> FsError {
    FsError::Limit { filesystem: KIND, what: what.into() }
}
