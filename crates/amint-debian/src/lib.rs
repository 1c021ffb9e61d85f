//! Debian packages: control data, versions, relations, resolution, `.deb` files.
//!
//! Everything here follows Debian policy (<https://www.debian.org/doc/debian-policy/>), `deb(5)`, `deb-version(7)`
//! and `deb-control(5)`; it works on hosts without apt or dpkg. Nothing here reaches the network or changes a file
//! system.

pub mod changelog;
pub mod control;
pub mod deb;
pub mod package;
pub mod relation;
pub mod resolve;
pub mod universe;
pub mod version;

#[cfg(test)]
mod testing;
