//! Package databases of operating systems: dpkg, rpm, apk, and the repositories that an image is set up to use.
//!
//! Everything here works on bytes that the caller hands in: no path is opened, no program started. Damage in one
//! record costs that record and is told as a [`Problem`], so that a scan neither stops nor stays silent. Orders of
//! versions are not here.

pub mod apk;
mod bytes;
pub mod content;
pub mod dpkg;
mod owned;
mod problem;
pub mod purl;
pub mod repositories;
pub mod rpm;

pub use owned::{Actual, Change, OwnedFile};
pub use problem::{PROBLEMS_MAX, Problem, Problems};
