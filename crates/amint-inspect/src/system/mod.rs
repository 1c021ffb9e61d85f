//! The packages of the operating system, and the files that they own.

mod apk;
mod databases;
mod dpkg;
mod excluded;
mod owners;
mod rpm;

pub use databases::{Databases, SystemPackages, read_databases};
pub(crate) use databases::{NOT_ASKED, not_asked};
pub use owners::Owners;
