//! Writes ext4 file systems from a directory tree.
