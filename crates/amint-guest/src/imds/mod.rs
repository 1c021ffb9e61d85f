//! The EC2 instance metadata service.
//!
//! Serves what a guest asks at `169.254.169.254`, in its second version: every read needs a token, unless
//! [`ImdsAccess`] says otherwise (EC2 User Guide, "Use the Instance Metadata Service to access instance metadata"). The
//! service listens on a Unix socket; QEMU's user-mode network connects each metadata connection of the guest
//! to it through [`bridge`](crate::bridge).
//!
//! What it does not do: the hop limit is data only ([`Metadata::hop_limit`]), because the user-mode network
//! ends the guest's TCP connection itself and no IP packet with a time-to-live reaches this service. The
//! signatures of the identity document (`signature`, `pkcs7`, `rsa2048`) are made with [`IdentityKeys`] of this
//! machine, because only EC2 has its own; without keys they are answered with 404. All dated versions answer alike.

mod document;
mod identity_keys;
mod metadata;
mod role;
mod service;
mod token;
mod tree;

pub use document::identity_document;
pub use identity_keys::IdentityKeys;
pub(crate) use metadata::GUEST_ADDRESS;
pub use metadata::{BlockDevice, LoginKey, Metadata};
pub use role::{InstanceRole, RoleCredentials};
pub use service::{Activity, ImdsAccess, ImdsService};
pub use token::{TOKEN_TTL_SECONDS_MAX, TOKEN_TTL_SECONDS_MIN};

#[cfg(test)]
mod service_tests;
