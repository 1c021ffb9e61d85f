//! Debian archives: verified indexes, downloads, the package cache.
