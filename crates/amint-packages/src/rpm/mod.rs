//! The database of rpm: three stores of the same headers.
//!
//! | store | file | systems |
//! |---|---|---|
//! | `SQLite` | `rpmdb.sqlite` | Fedora, RHEL 9, Amazon Linux 2023 |
//! | ndb | `Packages.db` | SUSE |
//! | Berkeley DB hash | `Packages` | RHEL 7 and 8, Amazon Linux 2 |
//!
//! All are below `/var/lib/rpm` or `/usr/lib/sysimage/rpm`. [`read_database`] knows them by their content. The form
//! of headers is told in rpm's manual (`docs/manual/format_header.md`, `hregions.md`, `tags.md`).

mod berkeley;
mod database;
mod files;
mod header;
mod ndb;
mod package;
mod signature;
mod sqlite;
mod store;
mod wal;

pub use database::{DATABASE_FILES_MAX, RpmDatabase, read_database};
pub use files::{FILES_MAX, FileFlags, FileState, RpmFile, RpmFiles};
pub use header::{Header, HeaderError, tag};
pub use package::{RpmError, RpmKey, RpmPackage};
pub use store::{HEADER_BYTES_MAX, PACKAGES_MAX, Store, StoreError, Visited, visit_headers};
