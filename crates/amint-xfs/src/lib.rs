//! Reads XFS.
