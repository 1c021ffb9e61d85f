//! Reads NTFS.
