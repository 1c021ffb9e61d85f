//! Orders of versions: one for each kind of package.
//!
//! [`compare`] is total over all texts: a text that the scheme does not know is a version too, so that hostile or odd
//! data cannot make a search or a sort go wrong. Each scheme names the document that rules it.

mod apk;
mod composer;
mod gem;
mod maven;
mod nuget;
mod number;
mod pep440;
mod rpm;
mod scheme;
mod semver;

pub use rpm::{Evr, compare_parts as compare_rpm_parts};
pub use scheme::{Scheme, VERSION_BYTES_MAX, compare};

#[cfg(test)]
mod tests;
