//! What ties the image to the builder's network.

mod package_sources;
mod proxies;

pub(super) use package_sources::PackageSources;
pub(super) use proxies::Proxies;
