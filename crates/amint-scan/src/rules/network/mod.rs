//! What ties the image to the builder's network.

mod aws_bindings;
mod package_sources;
mod packet_filter;
mod proxies;
mod static_addresses;

use aws_bindings::AwsBindings;
use package_sources::PackageSources;
use packet_filter::PacketFilter;
use proxies::Proxies;

use crate::Rule;

/// The rules of this family.
pub(super) static RULES: &[&dyn Rule] = &[
    &PacketFilter,   // NET-001
    &PackageSources, // NET-002
    &AwsBindings,    // NET-003
    &Proxies,        // NET-004
];
