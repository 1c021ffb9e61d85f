//! What ties the image to the builder's network.

mod package_sources;
mod proxies;

use package_sources::PackageSources;
use proxies::Proxies;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &PackageSources, // NET-002
    &Proxies,        // NET-004
];
