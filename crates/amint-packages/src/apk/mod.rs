//! apk's database (`apk-v2(5)`, `apk-world(5)`; apk-tools `doc/`).
//!
//! `/lib/apk/db/installed` (`/usr/lib/apk/db/installed` in systems of today) is read by [`read_installed`],
//! `/etc/apk/world` by [`read_world`], `/etc/apk/repositories` by
//! [`repositories::read_apk`](crate::repositories::read_apk).

mod files;
mod installed;
mod world;

pub use files::{ApkFile, ApkFiles, FILES_MAX, parse_checksum};
pub use installed::{ApkDatabase, ApkPackage, PACKAGES_MAX, read_installed};
pub use world::{WorldEntry, read_world};
