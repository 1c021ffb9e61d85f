//! Every value that a recipe may leave out.
//!
//! Readers and JSON Schema both take them from here, so that neither can drift.

use std::time::Duration;

use amint_types::{Architecture, Severity};

use crate::section::{Profile, Protocol};
use crate::text::Cidr;

/// The architecture of an image.
pub fn architecture() -> Architecture {
    Architecture::X86_64
}

/// The archive components that packages are taken from.
pub fn components() -> Vec<String> {
    vec!["main".to_owned()]
}

/// How much the packages of a repository of the recipe are preferred: as much as those of Debian.
pub fn repository_priority() -> i16 {
    500
}

/// The owner of copied files.
pub fn file_owner() -> String {
    "root".to_owned()
}

/// The group of copied files.
pub fn file_group() -> String {
    "root".to_owned()
}

/// How long a step of `[[run]]` may take.
pub fn run_deadline() -> Duration {
    Duration::from_mins(30)
}

/// The user that people log in as: the same in all images (A8).
pub fn user_name() -> String {
    "ec2-user".to_owned()
}

/// The user's shell.
pub fn user_shell() -> String {
    "/bin/bash".to_owned()
}

/// Whether the user may become root.
pub fn user_sudo() -> bool {
    true
}

/// The protocol of a port.
pub fn protocol() -> Protocol {
    Protocol::Tcp
}

/// Who may reach a port.
pub fn port_from() -> Vec<Cidr> {
    vec![Cidr::ANY_V4]
}

/// The page by which buyers first reach a product.
pub fn access_path() -> String {
    "/".to_owned()
}

/// The port of SSH, open in every image (A10).
pub const SSH_PORT: u16 = 22;

/// The profiles that an image is hardened with and judged by (A2, A11).
pub fn profiles() -> Vec<Profile> {
    vec![Profile::Marketplace, Profile::SharedLinux]
}

/// The mildest severity that stops an image.
pub fn gate() -> Severity {
    Severity::High
}

/// How long a test may take, all its attempts included.
pub fn test_deadline() -> Duration {
    Duration::from_secs(30)
}
