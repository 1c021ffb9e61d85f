//! Reads squashfs.
