//! The packages of the operating system, and the files that they own.

mod apk;
mod databases;
mod dpkg;
mod excluded;
mod licenses;
mod rpm;

pub use databases::{Databases, NOT_ASKED, PackageDetails, SystemPackages, not_asked, read_databases};
