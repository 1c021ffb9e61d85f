//! Reads btrfs.
